import Foundation
import Testing

/// Mistakes that `apachectl configtest` finds, with their place and what is allowed.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ConfigurationTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let lines: String
        let code: String
        /// What the message names besides the code.
        var parts: [String] = []
        /// Which of `lines` is at fault, from 1; nil: the last.
        var line: Int?
        var testDescription: String { lines }

        init(_ lines: String, _ code: String, _ parts: String..., line: Int? = nil) {
            self.lines = lines
            self.code = code
            self.parts = parts
            self.line = line
        }
    }

    static let mistakes: [Mistake] = names + options + identities + references

    private static let names: [Mistake] = [
        Mistake("WSGIDaemonProcess", "SWSGI1001"),
        Mistake("WSGIDaemonProcess \"\"", "SWSGI1001"),
        Mistake("WSGIDaemonProcess a/b", "SWSGI1002", "a/b"),
        Mistake("WSGIDaemonProcess \"a b\"", "SWSGI1002", "a b"),
        Mistake("WSGIDaemonProcess \(String(repeating: "x", count: 65))", "SWSGI1002"),
        Mistake("WSGIDaemonProcess one\nWSGIDaemonProcess one", "SWSGI1003", "'one'"),
        Mistake(
            "WSGIDaemonProcess one\n<VirtualHost *>\nServerName a.example\nWSGIDaemonProcess one\n</VirtualHost>",
            "SWSGI1003",
            "'one'",
            line: 4
        ),
        Mistake(
            """
            <VirtualHost *>
            ServerName a.example
            WSGIDaemonProcess one
            </VirtualHost>
            <VirtualHost *>
            ServerName b.example
            WSGIDaemonProcess one
            </VirtualHost>
            """,
            "SWSGI1003",
            "'one'",
            line: 7
        ),
    ]

    private static let options: [Mistake] = [
        Mistake("WSGIDaemonProcess one thread=5", "SWSGI1004", "thread"),
        Mistake("WSGIDaemonProcess one threads=5 threads=6", "SWSGI1005", "threads"),
        Mistake("WSGIDaemonProcess one threads=abc", "SWSGI1006", "threads", "abc"),
        Mistake("WSGIDaemonProcess one threads=-1", "SWSGI1006", "threads", "-1"),
        Mistake("WSGIDaemonProcess one threads=-1", "SWSGI1006", "threads", "-1"),
        Mistake("WSGIDaemonProcess one threads=2x", "SWSGI1006", "threads", "2x"),
        Mistake("WSGIDaemonProcess one threads=", "SWSGI1006", "threads"),
        Mistake("WSGIDaemonProcess one threads=99999999999999999999", "SWSGI1006", "threads"),
        Mistake("WSGIDaemonProcess one processes=0", "SWSGI1006", "processes"),
        Mistake("WSGIDaemonProcess one processes=1000000", "SWSGI1006", "processes"),
        Mistake("WSGIDaemonProcess one startup-timeout=soon", "SWSGI1006", "startup-timeout", "soon"),
        Mistake("WSGIDaemonProcess one threads", "SWSGI1007", "threads"),
        Mistake("WSGIDaemonProcess one threads = 5", "SWSGI1007"),
        Mistake("WSGIDaemonProcess one umask=999", "SWSGI1008", "999"),
        Mistake("WSGIDaemonProcess one umask=0o22", "SWSGI1008"),
        Mistake("WSGIDaemonProcess one umask=77777", "SWSGI1008"),
        Mistake("WSGIDaemonProcess one home=relative/path", "SWSGI1011", "relative/path"),
        Mistake("WSGIDaemonProcess one home=/nonexistent/home", "SWSGI1011", "/nonexistent/home"),
        Mistake("WSGIDaemonProcess one home=/etc/passwd", "SWSGI1011", "/etc/passwd"),
        Mistake("WSGIDaemonProcess one display-name=", "SWSGI1021"),
    ]

    private static let identities: [Mistake] = [
        Mistake("WSGIDaemonProcess one user=nosuchuser", "SWSGI1009", "nosuchuser"),
        Mistake("WSGIDaemonProcess one user=#3999999999", "SWSGI1009"),
        Mistake("WSGIDaemonProcess one group=nosuchgroup", "SWSGI1010", "nosuchgroup"),
        Mistake("WSGIDaemonProcess one user=root", "SWSGI6001", "root"),
        Mistake("WSGIDaemonProcess one user=#0", "SWSGI6001"),
        Mistake("WSGIDaemonProcess one user=www-data group=root", "SWSGI6002", "gid 0"),
        Mistake("WSGIDaemonProcess one user=www-data group=#0", "SWSGI6002"),
    ]

    private static let references: [Mistake] = [
        Mistake("WSGIProcessGroup nosuch", "SWSGI1013", "nosuch"),
        Mistake("<Directory /srv>\nWSGIProcessGroup nosuch\n</Directory>", "SWSGI1013", "nosuch", line: 2),
        Mistake("<Location /x>\nWSGIProcessGroup nosuch\n</Location>", "SWSGI1013", "nosuch", line: 2),
        Mistake(
            """
            <VirtualHost *>
            ServerName a.example
            WSGIDaemonProcess one
            </VirtualHost>
            <VirtualHost *>
            ServerName b.example
            WSGIProcessGroup one
            </VirtualHost>
            """,
            "SWSGI1014",
            "one",
            line: 7
        ),
        Mistake("WSGIScriptAlias", "SWSGI1015"),
        Mistake("WSGIScriptAlias /", "SWSGI1015"),
        Mistake("WSGIScriptAlias / /srv/app.wsgi wrong=1", "SWSGI1004", "wrong"),
        Mistake("WSGIScriptAlias / /srv/app.wsgi process-group=nosuch", "SWSGI1013", "nosuch"),
        Mistake("WSGIScriptAliasMatch", "SWSGI1015", "a regular expression"),
        Mistake("WSGIScriptAliasMatch ^/([a-z] /srv/app.wsgi", "SWSGI1180", "'^/([a-z]'"),
        Mistake("WSGIScriptAliasMatch ^/x /srv/app.wsgi process-group=nosuch", "SWSGI1013", "nosuch"),
        Mistake("WSGIHandlerScript", "SWSGI1015", "the name of a handler"),
        Mistake("WSGIHandlerScript wsgi-script /srv/h.wsgi", "SWSGI1181", "'wsgi-script'"),
        Mistake("WSGIHandlerScript h /srv/h.wsgi process-group=nosuch", "SWSGI1013", "nosuch"),
        Mistake("WSGIProcessGroup %{GROUP}", "SWSGI1182", "'%{GROUP}'", "%{ENV:NAME}"),
        Mistake("WSGIApplicationGroup x%{HOST}", "SWSGI1182", "'x%{HOST}'"),
        Mistake("WSGICallableObject a-b", "SWSGI1021", "'a-b'"),
        Mistake("WSGIRestrictProcess", "SWSGI1183", "%{GLOBAL}"),
        Mistake("WSGIRestrictProcess one %{ONE}", "SWSGI1182", "'%{ONE}'"),
        Mistake("<WSGIInterpreterOptions process-group=%{HOST}>\n</WSGIInterpreterOptions>", "SWSGI1185", line: 1),
        Mistake("<WSGIInterpreterOptions process-group=nosuch>\n</WSGIInterpreterOptions>", "SWSGI1013", line: 1),
        Mistake(
            "<WSGIInterpreterOptions>\nWSGIRestrictStdin On\nWSGIProcessGroup x\n</WSGIInterpreterOptions>",
            "SWSGI1185",
            "WSGIProcessGroup",
            line: 3
        ),
        Mistake("WSGIScriptReloading Maybe", "SWSGI1016", "Maybe"),
        Mistake("WSGIChunkedRequest Maybe", "SWSGI1016", "WSGIChunkedRequest"),
        Mistake("WSGILocalRedirect 1", "SWSGI1016", "WSGILocalRedirect"),
        Mistake("WSGIMapHEADToGET Sometimes", "SWSGI1016", "Off, On or Auto"),
        Mistake("WSGIErrorOverride 200", "SWSGI1033", "'200'"),
        Mistake("WSGIErrorOverride", "SWSGI1033"),
        Mistake("WSGIErrorOverride 404 On", "SWSGI1033", "404 On"),
        Mistake("WSGITrustedProxies 10.0.0.0/8 proxy.example", "SWSGI1030", "proxy.example"),
        Mistake("WSGITrustedProxies 10.0.0.0/33", "SWSGI1030"),
        Mistake("WSGITrustedProxyHeaders X-Forwarded-For X-Unknown", "SWSGI1031", "X-Unknown", "Forwarded"),
    ]

    @Test(arguments: mistakes)
    func mistake_failsConfigtestWithItsPlaceAndCode(mistake: Mistake) throws {
        try withServer { server in
            try server.configure(mistake.lines)
            let text = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
            let before = text.split(separator: "\n", omittingEmptySubsequences: false).count
            let written = mistake.lines.split(separator: "\n").count
            // The file ends with an empty piece after its last newline.
            let line = before - 1 - written + (mistake.line ?? written)
            let result = try server.signal("configtest")
            #expect(result.status != 0)
            #expect(result.errors.contains(mistake.code), "\(result.errors)")
            for part in mistake.parts { #expect(result.errors.contains(part), "\(part): \(result.errors)") }
            #expect(result.errors.contains(server.configurationFile), "\(result.errors)")
            #expect(
                result.errors.contains("line \(line) ") || result.errors.contains("line \(line):")
                    || result.errors.contains(":\(line)"),
                "line \(line): \(result.errors)"
            )
        }
    }

    @Test func mistakeInARunningServersConfiguration_leavesItServing() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            let parent = server.parentPID
            try server.configure(server.application(entry, options: "threads=none"))
            #expect(try server.signal("graceful").status != 0)
            #expect(try server.get("/").text == "version A\n")
            #expect(server.parentPID == parent)
            try server.configure(server.application(entry))
        }
    }

    @Test func goodConfiguration_passesConfigtestInSilence() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.configure(
                server.application(entry, options: "processes=2 threads=15 umask=0022 display-name=%{GROUP}")
            )
            let result = try server.signal("configtest")
            #expect(result.status == 0)
            #expect(result.errors == "Syntax OK\n")
            #expect(server.processes.isEmpty)
        }
    }

    /// Options and directives of mod_wsgi that have no meaning here must not keep an old configuration from loading.
    @Test func pythonsOptions_areAcceptedWithANotice() throws {
        try withServer { server in
            server.announce("SWSGI1017")
            try server.start(
                "WSGIDaemonProcess one user=www-data group=www-data python-home=/srv/venv python-path=/srv/app"
            )
            try server.logs.waitForLine("SWSGI1017", "python-home")
            try server.logs.waitForLine("SWSGI1017", "python-path")
        }
    }

    @Test(arguments: [
        "WSGIScriptAlias /x /nonexistent/app.wsgi",
        "WSGIScriptAlias /x /etc/shadow/app.wsgi",
    ])
    func entryFileThatIsMissing_isWarnedAboutAtStart(lines: String) throws {
        try withServer { server in
            server.announce("SWSGI1019", "SWSGI1211")
            try server.start(
                "WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name)\nWSGIProcessGroup one\n"
                    + lines
            )
            try server.logs.waitForLine("SWSGI1019", "app.wsgi")
        }
    }

    @Test func missingDaemonProgram_isNamed() throws {
        try withServer { server in
            server.announce("SWSGI1020", "SWSGI3005", "SWSGI3003", "AH00020", "AH00016")
            let entry = try server.deploy(.versionA, as: "app")
            unlink("\(server.library)/swsgid")
            try server.configure(server.application(entry))
            let result = try server.signal("start")
            // httpd does not start, or starts and says it in its log.
            let seen = try eventually("SWSGI1020 after \(result.errors)") {
                let text = result.errors + server.logs.lines.map(\.text).joined(separator: "\n")
                return text.contains("SWSGI1020") ? text : nil
            }
            #expect(seen.contains("\(server.library)/swsgid"), "\(seen)")
            try server.stop()
        }
    }
}
