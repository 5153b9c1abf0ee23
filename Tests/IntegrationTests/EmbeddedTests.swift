import Foundation
import Testing

/// Applications in httpd's own children.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct EmbeddedTests {
    static let all = ["event", "worker", "prefork"]
    static let oneChild = "StartServers 1\nServerLimit 1\nMaxRequestWorkers 80\nMaxSpareThreads 80\nMinSpareThreads 1\n"
    private static let counter = """
        #include <stdio.h>
        static const char *count(void) { static int n; static char t[12]; snprintf(t, 12, "%d", ++n); return t; }
        """

    @Test(arguments: Self.all) func requestWithoutAProcessGroup_runsInHttpdsChild(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            let facts = try server.deploy(.facts, as: "facts")
            let echo = try server.deploy(.echo, as: "echo")
            try server.deploy(.trouble, as: "trouble")
            try server.start(
                server.embedded(facts, at: "/facts", inDirectory: "WSGIProcessGroup %{GLOBAL}")
                    + server.embedded(echo, at: "/echo")
                    + server.embedded("\(server.www)/trouble/trouble.wsgi", at: "/trouble")
            )
            try whoServes(server, isThreaded: multiProcessing != "prefork")
            try bodies(server)
            try output(server)
            #expect(server.daemons.isEmpty)
            #expect(server.supervisors.isEmpty)
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            #expect(!parent.mappedFiles.contains { $0.contains("libswift") || $0.hasSuffix("facts.so") })
        }
    }

    private func whoServes(_ server: TestServer, isThreaded: Bool) throws {
        let facts = try server.facts("/facts")
        #expect(server.children.map(\.pid).contains(facts.pid))
        let environ = try server.get("/facts/environ?a=b").text.split(separator: "\n").map(String.init)
        for line in [
            "mod_wsgi.process_group=", "mod_wsgi.application_group=", "SCRIPT_NAME=/facts", "PATH_INFO=/environ",
            "QUERY_STRING=a=b", "wsgi.multithread=\(isThreaded)", "wsgi.multiprocess=true",
            "mod_wsgi.queue_start=0.000000", "mod_wsgi.daemon_start=0.000000",
        ] {
            #expect(environ.contains(line), "\(line) in \(environ)")
        }
    }

    private func bodies(_ server: TestServer) throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 % 253) }
        let echoed = try server.request("POST", "/echo/echo", body: body)
        #expect(echoed.status == 200)
        #expect(echoed.body == body)
        let stream = try server.get("/echo/generate?bytes=3000000")
        #expect(stream.body.count == 3_000_000)
        #expect(try server.request("POST", "/echo/noread", body: body).text == "not read\n")
        let head = try server.request("HEAD", "/trouble/ok")
        #expect(head["Content-Length"] == "3")
        #expect(head.body.isEmpty)
    }

    private func output(_ server: TestServer) throws {
        server.announce("stdout line", "stderr line", "a line at level", "a line through")
        #expect(try server.get("/trouble/stdout").status == 200)
        try server.logs.waitForLine("stdout line one")
        #expect(try server.get("/trouble/stderr").status == 200)
        try server.logs.waitForLine("stderr line two")
        #expect(try server.get("/trouble/log").status == 200)
        try server.logs.waitForLine("[wsgi:warn]", "a line at level warning", "127.0.0.1")
    }

    @Test func applicationGroups_areInstancesOfTheirOwn() throws {
        try withServer { server in
            server.settings = Self.oneChild
            try FileManager.default.createDirectory(atPath: "\(server.www)/app", withIntermediateDirectories: true)
            try CFixture.compile(
                CFixture.answering("count()", before: Self.counter),
                to: "\(server.www)/app/app.so"
            )
            let entry = try server.writeEntry("app", ["bundle = app.so"])
            try server.start(
                ["a", "b"].map { "WSGIScriptAlias /\($0) \(entry) application-group=\($0)\n" }.joined()
                    + "<Directory \(server.www)/app>\nRequire all granted\n</Directory>\n"
            )
            let counts = try ["/a", "/a", "/b"].map { try server.get($0).text }
            #expect(counts == ["1", "2", "1"])
        }
    }

    @Test func directoryAndEnvironment_areRefusedWithTheirNames() throws {
        try withServer { server in
            server.announce("SWSGI2060", "SWSGI4028", "SWSGI1019")
            try server.deploy(.versionA, as: "app")
            let directory = try server.write("bundle = app.so\ndirectory = .\n", to: "www/app/directory.wsgi")
            let variable = try server.write("bundle = app.so\nenvironment.KEY = x\n", to: "www/app/variable.wsgi")
            try server.start(server.embedded(directory, at: "/d") + server.embedded(variable, at: "/v"))
            #expect(try server.get("/d").status == 500)
            try server.logs.waitForLine("SWSGI2060", "'directory'", directory)
            #expect(try server.get("/v").status == 500)
            try server.logs.waitForLine("SWSGI2060", "'environment.KEY'", variable)
            try server.logs.waitForLine("SWSGI4028", "GET /v")
        }
    }

    @Test(arguments: ["event", "prefork"])
    func restrictEmbedded_refusesAndLoadsNothing(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.announce("SWSGI1171", "SWSGI4100")
            server.settings = "WSGIRestrictEmbedded On\n"
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.embedded(entry, options: "process-group=%{GLOBAL} application-group=%{GLOBAL}"))
            try server.logs.waitForLine("SWSGI1171", entry)
            #expect(try server.get("/").status == 500)
            try server.logs.waitForLine("SWSGI4100", entry)
            for child in server.children {
                #expect(!child.mappedFiles.contains { $0.contains("libswift") || $0.hasSuffix("app.so") })
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(server.directory)/run") == ["httpd.pid"])
        }
    }

    @Test func groupThatNothingNames_isWarnedAbout() throws {
        try withServer { server in
            server.announce("SWSGI1170")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start("WSGIDaemonProcess one user=\(TestUser.first.name)\n" + server.embedded(entry))
            try server.logs.waitForLine("SWSGI1170", "'one'", entry)
            #expect(try server.get("/").text == "version A\n")
            #expect(try server.signal("configtest").errors.contains("SWSGI1170"))
        }
    }

    @Test(arguments: ["event", "prefork"]) func preload_happensWhenTheChildStarts(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            let first = try server.deploy(.versionA, as: "first")
            let second = try server.deploy(.versionB, as: "second")
            try server.start(
                server.embedded(first, options: "process-group=%{GLOBAL} application-group=%{GLOBAL}")
                    + "WSGIImportScript \(second) process-group=%{GLOBAL} application-group=other\n"
            )
            for child in try eventually("children", { server.children.isEmpty ? nil : server.children }) {
                try eventually("both bundles in child \(child.pid)") {
                    let names = child.mappedFiles.map { URL(fileURLWithPath: $0).lastPathComponent }
                    return names.contains("first.so") && names.contains("second.so")
                }
            }
            try server.graceful()
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func brokenFirstVersion_isAnswered500_andRepairedByItsNextChange() throws {
        try withServer { server in
            server.announce("SWSGI2001", "SWSGI2", "SWSGI4028")
            server.settings = Self.oneChild
            let entry = try server.deploy(.versionA, as: "app")
            try server.write("bundle = nosuch.so\n", to: entry)
            try server.start(server.embedded(entry))
            #expect(try server.get("/").status == 500)
            try server.logs.waitForLine("SWSGI4028", entry)
            try server.write("bundle = app.so\n", to: entry)
            #expect(try server.get("/").text == "version A\n")
        }
    }
}
