import Foundation
import Testing

/// Files that can't be served: each has its own message, and nothing else is disturbed.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct BadBundleTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        /// The daemon process's line.
        let code: String
        var status = 500
        var url = "/bad"
        /// Whether httpd itself finds it, before any daemon process.
        var isFoundByHttpd = false
        /// Text of the line besides the code.
        var parts: [String] = []
        /// Lines that may come with it.
        var alsoAllowed: [String] = []
        /// Makes `www/bad/bad.so`, and gives the entry file.
        let make: @Sendable (TestServer) throws -> String
        var testDescription: String { name }
    }

    /// A copy of a good bundle with changed bytes, behind a text entry file.
    private static func patched(_ change: @escaping @Sendable (inout [UInt8]) -> Void)
        -> @Sendable (TestServer) throws -> String
    {
        { server in
            let entry = try server.deploy(.versionA, as: "bad")
            let file = URL(fileURLWithPath: "\(server.www)/bad/bad.so")
            var bytes = [UInt8](try Data(contentsOf: file))
            change(&bytes)
            try Data(bytes).write(to: file)
            return entry
        }
    }

    private static func inC(_ name: String) -> @Sendable (TestServer) throws -> String {
        { server in try server.deploy(bundle: CFixture.path(name), as: "bad") }
    }

    /// Table 3D of the faults: before and during loading.
    static let table: [Bad] = files + images + functions

    private static let files: [Bad] = [
        Bad(
            name: "entry file missing",
            code: "SWSGI4002",
            status: 404,
            isFoundByHttpd: true,
            alsoAllowed: ["SWSGI1019", "SWSGI2001"]
        ) {
            server in
            try server.deploy(.versionA, as: "bad")
            return "\(server.www)/bad/nothere.wsgi"
        },
        Bad(
            name: "entry file is a directory",
            code: "SWSGI4003",
            status: 403,
            url: "/bad/",
            isFoundByHttpd: true,
            alsoAllowed: ["SWSGI1019", "SWSGI2003"]
        ) { server in
            try server.deploy(.versionA, as: "bad")
            try server.write("", to: "www/bad/folder/file")
            return "\(server.www)/bad/folder"
        },
        Bad(name: "entry file unreadable", code: "SWSGI2002", alsoAllowed: ["SWSGI1019"]) { server in
            let entry = try server.deploy(.versionA, as: "bad")
            chmod(entry, 0o600)
            return entry
        },
        Bad(name: "bundle missing", code: "SWSGI2001", parts: ["gone.so"]) { server in
            try server.deploy(.versionA, as: "bad")
            return try server.writeEntry("bad", ["bundle = gone.so"])
        },
        Bad(name: "bundle unreadable", code: "SWSGI2002", parts: ["bad.so"]) { server in
            let entry = try server.deploy(.versionA, as: "bad")
            chmod("\(server.www)/bad/bad.so", 0o600)
            return entry
        },
        Bad(name: "bundle is a directory", code: "SWSGI2003") { server in
            try server.write("", to: "www/bad/folder/file")
            return try server.writeEntry("bad", ["bundle = folder"])
        },
        Bad(name: "bundle is a FIFO", code: "SWSGI2004") { server in
            let entry = try server.writeEntry("bad", ["bundle = pipe"])
            mkfifo("\(server.www)/bad/pipe", 0o666)
            return entry
        },
        Bad(name: "bundle is a device", code: "SWSGI2004") { server in
            try server.writeEntry("bad", ["bundle = /dev/zero"])
        },
    ]

    private static let images: [Bad] = [
        Bad(name: "empty", code: "SWSGI2010", make: patched { $0 = [] }),
        Bad(name: "not ELF", code: "SWSGI2011", make: patched { $0 = Array("#!/bin/sh\necho\n".utf8) }),
        Bad(name: "32-bit", code: "SWSGI2012", make: patched { $0[4] = 1 }),
        Bad(name: "big-endian", code: "SWSGI2012", make: patched { $0[5] = 2 }),
        Bad(name: "AArch64", code: "SWSGI2013", parts: ["AArch64"], make: patched { $0[18] = 183 }),
        Bad(name: "another system", code: "SWSGI2032", parts: ["ABI"], make: patched { $0[7] = 9 }),
        Bad(name: "executable", code: "SWSGI2014") { server in
            let entry = try server.deploy(bundle: "/bin/true", as: "bad")
            return entry
        },
        Bad(name: "truncated to 40 bytes", code: "SWSGI2015", make: patched { $0 = Array($0.prefix(40)) }),
        Bad(name: "truncated to 1000 bytes", code: "SWSGI2015", make: patched { $0 = Array($0.prefix(1000)) }),
        Bad(name: "truncated to a half", code: "SWSGI2015", make: patched { $0 = Array($0.prefix($0.count / 2)) }),
        Bad(name: "truncated by its tail", code: "SWSGI2015", make: patched { $0.removeLast(100) }),
        Bad(name: "other machine, as the entry file itself", code: "SWSGI2013") { server in
            _ = try patched { $0[18] = 183 }(server)
            return "\(server.www)/bad/bad.so"
        },
    ]

    private static let functions: [Bad] = [
        Bad(name: "without the symbol", code: "SWSGI2020", parts: ["application"], make: inC("no_symbol")),
        Bad(name: "symbol of the entry file missing", code: "SWSGI2020", parts: ["create_app"]) { server in
            try server.deploy(.versionA, as: "bad", entry: ["symbol = create_app"])
        },
        Bad(name: "ABI too new", code: "SWSGI2022", parts: ["99"], make: inC("abi_new")),
        Bad(name: "refuses", code: "SWSGI2023", alsoAllowed: ["the fixture refuses to serve"], make: inC("refuses")),
        Bad(
            name: "undefined symbol",
            code: "SWSGI2030",
            parts: ["swsgi_fixture_missing"],
            make: inC("undefined")
        ),
        Bad(name: "missing library", code: "SWSGI2031", parts: ["libswsgigone.so: not found in"]) { server in
            try server.write("", to: "www/bad/x")
            let folder = "\(server.www)/bad"
            try CFixture.compile("int swsgi_gone(void) { return 1; }\n", to: "\(folder)/libswsgigone.so")
            try CFixture.compile(
                CFixture.answering("swsgi_gone() ? \"x\" : \"y\"", before: "int swsgi_gone(void);"),
                to: "\(folder)/bad.so",
                ["-L", folder, "-lswsgigone", "-Wl,-rpath,$ORIGIN/lib"]
            )
            unlink("\(folder)/libswsgigone.so")
            return try server.writeEntry("bad", ["bundle = bad.so"])
        },
        // The loader says of both that there is no such file.
        Bad(name: "library in a closed directory", code: "SWSGI2036", parts: ["Permission denied", "uid "]) { server in
            let folder = "\(server.www)/toolchain"
            try server.write("", to: "\(folder)/x")
            try server.write("", to: "www/bad/x")
            try CFixture.compile("int swsgi_hidden(void) { return 1; }\n", to: "\(folder)/libswiftHidden.so")
            try CFixture.compile(
                CFixture.answering("swsgi_hidden() ? \"x\" : \"y\"", before: "int swsgi_hidden(void);"),
                to: "\(server.www)/bad/bad.so",
                ["-L", folder, "-lswiftHidden", "-Wl,-rpath,\(folder)"]
            )
            chmod(folder, 0o700)
            return try server.writeEntry("bad", ["bundle = bad.so"])
        },
        Bad(name: "application is a variable", code: "SWSGI2024", parts: ["'application'", "variable"]) { server in
            try server.write("", to: "www/bad/x")
            try CFixture.compile("int application = 1;\n", to: "\(server.www)/bad/bad.so")
            return try server.writeEntry("bad", ["bundle = bad.so"])
        },
        Bad(name: "table too small", code: "SWSGI2021") { server in
            try server.write("", to: "www/bad/x")
            try CFixture.compile(
                """
                #include "swsgi.h"
                const swsgi_application *application(const swsgi_host *host) {
                    static const swsgi_application table = {.abi_version = SWSGI_ABI_VERSION, .size = 8};
                    (void)host;
                    return &table;
                }
                """,
                to: "\(server.www)/bad/bad.so"
            )
            return try server.writeEntry("bad", ["bundle = bad.so"])
        },
    ]

    @Test(arguments: table)
    func badFile_hasItsOwnMessageAndDisturbsNobody(bad: Bad) throws {
        try withServer { server in
            for text in [bad.code, "SWSGI4028"] + bad.alsoAllowed { server.announce(text) }
            try startWithNeighbours(server, bad: try bad.make(server))
            for _ in 0..<2 {
                #expect(try server.get(bad.url).status == bad.status)
                try expectNeighboursServe(server)
            }
            let line = try server.logs.waitForLine(bad.code)
            for part in bad.parts { #expect(line.text.contains(part), "\(line)") }
            if !bad.isFoundByHttpd { try server.logs.waitForLine("SWSGI4028", "/bad/") }
            try server.graceful()
            #expect(try server.get(bad.url).status == bad.status)
            try expectNeighboursServe(server)
        }
    }

    private static let ending: [Bad] = [
        Bad(name: "initialiser that crashes", code: "SWSGI2033", parts: ["SIGABRT"], make: inC("init_crash")),
        Bad(name: "application that crashes", code: "SWSGI2033", parts: ["SIGABRT"], make: inC("app_crash")),
        Bad(name: "initialiser that calls exit", code: "SWSGI2034", make: inC("init_exit")),
        Bad(name: "application that calls exit", code: "SWSGI2034", make: inC("app_exit")),
        Bad(name: "initialiser that hangs", code: "SWSGI2035", make: inC("init_hang")),
    ]

    /// It ends its process, perhaps with requests of the good application of the same group in it: one crash is allowed
    /// to cost those, but the application is not tried again until its entry file changes.
    @Test(arguments: ending)
    func bundleThatEndsItsProcess_isTriedOnceAndDisturbsNobody(bad: Bad) throws {
        try withServer { server in
            for text in [bad.code, "SWSGI4028", "SWSGI3001", "SWSGI4022", "SWSGI3009"] { server.announce(text) }
            server.announce("[group one]")
            let entry = try bad.make(server)
            try startWithNeighbours(server, bad: entry, options: "processes=2 threads=2 startup-timeout=2")
            let first = try server.get("/bad").status
            #expect(first == 500 || first == 502)
            try server.logs.waitForLine(bad.code, "bad", within: 30)
            try eventually("a 500 of the poisoned application") { try server.get("/bad").status == 500 }
            let tries = server.logs.lines(containing: bad.code).count
            for _ in 0..<5 {
                #expect(try server.get("/bad").status == 500)
                try expectNeighboursServe(server)
            }
            #expect(server.logs.lines(containing: bad.code).count <= tries + 1)
            // Both processes may meet it at once; no later one does.
            #expect(server.logs.lines(containing: "SWSGI3001", "while it loaded").count <= 2)
            for part in bad.parts { try server.logs.waitForLine(bad.code, part) }

            try server.copy(Fixture.versionB.path, to: "\(server.www)/bad/bad.so")
            server.touch(entry)
            try eventually("the mended application's answer") { try server.get("/bad").text == "version B\n" }
            try expectNeighboursServe(server)
        }
    }

    private func startWithNeighbours(_ server: TestServer, bad: String, options: String = "threads=2") throws {
        let good = try server.deploy(.versionA, as: "good")
        let other = try server.deploy(.facts, as: "other")
        try server.start(
            """
            WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) \(options)
            WSGIDaemonProcess two user=\(TestUser.second.name) group=\(TestUser.second.name) threads=2
            WSGIScriptAlias /bad \(bad)
            WSGIScriptAlias /good \(good)
            WSGIScriptAlias /other \(other)
            WSGIApplicationGroup %{GLOBAL}
            WSGIProcessGroup one
            <Directory \(server.www)>
                Require all granted
            </Directory>
            <Directory \(server.www)/other>
                WSGIProcessGroup two
            </Directory>
            """
        )
    }

    private func expectNeighboursServe(_ server: TestServer) throws {
        #expect(try server.get("/good").text == "version A\n")
        #expect(try server.facts("/other")["uid"] == "\(TestUser.second.uid)")
    }
}
