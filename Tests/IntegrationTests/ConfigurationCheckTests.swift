import Foundation
import Testing

/// What `apachectl configtest` and a start say of files, users and directories; nothing of it keeps httpd from starting.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ConfigurationCheckTests {
    private let user = TestUser.first
    private let groups = """
        WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=1

        """

    /// An entry file, or a bundle, that can't be used, at `www/NAME`.
    private struct Case: Sendable {
        let name: String
        let parts: [String]
        let make: @Sendable (TestServer, String) throws -> Void

        init(_ name: String, _ parts: String..., make: @escaping @Sendable (TestServer, String) throws -> Void) {
            self.name = name
            self.parts = parts
            self.make = make
        }
    }

    private static func entry(_ text: String) -> @Sendable (TestServer, String) throws -> Void {
        { try $0.write(text, to: $1) }
    }

    /// A bundle of some bytes that an entry file names.
    private static func bundle(_ change: @escaping @Sendable (inout Data) -> Void)
        -> @Sendable (TestServer, String) throws -> Void
    {
        { server, path in
            var data = try Data(contentsOf: URL(fileURLWithPath: Fixture.versionA.path))
            change(&data)
            try data.write(to: URL(fileURLWithPath: path + ".so"))
            try server.write("bundle = \(URL(fileURLWithPath: path).lastPathComponent).so\n", to: path)
        }
    }

    private static let cases: [Case] = [
        Case("missing.wsgi", "SWSGI2001", "does not exist") { _, _ in },
        Case("below.wsgi/x", "SWSGI2001", "does not exist") { server, _ in
            try server.write("x", to: "www/below.wsgi")
        },
        Case("fifo.wsgi", "SWSGI2004", "not a regular file") { _, path in mkfifo(path, 0o666) },
        Case("closed.wsgi", "SWSGI2002", "can't be opened by uid \(TestUser.first.uid)", "Permission denied") {
            try $0.write("bundle = a.so\n", to: $1, mode: 0o600)
        },
        Case("hidden/x.wsgi", "SWSGI1208", "uid 33", "Permission denied") { server, path in
            try server.write("bundle = a.so\n", to: path)
            chmod(URL(fileURLWithPath: path).deletingLastPathComponent().path, 0o700)
        },
        Case("python.wsgi", "SWSGI1205", "this is a Python script", make: entry("import os\napplication = None\n")),
        Case("key.wsgi", "SWSGI2041", "line 1", "'bundel'", make: entry("bundel = a.so\n")),
        Case("empty.wsgi", "SWSGI2010", make: entry("")),
        Case("directory.wsgi", "SWSGI2046", "/nonexistent", make: entry("bundle = a.so\ndirectory = /nonexistent\n")),
        Case("nobundle.wsgi", "SWSGI2001", "bundle", "a.so", make: entry("bundle = a.so\n")),
        Case("nobody.wsgi", "SWSGI2002", "bundle /etc/shadow", make: entry("bundle = /etc/shadow\n")),
        Case("folder.wsgi", "SWSGI2003", "bundle /etc", make: entry("bundle = /etc\n")),
        Case("device.wsgi", "SWSGI2004", "bundle /dev/zero", make: entry("bundle = /dev/zero\n")),
        Case("text.wsgi", "SWSGI2011", "not an ELF", make: bundle { $0 = Data("hello\n".utf8) }),
        Case("cut.wsgi", "SWSGI2015", "cut short", make: bundle { $0 = $0.prefix(1000) }),
        Case("arm.wsgi", "SWSGI2013", "AArch64", make: bundle { $0[18] = 183 }),
        Case("small.wsgi", "SWSGI2012", "64-bit", make: bundle { $0[4] = 1 }),
        Case("program.wsgi", "SWSGI2014", make: entry("bundle = /bin/true\n")),
        Case("data.wsgi", "SWSGI2024", "'application'", "a variable") { server, path in
            try CFixture.compile("int application = 1;\n", to: path + ".so")
            try server.write("bundle = data.wsgi.so\n", to: path)
        },
        Case("open.wsgi", "SWSGI6016", "everybody") { try $0.write("bundle = a.so\n", to: $1, mode: 0o666) },
    ]

    private func alias(_ server: TestServer, _ name: String) -> String {
        "WSGIScriptAlias /\(name) \(server.www)/\(name) process-group=one\n"
    }

    /// C25 and C26, and B1 to B17 as far as a look can tell.
    @Test func c25_c26_fileThatCanNotBeUsed_isNamed_withItsDirectivesLine() throws {
        try withServer { server in
            var lines = ""
            for item in Self.cases {
                try item.make(server, "\(server.www)/\(item.name)")
                lines += alias(server, item.name)
            }
            // What is well is not mentioned: a directory of entry files, a bundle, and an entry file of a bundle.
            let good = try server.deploy(.versionA, as: "good")
            lines += "WSGIScriptAlias /good \(good) process-group=one\n"
            lines += "WSGIScriptAlias /bundle \(server.www)/good/good.so process-group=one\n"
            lines += "WSGIScriptAlias /all \(server.www)/good process-group=one\n"
            try server.configure(
                groups + lines + "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
            )
            let result = try server.signal("configtest")
            #expect(result.status == 0, "\(result.errors)")
            let found = result.errors.split(separator: "\n").filter { $0.contains("[wsgi:warn]") }
            let text = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
            let written = text.split(separator: "\n", omittingEmptySubsequences: false)
            for item in Self.cases {
                let line = (written.firstIndex { $0.contains("/\(item.name) process-group") } ?? -1) + 1
                let place = "\(server.configurationFile):\(line): "
                let own = found.filter { $0.contains(place) }
                #expect(own.count == 1, "\(item.name): \(result.errors)")
                for part in item.parts {
                    #expect(own.first?.contains(part) == true, "\(item.name), \(part): \(own)")
                }
                if item.parts[0] != "SWSGI1208" {
                    #expect(own.first?.contains("SWSGI1019") == true && own.first?.contains("'one'") == true)
                }
            }
            #expect(found.count == Self.cases.count, "\(result.errors)")
            #expect(result.errors.hasSuffix("Syntax OK\n"))
        }
    }

    /// Bundle.module ends the process when it finds nothing: SwiftPM's code for it, as it stands in a bundle.
    @Test func resourcesThatBundleModuleWouldNotFind_areNamed_inBothModes() throws {
        try withServer { server in
            server.announce("SWSGI1019")
            for (name, place) in [("lost", "/nonexistent/build"), ("found", server.www)] {
                try FileManager.default.createDirectory(
                    atPath: "\(server.www)/\(name)_App.resources",
                    withIntermediateDirectories: true
                )
                let texts = """
                    const char *const words[] = {"could not load resource bundle: from ", "\(place)/\(name)_App.resources"};
                    """
                try CFixture.compile(CFixture.answering("words[0]", before: texts), to: "\(server.www)/\(name).so")
            }
            try server.start(
                groups
                    + ["lost", "found"].map { name in
                        """
                        WSGIScriptAlias /\(name) \(server.www)/\(name).so process-group=one application-group=%{GLOBAL}
                        WSGIScriptAlias /embedded-\(name) \(server.www)/\(name).so process-group=%{GLOBAL} application-group=%{GLOBAL}

                        """
                    }.joined()
                    + "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
            )
            for mode in ["'one'", "embedded mode"] {
                try server.logs.waitForLine(
                    "SWSGI1019",
                    mode,
                    "SWSGI2047",
                    "lost.so",
                    "/nonexistent/build/lost_App.resources"
                )
            }
            #expect(server.logs.lines(containing: "SWSGI2047", "found.so").isEmpty)
            #expect(try server.get("/lost").status == 200)
        }
    }

    /// The line that daemon processes write themselves is not written twice; httpd serves what is well.
    @Test func start_saysTheSame_butNotWhatProcessesReport() throws {
        try withServer { server in
            server.announce("SWSGI1019", "SWSGI2041", "SWSGI4028")
            try server.write("bundel = a.so\n", to: "www/loaded.wsgi")
            try server.write("bundel = a.so\n", to: "www/later.wsgi")
            // Nobody opens its other end: who would wait for that, would wait for ever.
            mkfifo("\(server.www)/fifo.wsgi", 0o666)
            let good = try server.deploy(.versionA, as: "good")
            try server.start(
                groups
                    + "WSGIScriptAlias /loaded \(server.www)/loaded.wsgi process-group=one application-group=%{GLOBAL}\n"
                    + alias(server, "later.wsgi") + alias(server, "fifo.wsgi")
                    + "WSGIScriptAlias /good \(good) process-group=one\n"
                    + "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
            )
            try server.logs.waitForLine("SWSGI1019", "'one'", "SWSGI2041", "later.wsgi", "line 1", "'bundel'")
            try server.logs.waitForLine("SWSGI1019", "SWSGI2004", "fifo.wsgi")
            try server.logs.waitForLine("SWSGI2041", "[group one]", "loaded.wsgi")
            #expect(try server.get("/good").text == "version A\n")
            #expect(server.logs.lines(containing: "SWSGI1019", "loaded.wsgi").isEmpty)
            // And a graceful restart looks again.
            try server.write("bundle = nothing.so\n", to: "www/later.wsgi")
            try server.graceful()
            try server.logs.waitForLine("SWSGI1019", "SWSGI2001", "nothing.so")
        }
    }

    /// A jail's paths are those from inside; supplementary groups count.
    @Test func file_isSeenAsTheUserSeesIt() throws {
        try withServer { server in
            let jail = "\(server.directory)/jail"
            try server.write("bundle = /app/x.so\n", to: "jail/app/x.wsgi")
            try server.copy(Fixture.versionA.path, to: "\(jail)/app/x.so")
            // Absolute links lead to places inside.
            symlink("/app/x.wsgi", "\(jail)/app/link.wsgi")
            try server.write("bundle = \(server.www)/good/good.so\n", to: "jail/app/outside.wsgi")
            let good = try server.deploy(.versionA, as: "good")
            chmod(good, 0o640)
            chown(good, 0, gid_t(TestUser.extraGroupID))
            let names = ["x.wsgi", "link.wsgi", "outside.wsgi"]
            try server.configure(
                "WSGIDaemonProcess one user=\(user.name) group=\(user.name)\n"
                    + "WSGIDaemonProcess two user=\(user.name) group=\(user.name) supplementary-groups=#77\n"
                    + "WSGIDaemonProcess jailed user=\(user.name) group=\(user.name) chroot=\(jail)\n"
                    + "WSGIScriptAlias /one \(good) process-group=one\n"
                    + "WSGIScriptAlias /two \(good) process-group=two\n"
                    + names.map { "WSGIScriptAlias /\($0) \(jail)/app/\($0) process-group=jailed\n" }.joined()
            )
            let errors = try server.signal("configtest").errors
            let found = errors.split(separator: "\n").filter { $0.contains("SWSGI1019") }
            #expect(found.count == 3, "\(errors)")
            #expect(found.contains { $0.contains("'two'") && $0.contains("SWSGI2002") }, "\(errors)")
            #expect(
                found.contains { $0.contains("\(jail)") && $0.contains("\(server.www)/good/good.so does not exist") }
            )
            // httpd's children follow the same link outside of the jail, where it leads nowhere.
            #expect(found.contains { $0.contains("app/link.wsgi does not exist") }, "\(errors)")
        }
    }

    /// C13, C14, C20, C29, C30, C31, C32, C35: doubtful, and said with file and line.
    @Test func doubtfulSettings_areNamed_andHttpdStartsAllTheSame() throws {
        try withServer { server in
            try FileManager.default.createDirectory(
                atPath: "\(server.directory)/mine",
                withIntermediateDirectories: true
            )
            chmod("\(server.directory)/mine", 0o700)
            let head = "user=\(user.name) group=\(user.name)"
            let rows: [(line: String, parts: [String])] = [
                ("WSGIDaemonProcess c13 user=\(user.name) group=shadow", ["SWSGI1200", "'shadow'"]),
                ("WSGIDaemonProcess c14 user=mail group=mail", ["SWSGI1201", "'mail'"]),
                (
                    "WSGIDaemonProcess c20 \(head) home=\(server.directory)/mine",
                    ["SWSGI1206", "/mine", "uid \(user.uid)"]
                ),
                ("WSGITrustedProxies 10.0.0.0/8 0.0.0.0/0", ["SWSGI1202", "0.0.0.0/0"]),
                ("WSGITrustedProxyHeaders X-Real-IP X-Forwarded-For", ["SWSGI1203", "X-Real-IP", "X-Forwarded-For"]),
                ("WSGIDaemonProcess c32 \(head) request-timeout=2min", ["SWSGI1040", "httpd's Timeout, 1min"]),
                (
                    "WSGIDaemonProcess c35 \(head) threads=8 stack-size=64M memory-limit=256M",
                    ["SWSGI1040", "memory-limit"]
                ),
            ]
            try server.configure("LogLevel info\n" + rows.map { $0.line + "\n" }.joined())
            let result = try server.signal("configtest")
            #expect(result.status == 0)
            let text = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
            let written = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let lines = result.errors.split(separator: "\n")
            for row in rows {
                let place = "\(server.configurationFile):\((written.firstIndex(of: row.line) ?? -1) + 1): "
                let own = lines.filter { $0.contains(place) && $0.contains(row.parts[0]) }
                #expect(own.count == 1, "\(row.line): \(result.errors)")
                for part in row.parts { #expect(own.first?.contains(part) == true, "\(part): \(own)") }
            }
            let shared = "process groups 'c13', 'c20', 'c32', 'c35' all run as uid \(user.uid)"
            #expect(lines.contains { $0.contains("SWSGI1125: \(shared)") }, "\(result.errors)")
        }
    }

    /// The check can fail, be missing or be ended: the configuration is tested and httpd started all the same.
    @Test func checkThatCanNotBeMade_isSaid_andKeepsNobodyFromStarting() throws {
        try withServer { server in
            server.announce("SWSGI1207", "SWSGI3005", "SWSGI3003")
            let entry = try server.deploy(.versionA, as: "good")
            try server.configure(groups + "WSGIScriptAlias / \(entry) process-group=one")
            let program = "\(server.library)/swsgid"
            let kept = "\(program).kept"
            rename(program, kept)
            for (text, reason) in [
                ("#!/bin/sh\nexit 3\n", "exited with status 3"),
                ("#!/bin/sh\nkill -ALRM $$\n", "a file system does not answer"),
                ("no program\n", "check: exec"),
            ] {
                unlink(program)
                try server.write(text, to: program, mode: 0o755)
                let result = try server.signal("configtest")
                #expect(result.status == 0)
                #expect(result.errors.contains("SWSGI1207"), "\(result.errors)")
                #expect(result.errors.contains(reason), "\(result.errors)")
            }
            // The same at a start: the check fails, and everything else works.
            unlink(program)
            let script = "#!/bin/sh\n[ \"$1\" != check ] || exit 1\nexec \(kept) \"$@\"\n"
            try server.write(script, to: program, mode: 0o755)
            try server.start(
                groups + "WSGIScriptAlias / \(entry) process-group=one\n"
                    + "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
            )
            try server.logs.waitForLine("SWSGI1207", "exited with status 1")
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func httpdOfAPlainUser_looksAsThatUser() throws {
        try withServer { server in
            server.user = user
            try server.write("bundle = nothing.so\n", to: "www/app.wsgi")
            try server.configure(
                "WSGIDaemonProcess one\nWSGIScriptAlias /x \(server.www)/app.wsgi process-group=one\n"
                    + "WSGIScriptAlias /y /etc/shadow process-group=one"
            )
            let result = try server.signal("configtest")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("SWSGI2001: bundle \(server.www)/nothing.so does not exist"))
            #expect(result.errors.contains("SWSGI2002: entry file /etc/shadow can't be opened by uid \(user.uid)"))
        }
    }

    /// Not called a signal, as its number alone would be.
    @Test func supervisorThatExits_isSaidTo() throws {
        try withServer { server in
            server.announce("SWSGI3002", "SWSGI1211")
            let entry = try server.deploy(.versionA, as: "good")
            let program = "\(server.library)/swsgid"
            rename(program, "\(program).kept")
            let script = "#!/bin/sh\n[ \"$1\" != supervise ] || exit 1\nexec \(program).kept \"$@\"\n"
            try server.write(script, to: program, mode: 0o755)
            try server.start(groups + "WSGIScriptAlias / \(entry) process-group=one")
            try server.logs.waitForLine("the supervisor", "exited with status 1", "starting another one")
        }
    }
}
