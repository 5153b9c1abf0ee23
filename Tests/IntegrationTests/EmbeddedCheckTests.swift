import Foundation
import Testing

/// What `apachectl configtest` and a start say of embedded mode, and of the function that a bundle should export.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct EmbeddedCheckTests {
    /// The lines of a configtest, which must pass.
    private func warnings(_ server: TestServer, _ lines: String) throws -> [String] {
        try server.configure(lines)
        let result = try server.signal("configtest")
        #expect(result.status == 0, "\(result.errors)")
        return result.errors.split(separator: "\n").map(String.init).filter { $0.contains("[wsgi:") }
    }

    /// Whose files they are is known, other than for requests that name a process group.
    @Test func c28_entryFileForDaemonProcesses_isNamed_whereHttpdsChildrenRunIt() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "app")
            let texts = [
                (
                    "directory", "directory = .\n", "SWSGI2060: entry file ",
                    "'directory' would change the whole process"
                ),
                ("variable", "environment.KEY = x\n", "SWSGI2060: entry file ", "'environment.KEY'"),
                ("closed", "", "SWSGI2002: entry file ", "uid 33"), ("open", "", "SWSGI6016: entry file ", "everybody"),
            ]
            var lines = ""
            for (name, text, _, _) in texts {
                let mode: mode_t = name == "closed" ? 0o600 : name == "open" ? 0o666 : 0o644
                let path = try server.write("bundle = app.so\n" + text, to: "www/app/\(name).wsgi", mode: mode)
                lines +=
                    "WSGIScriptAlias /\(name) \(path)\nWSGIScriptAlias /maybe-\(name) \(path) process-group=%{ENV:G}\n"
            }
            let found = try warnings(server, lines + "WSGIRestrictProcess one %{GLOBAL}\n")
            for (name, _, code, part) in texts {
                let own = found.filter { $0.contains("/\(name).wsgi") && $0.contains("embedded mode: ") }
                #expect(own.count == 1, "\(name): \(found)")
                for text in ["SWSGI1019", code, part] { #expect(own.first?.contains(text) == true, "\(text): \(own)") }
            }
            #expect(found.count { $0.contains("SWSGI1019") } == texts.count, "\(found)")
        }
    }

    @Test func c28_whatEmbeddedModeWouldRun_isNamed_whereItIsRestricted() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app", entry: ["directory = ."])
            let found = try warnings(
                server,
                """
                WSGIRestrictEmbedded On
                WSGIImportScript \(entry) process-group=%{GLOBAL} application-group=a
                WSGIHandlerScript wsgi-handler \(entry) process-group=%{GLOBAL}
                WSGIScriptAlias / \(entry)
                """
            )
            let parts = [
                ["SWSGI1210", "is not imported"], ["SWSGI1171", "process-group=%{GLOBAL}"],
                ["SWSGI1171", "no process group"],
            ]
            for part in parts {
                #expect(found.count { line in part.allSatisfy { line.contains($0) } } == 1, "\(part): \(found)")
            }
            #expect(!found.contains { $0.contains("SWSGI2060") })
        }
    }

    /// What an embedded application can be told of threads and processes depends on httpd's module alone.
    @Test(arguments: [
        ("event", "at most 4 with 80 threads each: wsgi.multithread is true, wsgi.multiprocess is true"),
        ("prefork", "at most 80 with 1 thread each: wsgi.multithread is false, wsgi.multiprocess is true"),
    ])
    func c39_multiProcessingModule_isSaidToEmbeddedApplications(module: String, text: String) throws {
        try withServer { server in
            server.multiProcessing = module
            let entry = try server.deploy(.facts, as: "app")
            let line = "embedded mode: an entry file runs in httpd's children, \(text)"
            #expect(try warnings(server, server.embedded(entry)).contains { $0.contains(line) })
            let dump = try run(
                Installation.apache,
                ["-d", server.directory, "-f", server.configurationFile, "-t", "-D", "DUMP_WSGI"]
            )
            #expect(dump.output.contains("\n  \(text)\n"), "\(dump.output)")
            try server.start(server.embedded(entry))
            try server.logs.waitForLine("[wsgi:info]", line)
            let group = "WSGIDaemonProcess one user=\(TestUser.first.name)\n"
            let daemon = "WSGIScriptAlias / \(entry) process-group=one\n"
            #expect(try !warnings(server, group + daemon).contains { $0.contains("embedded mode") })
        }
    }

    /// A program of the system's loader would find it in every library that the bundle brings.
    @Test func functionThatABundleDoesNotExport_isNamed_asFarAsTheFileTells() throws {
        try withServer { server in
            let folder = "\(server.www)/app"
            try server.write("", to: "www/app/x")
            let answering = CFixture.answering("\"x\"")
            for style in ["gnu", "sysv"] {
                try CFixture.compile(answering, to: "\(folder)/\(style).so", ["-Wl,--hash-style=\(style)"])
            }
            // All that it has is what a library beside it has.
            try CFixture.compile(answering, to: "\(folder)/libinner.so", ["-Wl,-soname,libinner.so"])
            let link = ["-L", folder, "-Wl,--no-as-needed", "-linner", "-Wl,-rpath,$ORIGIN"]
            try CFixture.compile("int swsgi_outer(void) { return 1; }\n", to: "\(folder)/outer.so", link)
            try server.copy(Fixture.versionA.path, to: "\(folder)/swift.so")
            for name in ["gnu", "sysv", "swift"] {
                try server.write("bundle = \(name).so\nsymbol = create_app\n", to: "\(folder)/\(name).wsgi")
            }
            let group = "WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name)\n"
            func alias(_ name: String, _ options: String = "") -> String {
                "WSGIScriptAlias /\(name)\(options.count) \(folder)/\(name) process-group=one \(options)\n"
            }
            let good = ["gnu.so", "sysv.so", "swift.so", "outer.so"].map { alias($0) }
            let named = ["gnu", "sysv", "swift"].map { alias("\($0).wsgi", "callable-object=application") }
            let unknown = alias("gnu.wsgi", "callable-object=%{ENV:F}")
            let bad =
                ["gnu.wsgi", "sysv.wsgi", "swift.wsgi"].map { alias($0) } + [
                    alias("gnu.so", "callable-object=applicatio")
                ]
            let found = try warnings(server, group + good.joined() + named.joined() + unknown + bad.joined())
            for text in [
                "gnu.so does not export 'create_app'", "sysv.so does not export 'create_app'",
                "swift.so does not export 'create_app'", "gnu.so does not export 'applicatio'",
            ] {
                #expect(found.count { $0.contains("SWSGI2020: bundle \(folder)/\(text)") } == 1, "\(text): \(found)")
            }
            #expect(found.count { $0.contains("SWSGI1019") } == 4, "\(found)")
            // What httpd asks runs in its children, whatever is refused to requests.
            let asked = "WSGIRestrictEmbedded On\n<Location />\nWSGIAccessScript \(folder)/gnu.so\n</Location>\n"
            let lacking = try warnings(server, asked).filter { $0.contains("SWSGI1019") }
            #expect(lacking.count == 1 && lacking[0].contains("embedded mode: SWSGI2020: "), "\(lacking)")
            #expect(lacking.first?.contains("does not export 'allow_access'") == true, "\(lacking)")
            // A function that sections may name is not guessed at.
            let section = "<Location />\nWSGICallableObject create_app\n</Location>\n"
            let guessed = try warnings(server, group + alias("gnu.wsgi") + section)
            #expect(!guessed.contains { $0.contains("SWSGI2020") }, "\(guessed)")
        }
    }
}
