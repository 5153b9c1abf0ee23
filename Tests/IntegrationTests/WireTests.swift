import Foundation
import Glibc
import Testing

/// Processes of a tenant that write what they like on their sockets: httpd's children and the supervisor take any bytes.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct WireTests {
    /// What comes of an answer: the status, nil for a response that is visibly cut, and the code of the log line.
    private struct Row: Sendable {
        let name: String
        let answer: HostileAnswer
        let status: Int?
        let code: String?
        var method = "GET"

        init(_ name: String, _ answer: HostileAnswer, _ status: Int?, _ code: String?, method: String = "GET") {
            self.name = name
            self.answer = answer
            self.status = status
            self.code = code
            self.method = method
        }
    }

    private static let complete = HostileAnswer.head([("X-A", "b")]) + .data("Hello") + .end()

    /// A head without fields, for frames that have the form of one.
    private static func fields(status: UInt8) -> [UInt8] {
        [status, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 8)
    }

    private static let rows: [Row] = [
        Row("W6: a frame of no bytes", .head() + .frame(3), 502, "SWSGI5001"),
        Row("W7: a frame of 4 GiB", .frame(2, length: Int(UInt32.max)), 502, "SWSGI5001"),
        Row("W8: headers that are not there", .head(count: 1000), 502, "SWSGI5001"),
        Row("W21: gone at once", "close:-1", 502, "SWSGI4022"),
        Row("W21: gone inside a header", .bytes([3, 0, 0]) + "close:-1", 502, "SWSGI4022"),
        Row("W21: gone inside a head", .frame(2, [200, 0], length: 100) + "close:-1", 502, "SWSGI4022"),
        Row("W21: gone inside the body", .head() + .frame(3, [65], length: 100) + "close:-1", nil, "SWSGI4024"),
        Row("W23: line ends", .bytes(Array("\r\n\r\n\r\n\r\n".utf8)), 502, "SWSGI5001"),
        Row("W23: HTTP", .bytes(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)), 502, "SWSGI5001"),
        Row("W23: noise", .bytes((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }), 502, "SWSGI5001"),
        Row("W24: a frame of httpd's", .frame(65, [1]), 502, "SWSGI5001"),
        Row("W25: a body before the head", .data("Hello"), 502, "SWSGI5002"),
        Row("W25: two heads", .head() + .data("Hello") + .head(), nil, "SWSGI5002"),
        Row("W25: an end without a head", .end(), 502, "SWSGI5002"),
        Row("W25: a retry after the head", .head() + .frame(6, [1]), 502, "SWSGI5002"),
        Row("W25: a flush before the head", .frame(7), 502, "SWSGI5002"),
        Row("W25: an interim response that is none", .frame(9, fields(status: 200)), 502, "SWSGI5001"),
        Row("W25: an interim response after the head", .head() + .frame(9, fields(status: 103)), 502, "SWSGI5002"),
        Row("W25: trailers before the head", .frame(10, fields(status: 0)), 502, "SWSGI5002"),
        Row(
            "W25: trailers twice",
            .head() + .frame(10, fields(status: 0)) + .frame(10, fields(status: 0)),
            502,
            "SWSGI5002"
        ),
        Row("W26: 65535 headers", .head(count: 65_535), 502, "SWSGI5001"),
        Row("W26: a head of more than 256 KiB", .frame(2, length: 256 * 1024 + 1), 502, "SWSGI5001"),
        Row("W27: a line end in a value", .head([("X-A", "b\r\nX-Injected: c")]), 502, "SWSGI5001"),
        Row("W27: a NUL in a value", .head([("X-A", "b\0c")]), 502, "SWSGI5001"),
        Row("W27: a line end in the reason", .head(reason: "OK\r\nX-Injected: c"), 502, "SWSGI5001"),
        Row("W27: a blank in a name", .head([("X A", "b")]), 502, "SWSGI5001"),
        Row("W28: status 0", .head(status: 0), 502, "SWSGI5001"),
        Row("W28: status 103", .head(status: 103), 502, "SWSGI5001"),
        Row("W28: status 600", .head(status: 600), 502, "SWSGI5001"),
        Row("W28: status 65535", .head(status: 65_535), 502, "SWSGI5001"),
        Row("W29: a second Content-Length", .head([("Content-Length", "2")]) + .data("Hello"), 502, "SWSGI5001"),
        Row("W29: a Content-Length below zero", .head(length: -2), 502, "SWSGI5001"),
        Row("W29: less than announced", .head(length: 9) + .data("Hello") + .end(), nil, "SWSGI4025"),
        Row("W29: more than announced", .head(length: 5) + .data("Hello, you") + .end(), 200, "SWSGI4026"),
        Row("W29: chunks", .head([("Transfer-Encoding", "chunked")]) + .data("Hello") + .end(), 200, "SWSGI4029"),
        Row("W30: an unknown outcome", .head() + .data("Hello") + .end(9), nil, "SWSGI5001"),
        Row("W30: an end of two bytes", .head() + .data("Hello") + .frame(4, [0, 0]), nil, "SWSGI5001"),
        Row(
            "W31: no end of a body for HEAD",
            .head() + "for-ever:" + .data("Hello"),
            200,
            "SWSGI4052",
            method: "HEAD"
        ),
        Row("W31: no end after the length", .head(length: 5) + "for-ever:" + .data("Hello"), 200, "SWSGI4052"),
        Row("W32: 100,000 frames of a byte", .head() + "times:100000" + .data("x") + .end(), 200, nil),
        Row(
            "W33: 253 descriptors",
            "descriptors:253" + .head() + .data("Hello") + "descriptors:253" + .end(),
            200,
            nil
        ),
        Row("W33: descriptors with each", "times:300 descriptors:5" + .frame(5, [3, 65]) + complete, 502, "SWSGI5001"),
        Row("W35: a frame that names a file", .frame(7, Array("/etc/shadow".utf8)), 502, "SWSGI5001"),
        Row("W37: a name of a kilobyte", .head([(String(repeating: "n", count: 1000), "v")]) + .end(), 200, nil),
    ]

    private func withHostile(settings: String = "", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(bundle: CFixture.path("intruder"), as: "app")
            let other = try server.deploy(.versionA, as: "other")
            try server.start(
                server.application(other, at: "/other", group: "two")
                    + server.application(entry, options: "processes=1 threads=1") + settings
            )
            try body(server)
        }
    }

    @Test func W6_to_W37_hostileAnswers_costTheirOwnRequestOnly() throws {
        try withHostile { server in
            server.announce("SWSGI5001", "SWSGI5002", "SWSGI4022", "SWSGI4024", "SWSGI4025", "SWSGI4026", "SWSGI4029")
            server.announce("SWSGI4048")
            // Lines of the log frames.
            server.announce("[group one] A")
            #expect(try server.get("/", headers: ["X-Do: answer:"]).text == "ok\n")
            #expect(try server.get("/other").status == 200)
            let children = Set(server.children.map(\.pid))
            let daemons = Set(server.daemons.map(\.pid))
            for row in Self.rows {
                let before = row.code.map { server.logs.lines(containing: $0).count } ?? 0
                let connection = try HTTPConnection(port: server.port, timeout: 30)
                try connection.sendHead(row.method, "/", ["X-Do: \(row.answer.commands)"])
                let response = try? connection.response(to: row.method)
                #expect(response?.status == row.status, "\(row.name)")
                #expect(response?["X-Injected"] == nil && response?["Transfer-Encoding"] != "chunked, chunked")
                if let code = row.code {
                    do { try server.logs.waitForLines(before + 1, code) } catch {
                        Issue.record("\(row.name): \(error)")
                    }
                }
                if row.name.hasPrefix("W29: more") { #expect(response?.text == "Hello") }
                if row.name.hasPrefix("W32") { #expect(response?.body.count == 100_000) }
                #expect(try server.get("/", headers: ["X-Do: answer:"]).text == "ok\n", "after \(row.name)")
            }
            #expect(try server.get("/other").status == 200)
            #expect(children.isSubset(of: server.children.map(\.pid)))
            #expect(Set(server.daemons.map(\.pid)) == daemons)
            try eventually("no descriptor that came with an answer") {
                server.children.allSatisfy { child in child.descriptors.values.count { $0 == "/dev/null" } <= 3 }
            }
        }
    }

    @Test func W22_W31_W34_answersThatDoNotCome_orDoNotEnd_areBounded() throws {
        try withHostile(settings: "Timeout 2\n") { server in
            server.announce("SWSGI4021", "SWSGI4022", "SWSGI4024", "SWSGI4048")
            let children = Set(server.children.map(\.pid))
            #expect(try server.get("/", headers: ["X-Do: sleep:3000"]).status == 504)
            try server.logs.waitForLine("SWSGI4021")

            // A megabyte of request body that nobody reads, and the whole response beside it.
            let answer = HostileAnswer.frame(1, [0, 0, 1, 0]) + Self.complete
            let body = [UInt8](repeating: 120, count: 1 << 20)
            let response = try server.request("POST", "/", headers: ["X-Do: \(answer.commands)"], body: body)
            #expect(response.text == "Hello")

            // A body without an end for a client that doesn't read it.
            let memory = MemoryWatch { server.children }
            let connection = try HTTPConnection(port: server.port)
            let endless = HostileAnswer.head() + "for-ever:" + .data(String(repeating: "x", count: 1000))
            try connection.sendHead("GET", "/", ["X-Do: \(endless.commands)"])
            _ = try connection.readHead()
            #expect(try server.get("/other").status == 200)
            try eventually("the thread is free again") {
                (try? server.get("/", headers: ["X-Do: answer:"]).text) == "ok\n"
            }
            for sample in memory.finish() { #expect(sample.kilobytes < 64 * 1024, "\(sample.name)") }
            #expect(children.isSubset(of: server.children.map(\.pid)))
        }
    }

    @Test func W36_logFrames_forgeNoLine() throws {
        try withHostile { server in
            server.announce("forged", "SWSGI4048")
            let text = "first\n[Sat Nov 21 02:00:00 2026] [core:emerg] [pid 1] forged \u{1b}[31m"
            let answer = HostileAnswer.frame(5, [0] + Array(text.utf8)) + Self.complete
            #expect(try server.get("/", headers: ["X-Do: \(answer.commands)"]).text == "Hello")
            let line = try server.logs.waitForLine("forged")
            #expect(line.module == "wsgi" && line.level == "crit", "\(line)")
            #expect(line.contains(["[group one]", "first\\n[Sat", "\\x1b[31m"]), "\(line)")
            #expect(server.logs.lines.allSatisfy { !$0.text.hasPrefix("[Sat Nov 21 02:00:00 2026]") })
        }
    }

    private static let messages: [(String, HostileAnswer, String)] = [
        ("garbage", .control([255, 1, 2, 3]), "SWSGI3010"),
        ("a partial message", .control([66, 9]), "SWSGI3010"),
        ("a message of the supervisor's", .control([2]), "SWSGI3010"),
        ("too long a message", .control([72, 3] + [0, 0, 2, 0] + [65]), "SWSGI3010"),
        ("a descriptor", "descriptors:3" + .control([65]), "SWSGI3010"),
        ("a closed socket", "close:4", "SWSGI3011"),
    ]

    /// A message says nothing of who sends it (W39): that is what its socket says.
    @Test func W38_W39_W41_W42_hostileMessages_costTheirOwnProcessOnly() throws {
        try withHostile { (server: TestServer) throws in
            server.announce("SWSGI3010", "SWSGI3011", "SWSGI3001", "SWSGI4022", "SWSGI3004", "[group one] A")
            // Processes that last no longer than a request end their group's service for moments.
            server.announce("SWSGI3082", "SWSGI4093")
            let children = Set(server.children.map(\.pid))
            let supervisor = server.supervisors.map(\.pid)
            let daemons = Set(server.daemons.map(\.pid))
            for (name, message, code) in Self.messages {
                let before = server.logs.lines(containing: code).count
                let slow: HostileAnswer = message + "sleep:20000"
                try eventually("the group's service") { try server.get("/", headers: ["X-Do: answer:"]).text == "ok\n" }
                #expect(try server.get("/", headers: ["X-Do: \(slow.commands)"]).status == 502, "\(name)")
                do { try server.logs.waitForLines(before + 1, code) } catch { Issue.record("\(name): \(error)") }
                #expect(try server.get("/other").status == 200)
            }
            try eventually("the group's service") { try server.get("/", headers: ["X-Do: answer:"]).text == "ok\n" }
            // As many messages as it can send, while the other group is served: none of them is a crime.
            let flood: HostileAnswer = "times:20000" + .control([65]) + "answer:"
            let answer = Background { try server.get("/", headers: ["X-Do: \(flood.commands)"]).text }
            for _ in 0..<20 { #expect(try server.get("/other").status == 200) }
            #expect(try answer.value() == "ok\n")
            #expect(server.supervisors.map(\.pid) == supervisor)
            #expect(children.isSubset(of: server.children.map(\.pid)))
            // The other group's is the same.
            #expect(daemons.intersection(server.daemons.map(\.pid)).count == 1)
        }
    }

    @Test func W1_to_W5_W16_to_W20_W40_W43_thereIsNothingToConnectToOrToShare() throws {
        try withHostile { server in
            #expect(try server.get("/", headers: ["X-Do: answer:"]).status == 200)
            let listening = Set(
                ProcessTable.text("/proc/net/unix").split(separator: "\n").compactMap { line -> String? in
                    let fields = line.split(separator: " ")
                    // __SO_ACCEPTCON
                    guard fields.count >= 7, fields[3] == "00010000" else { return nil }
                    return "socket:[\(fields[6])]"
                }
            )
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            for process in [parent] + server.children + server.supervisors + server.daemons {
                #expect(listening.isDisjoint(with: process.descriptors.values), "\(process)")
            }
            let left = try FileManager.default.subpathsOfDirectory(atPath: "\(server.directory)/run")
            for path in left {
                var facts = stat()
                #expect(
                    stat("\(server.directory)/run/\(path)", &facts) == 0 && facts.st_mode & S_IFMT != S_IFSOCK,
                    "\(path)"
                )
            }
            for daemon in server.daemons {
                try eventually("five descriptors") { daemon.hostDescriptors.keys.sorted() == [0, 1, 2, 3, 4] }
                let shared = ProcessTable.text("/proc/\(daemon.pid)/maps").split(separator: "\n").filter {
                    $0.split(separator: " ").dropFirst().first?.hasSuffix("s") == true
                }
                // Of its group alone: numbers of processes.
                #expect(shared.count == 1 && shared.allSatisfy { $0.contains("swsgi-takers") }, "\(shared)")
            }
        }
    }
}
