import Foundation
import Testing

/// Everything that an application says stands in its virtual host's error log, with its origin.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct LogTests {
    /// Two virtual hosts by name, each with a group and an error log of its own.
    private func withTwoHosts(_ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.announce(" line ", "through wsgi.errors")
            server.settings = "LogLevel info wsgi:debug\n"
            var hosts = ""
            for (name, user) in [("a", TestUser.first), ("b", TestUser.second)] {
                let entry = try server.deploy(.trouble, as: name)
                hosts += """
                    <VirtualHost 127.0.0.1:\(server.port)>
                    ServerName \(name).example
                    ErrorLog logs/\(name)-error.log
                    \(server.application(entry, group: "group-\(name)", options: "threads=2", user: user))
                    </VirtualHost>

                    """
            }
            try server.start(hosts)
            try body(server)
        }
    }

    private func get(_ server: TestServer, _ host: String, _ path: String) throws -> Int {
        let connection = try HTTPConnection(port: server.port)
        try connection.send("GET \(path) HTTP/1.1\r\nHost: \(host).example\r\n\r\n")
        return try connection.response().status
    }

    /// The line is in this host's log, and in no other.
    private func expect(
        _ server: TestServer,
        _ text: String,
        inLogOf host: String,
        level: String?
    ) throws {
        let line = try server.logs.waitForLine(text, in: "\(host)-error.log")
        if let level { #expect(line.level == level, "\(line)") }
        #expect(server.logs.lines.filter { $0.text.contains(text) && $0.file != "\(host)-error.log" }.isEmpty)
    }

    @Test(arguments: ["a", "b"])
    func errorStream_goesToTheVirtualHostsLogAtItsLevel(host: String) throws {
        try withTwoHosts { server in
            #expect(try get(server, host, "/log") == 200)
            for (level, shown) in [
                ("critical", "crit"), ("error", "error"), ("warning", "warn"), ("notice", "notice"),
                ("info", "info"), ("debug", "debug"),
            ] {
                try expect(server, "a line at level \(level)", inLogOf: host, level: shown)
            }
            try expect(server, "a line through wsgi.errors", inLogOf: host, level: "error")
            let line = try server.logs.waitForLine("a line at level error")
            #expect(line.text.contains("[group group-\(host)] [pid "), "\(line)")
            #expect(server.daemons.contains { line.text.contains("[pid \($0.pid)]") }, "\(line)")
        }
    }

    @Test(arguments: [("/stdout", "stdout", "info"), ("/stderr", "stderr", "error")])
    func standardStreams_areLoggedLineByLineWithTheirOrigin(path: String, stream: String, level: String) throws {
        try withTwoHosts { server in
            #expect(try get(server, "b", path) == 200)
            for text in ["\(stream) line one", "\(stream) line two"] {
                try expect(server, text, inLogOf: "b", level: level)
                let line = try server.logs.waitForLine(text)
                #expect(line.text.contains("group-b"), "\(line)")
                let pids = server.daemons.map { "\($0.pid)" }
                #expect(pids.contains { line.text.contains($0) }, "\(line)")
            }
        }
    }

    @Test func standardOutput_isNotShownAboveItsLevel() throws {
        try withServer { server in
            server.announce("stderr line", "SWSGI3123")
            server.settings = "LogLevel warn\n"
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/stdout").status == 200)
            #expect(try server.get("/stderr").status == 200)
            try server.logs.waitForLine("stderr line two")
            #expect(server.logs.lines(containing: "stdout line").allSatisfy { $0.contains(["SWSGI3123"]) })
        }
    }

    @Test func endOfAProcess_isToldInItsGroupsVirtualHost() throws {
        try withTwoHosts { server in
            server.announce("SWSGI3001", "SWSGI4022")
            #expect(try get(server, "a", "/kill9") == 502)
            try server.logs.waitForLine("SWSGI3001", "group-a", in: "a-error.log")
            try server.logs.waitForLine("SWSGI4022", "GET /kill9", in: "a-error.log")
            #expect(server.logs.lines(of: "b-error.log").filter { $0.code == "SWSGI3001" }.isEmpty)
            #expect(server.logs.lines(of: "error.log").filter { $0.code == "SWSGI3001" }.isEmpty)
        }
    }

    @Test func reload_isToldInItsGroupsVirtualHost() throws {
        try withTwoHosts { server in
            #expect(try get(server, "b", "/ok") == 200)
            server.touch("\(server.www)/b/b.wsgi")
            #expect(try get(server, "b", "/ok") == 200)
            try server.logs.waitForLine("SWSGI3006", "group-b", in: "b-error.log")
            try server.logs.waitForLine("SWSGI3007", "group-b", in: "b-error.log")
            #expect(server.logs.lines(of: "a-error.log").filter { $0.code == "SWSGI3006" }.isEmpty)
        }
    }

    @Test func messages_allHaveAKnownForm() throws {
        try withTwoHosts { server in
            server.announce("SWSGI", "pid ")
            _ = try get(server, "a", "/exit")
            _ = try get(server, "a", "/ok")
            try server.graceful()
            try server.stop()
            for line in server.logs.lines {
                #expect(!line.level.isEmpty, "no head: \(line)")
            }
        }
    }
}
