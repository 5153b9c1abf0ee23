import Foundation
import Testing

/// What an entry file can say, and what is said of one that says something wrong.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct EntryFileTests {
    /// Serves this entry file's application, and hands over the answer at /.
    private func withEntry(
        _ lines: [String],
        announcing: [String] = [],
        _ prepare: (TestServer) throws -> Void = { _ in },
        _ body: (TestServer, HTTPResponse) throws -> Void
    ) throws {
        try withServer { server in
            for text in announcing { server.announce(text) }
            try server.deploy(.facts, as: "app")
            try prepare(server)
            let entry = try server.writeEntry("app", lines)
            try server.start(server.application(entry))
            try body(server, try server.get("/"))
        }
    }

    @Test func comments_blankLinesAndSpacesAreSkipped() throws {
        try withEntry(["# a comment", "", "   bundle   =   app.so   ", "\t# another"]) { _, response in
            #expect(response.status == 200)
        }
    }

    @Test func lineEndsOfWindows_areLineEnds() throws {
        try withEntry(["# a comment\r", "bundle = app.so\r", "\r", "directory = .\r"]) { server, response in
            #expect(response.status == 200)
            #expect(Facts(response)["cwd"] == "\(server.www)/app")
        }
    }

    @Test func bundle_byAbsolutePathServes() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "elsewhere")
            let entry = try server.writeEntry("app", ["bundle = \(server.www)/elsewhere/elsewhere.so"])
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func bundle_byRelativePathWithFoldersServes() throws {
        try withServer { server in
            try FileManager.default.createDirectory(
                atPath: "\(server.www)/app/build/release",
                withIntermediateDirectories: true
            )
            try server.copy(Fixture.versionA.path, to: "\(server.www)/app/build/release/app.so")
            let entry = try server.writeEntry("app", ["bundle = build/release/app.so"])
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func bundle_asTheEntryFileItselfServes() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "app")
            try server.start(server.application("\(server.www)/app/app.so"))
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func bundle_throughSymbolicLinkServes() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "real")
            try FileManager.default.createDirectory(atPath: "\(server.www)/app", withIntermediateDirectories: true)
            let link = "\(server.www)/app/app.so"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../real/real.so")
            try server.start(server.application(link, inDirectory: "Options FollowSymLinks"))
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func bundleInC_writtenAgainstTheHeaderAloneServes() throws {
        try withServer { server in
            let entry = try server.deploy(bundle: CFixture.path("plain"), as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "Hello from C!\n")
            let body = Array("some bytes".utf8)
            #expect(try server.request("POST", "/echo", body: body).body == body)
        }
    }

    @Test func symbol_choosesTheFunction() throws {
        try withServer { server in
            try server.write("", to: "www/app/x")
            try CFixture.compile(
                CFixture.answering("\"other\\n\"", symbol: "create_app"),
                to: "\(server.www)/app/app.so"
            )
            let entry = try server.writeEntry("app", ["bundle = app.so", "symbol = create_app"])
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "other\n")
        }
    }

    @Test func directory_isTheWorkingDirectoryRelativeToTheEntryFile() throws {
        try withEntry(["bundle = app.so", "directory = ."]) { server, response in
            #expect(Facts(response)["cwd"] == "\(server.www)/app")
        }
    }

    @Test func environment_isTheProcesss() throws {
        let lines = ["bundle = app.so", "environment.GREETING = hello = world", "environment.EMPTY ="]
        try withEntry(lines) { _, response in
            #expect(Facts(response)["env.GREETING"] == "hello = world")
            #expect(Facts(response)["env.EMPTY"]?.isEmpty == true)
        }
    }

    /// Without a run path, and with the one that SwiftPM writes.
    @Test(arguments: [[], ["-Wl,-rpath,$ORIGIN"]])
    func libraryPath_isWhereLibrariesAreFound(options: [String]) throws {
        try withServer { server in
            try buildWithLibrary(server, libraryFolder: "libs", options: options)
            let entry = try server.writeEntry("app", ["bundle = app.so", "library-path = nowhere:libs"])
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "from the library\n")
        }
    }

    @Test func library_besideTheBundleIsFoundThroughOrigin() throws {
        try withServer { server in
            try buildWithLibrary(server, libraryFolder: ".", options: ["-Wl,-rpath,$ORIGIN"])
            let entry = try server.writeEntry("app", ["bundle = app.so"])
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "from the library\n")
        }
    }

    @Test func library_belowTheBundleIsFoundThroughOrigin() throws {
        try withServer { server in
            try buildWithLibrary(server, libraryFolder: "lib", options: ["-Wl,-rpath,$ORIGIN/lib"])
            let entry = try server.writeEntry("app", ["bundle = app.so"])
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "from the library\n")
        }
    }

    private func buildWithLibrary(_ server: TestServer, libraryFolder: String, options: [String]) throws {
        let app = "\(server.www)/app"
        let folder = libraryFolder == "." ? app : "\(app)/\(libraryFolder)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try CFixture.compile(
            "const char *swsgi_test_text(void) { return \"from the library\\n\"; }\n",
            to: "\(folder)/libswsgitest.so",
            // The loader knows a library that is loaded by path under its soname only.
            options.isEmpty ? ["-Wl,-soname,libswsgitest.so"] : []
        )
        try CFixture.compile(
            CFixture.answering("swsgi_test_text()", before: "const char *swsgi_test_text(void);"),
            to: "\(app)/app.so",
            ["-L", folder, "-lswsgitest"] + options
        )
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let name: String
        let lines: [String]
        let code: String
        let parts: [String]
        var testDescription: String { name }
    }

    static let mistakes: [Mistake] = [
        Mistake(
            name: "no equals sign",
            lines: ["bundle app.so"],
            code: "SWSGI2040",
            parts: ["line 1", "bundle app.so"]
        ),
        Mistake(
            name: "unknown key",
            lines: ["bundle = app.so", "", "bundel = app.so"],
            code: "SWSGI2041",
            parts: ["line 3", "'bundel'"]
        ),
        Mistake(
            name: "key twice",
            lines: ["bundle = app.so", "bundle = other.so"],
            code: "SWSGI2042",
            parts: ["line 2", "'bundle'"]
        ),
        Mistake(name: "no value", lines: ["bundle ="], code: "SWSGI2043", parts: ["line 1"]),
        Mistake(
            name: "symbol that is none",
            lines: ["bundle = app.so", "symbol = a-b"],
            code: "SWSGI2043",
            parts: ["line 2", "a-b"]
        ),
        Mistake(
            name: "variable name that is none",
            lines: ["bundle = app.so", "environment.1X = y"],
            code: "SWSGI2043",
            parts: ["line 2"]
        ),
        Mistake(name: "no bundle", lines: ["# nothing"], code: "SWSGI2044", parts: ["bundle"]),
        Mistake(
            name: "directory that is missing",
            lines: ["bundle = app.so", "directory = nowhere"],
            code: "SWSGI2046",
            parts: ["nowhere"]
        ),
    ]

    @Test(arguments: mistakes)
    func mistake_isNamedWithFileAndLine(mistake: Mistake) throws {
        try withEntry(mistake.lines, announcing: [mistake.code, "SWSGI4028"]) { server, response in
            #expect(response.status == 500)
            let line = try server.logs.waitForLine(mistake.code)
            #expect(line.text.contains("\(server.www)/app/app.wsgi") || line.text.contains("\(server.www)/app/nowhere"))
            for part in mistake.parts { #expect(line.text.contains(part), "\(line)") }
            try server.logs.waitForLine("SWSGI4028", "app.wsgi")
        }
    }

    @Test(arguments: [false, true])
    func notText_isNamed(large: Bool) throws {
        try withServer { server in
            server.announce("SWSGI2045", "SWSGI4028")
            try server.deploy(.facts, as: "app")
            let text = large ? "bundle = app.so\n" + String(repeating: "# long\n", count: 10_000) : "bundle = a\0b"
            let entry = try server.write(text, to: "www/app/app.wsgi")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 500)
            try server.logs.waitForLine("SWSGI2045", "app.wsgi")
        }
    }

    @Test func mendedEntryFile_isServedWithoutRestart() throws {
        try withEntry(["bundle app.so"], announcing: ["SWSGI2040", "SWSGI4028"]) { server, response in
            #expect(response.status == 500)
            try server.writeEntry("app", ["bundle = app.so", "# mended"])
            try eventually("an answer of the mended application") { try server.get("/").status == 200 }
        }
    }
}
