import Foundation
import Testing

/// Mistakes in configurations by the number that each has in the table of them: those that end `apachectl configtest`.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ConfigurationRowTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let number: Int
        let lines: String
        let parts: [String]
        /// Which of `lines` is at fault, from 1; nil: the last.
        var line: Int?
        var testDescription: String { "c\(number): \(lines.prefix(80))" }

        init(_ number: Int, _ lines: String, _ parts: String..., line: Int? = nil) {
            self.number = number
            self.lines = lines
            self.parts = parts
            self.line = line
        }
    }

    static let rows: [Row] = definitions + identities + surroundings + places

    private static let definitions: [Row] = [
        Row(1, "WSGIDaemonProcess ''", "SWSGI1001", "name of the process group"),
        Row(2, "WSGIDaemonProcess a%b", "SWSGI1002", "'a%b'", "letters, digits"),
        Row(2, "WSGIDaemonProcess a\u{7}b", "SWSGI1002", "letters, digits"),
        Row(3, "WSGIDaemonProcess one\nWSGIDaemonProcess one threads=2", "SWSGI1003", "httpd.conf:"),
        Row(4, "WSGIDaemonProcess one thread=5", "SWSGI1004", "'thread'", "did you mean 'threads'?"),
        Row(4, "WSGIDaemonProcess one maximum-request=5", "SWSGI1004", "did you mean 'maximum-requests'?"),
        Row(4, "WSGIScriptAlias / /x proces-group=one", "SWSGI1004", "did you mean 'process-group'?"),
        Row(5, "WSGIDaemonProcess one user=www-data user=www-data", "SWSGI1005", "'user'", "twice"),
        Row(6, "WSGIDaemonProcess one threads=2x", "SWSGI1006", "threads", "0 to 1000", "'2x'"),
        Row(7, "WSGIDaemonProcess one processes=8-2", "SWSGI1006", "processes", "'8-2'"),
        Row(8, "WSGIDaemonProcess one startup-timeout=5m", "SWSGI1006", "s, min or h", "'5m'"),
        Row(8, "WSGIDaemonProcess one request-timeout=1.5", "SWSGI1006", "ms, s, min or h", "'1.5'"),
        Row(8, "WSGIDaemonProcess one request-timeout=-1", "SWSGI1006", "'-1'"),
        Row(9, "WSGIDaemonProcess one memory-limit=99999999999G", "SWSGI1006", "K, M or G", "'99999999999G'"),
        Row(9, "WSGIDaemonProcess one rss-limit=1T", "SWSGI1006", "K, M or G", "'1T'"),
        Row(10, "WSGIDaemonProcess one umask=0o22", "SWSGI1008", "octal, 0000 to 0777", "'0o22'"),
        Row(34, "WSGIDaemonProcess one memory-limit=1M", "SWSGI1006", "memory-limit", "'1M'"),
    ]

    private static let identities: [Row] = [
        Row(11, "WSGIDaemonProcess one user=nosuchuser", "SWSGI1009", "user 'nosuchuser' does not exist"),
        Row(12, "WSGIDaemonProcess one user=#0", "SWSGI6001", "uid 0"),
        Row(13, "WSGIDaemonProcess one user=www-data supplementary-groups=mail,root", "SWSGI6002", "gid 0"),
        Row(16, "WSGIDaemonProcess one group=nosuchgroup", "SWSGI1010", "'nosuchgroup' does not exist"),
        Row(16, "WSGIDaemonProcess one supplementary-groups=nosuch", "SWSGI1010", "supplementary group 'nosuch'"),
        Row(
            17,
            "WSGIDaemonProcess one supplementary-groups=" + (1...65).map { "#\($0)" }.joined(separator: ","),
            "SWSGI1120",
            "1 to 64"
        ),
    ]

    private static let surroundings: [Row] = [
        Row(19, "WSGIDaemonProcess one chroot=srv", "SWSGI1011", "absolute path", "'srv'"),
        Row(19, "WSGIDaemonProcess one chroot=/nonexistent", "SWSGI1011", "'/nonexistent' is not a directory"),
        Row(19, "WSGIDaemonProcess one chroot=/etc/passwd", "SWSGI1011", "'/etc/passwd' is not a directory"),
        Row(19, "WSGIDaemonProcess one chroot=/", "SWSGI1011", "below the root directory"),
        Row(20, "WSGIDaemonProcess one home=/nonexistent", "SWSGI1011", "home '/nonexistent' is not a directory"),
        Row(23, "WSGIScriptAlias / /x process-group=nosuch", "SWSGI1013", "'nosuch' is not defined"),
        Row(
            24,
            """
            <VirtualHost *>
            ServerName a.example
            WSGIDaemonProcess one
            </VirtualHost>
            <VirtualHost *>
            ServerName b.example
            WSGIScriptAlias / /x process-group=one
            </VirtualHost>
            """,
            "SWSGI1014",
            "'one'",
            "httpd.conf:",
            line: 7
        ),
        Row(29, "WSGITrustedProxies 10.0.0.0/8 proxy.example", "SWSGI1030", "'proxy.example'"),
        Row(30, "WSGITrustedProxyHeaders X-Forwarded-Fro", "SWSGI1031", "'X-Forwarded-Fro'", "X-Forwarded-For"),
        Row(37, "LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so", "SWSGI1204", "mod_swsgi.so", "Python"),
    ]

    /// httpd's own texts.
    private static let places: [Row] = [
        Row(27, "<Directory /srv>\nWSGIDaemonProcess one\n</Directory>", "WSGIDaemonProcess", "not allowed", line: 2),
        Row(27, "<Location /x>\nWSGIScriptAlias / /x\n</Location>", "WSGIScriptAlias", "not allowed", line: 2),
        Row(27, "<Files x>\nWSGIImportScript /x\n</Files>", "WSGIImportScript", "not allowed", line: 2),
        Row(
            27,
            "<VirtualHost *>\nServerName a.example\nWSGISlowRequests 5\n</VirtualHost>",
            "cannot occur within",
            "VirtualHost",
            line: 3
        ),
    ]

    @Test(arguments: rows)
    func row_failsConfigtest_andSaysWhatIsAllowed(row: Row) throws {
        try withServer { server in
            try server.configure(row.lines)
            let text = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
            let written = row.lines.split(separator: "\n").count
            let line =
                text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 - written
                + (row.line ?? written)
            let result = try server.signal("configtest")
            #expect(result.status != 0)
            for part in row.parts { #expect(result.errors.contains(part), "\(part): \(result.errors)") }
            let places = ["line \(line) of \(server.configurationFile)", "\(server.configurationFile):\(line)"]
            #expect(places.contains { result.errors.contains($0) }, "line \(line): \(result.errors)")
        }
    }

    /// The module itself, in the other order, is skipped by httpd; what it skips can't speak.
    @Test func c37_sameFileTwice_isHarmless() throws {
        try withServer { server in
            try server.configure("LoadModule wsgi_module \(server.library)/mod_swsgi.so\nWSGIDaemonProcess one")
            let result = try server.signal("configtest")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("AH01574"))
        }
    }

    @Test func c27_directivesOfTheServer_areRefusedInHtaccess() throws {
        try withServer { server in
            let lines = [
                "WSGIProcessGroup one", "WSGIDaemonProcess two", "WSGIScriptAlias / /x", "WSGIRestrictStdout On",
            ]
            for (index, line) in lines.enumerated() {
                try server.write(line + "\n", to: "htdocs/\(index)/.htaccess")
                server.announce("\(line.prefix { $0 != " " }) not allowed here")
            }
            try server.write("WSGIScriptReloading Off\n", to: "htdocs/allowed/.htaccess")
            try server.write("yes\n", to: "htdocs/allowed/index.txt")
            try server.start("<Directory \(server.directory)/htdocs>\nAllowOverride All\n</Directory>")
            for index in lines.indices { #expect(try server.get("/\(index)/x").status == 500, "\(lines[index])") }
            #expect(try server.get("/allowed/index.txt").text == "yes\n")
        }
    }

    /// C33: mod_wsgi does not enforce it then.
    @Test func c33_requestTimeout_countsWithoutTheOtherTimes() throws {
        try withServer { server in
            server.announce("SWSGI4070", "SWSGI3100", " #", "SWSGI3101", "SWSGI3102")
            let entry = try server.deploy(.trouble, as: "app")
            let options = "threads=3 request-timeout=300ms deadlock-timeout=0 inactivity-timeout=0"
            try server.start(server.application(entry, options: options))
            #expect(try server.get("/sleep?ms=100000").status == 504)
            try server.logs.waitForLine("SWSGI4070")
        }
    }

    @Test func c36_sameBundle_servesTwoGroupsWithOtherOptions() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                """
                WSGIDaemonProcess one user=\(TestUser.first.name) threads=1
                WSGIDaemonProcess two user=\(TestUser.second.name) threads=3 processes=2
                WSGIScriptAlias /one \(entry) process-group=one
                WSGIScriptAlias /two \(entry) process-group=two
                <Directory \(server.www)>
                    Require all granted
                </Directory>
                """
            )
            #expect(try server.facts("/one")["uid"] == "\(TestUser.first.uid)")
            #expect(try server.facts("/two")["uid"] == "\(TestUser.second.uid)")
        }
    }
}
