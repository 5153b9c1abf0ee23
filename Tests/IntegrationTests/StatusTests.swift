import Foundation
import Testing

/// Every status that a client can see instead of the application's answer, with the line that explains it.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct StatusTests {
    private struct Row {
        let target: String
        let status: Int
        let lines: [String]
        var head: [String] = []
        var body = ""
    }

    private static let rows = [
        // What the client's request is refused for.
        Row(target: "/app/ok", status: 400, lines: [], head: ["Content-Length: x"]),
        Row(target: "/app/read-past-end", status: 408, lines: ["SWSGI4031"], head: ["Content-Length: 9"], body: "12"),
        Row(target: "/small/ok", status: 413, lines: ["SWSGI4051"], head: ["Content-Length: 101"]),
        Row(
            target: "/small/read-past-end",
            status: 413,
            lines: ["SWSGI4031"],
            head: ["Transfer-Encoding: chunked"],
            body: "FF\r\n" + String(repeating: "x", count: 255) + "\r\n0\r\n\r\n"
        ),
        Row(target: "/app/ok", status: 501, lines: ["SWSGI4053"], head: ["Transfer-Encoding: gzip, chunked"]),
        // What the application does.
        Row(target: "/app/throw", status: 500, lines: ["SWSGI4023", "TroubleError: thrown before the head"]),
        Row(target: "/app/no-response", status: 500, lines: ["SWSGI4023", "must be called before response content"]),
        Row(target: "/app/headers?bytes=40000", status: 500, lines: ["SWSGI4063", "limit 32768"]),
        Row(target: "/app/headers?count=1001", status: 500, lines: ["SWSGI4064", "1002 headers"]),
        Row(target: "/broken/x", status: 500, lines: ["SWSGI4028"]),
        Row(target: "/app/exit", status: 502, lines: ["SWSGI4022", "GET /app/exit"]),
        Row(target: "/app/kill9", status: 502, lines: ["SWSGI4022", "GET /app/kill9"]),
        // That nobody has time for it.
        Row(target: "/app/obedient", status: 504, lines: ["SWSGI4021", "no answer within 2s"]),
    ]

    @Test(arguments: ["event", "worker", "prefork"])
    func everyStatus_hasItsLine(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.announceCrashes()
            server.announce("SWSGI40", "SWSGI20", "Exception occurred", "headers are too large", "AH0")
            let app = try server.deploy(.trouble, as: "app")
            let narrow = try server.deploy(.trouble, as: "narrow")
            let queue = try server.deploy(.trouble, as: "queue")
            try server.write("bundle = nosuch.so\n", to: "www/app/broken.wsgi")
            let patient = "socket-timeout=60"
            try server.start(
                "Timeout 2\n"
                    + server.application(
                        narrow,
                        at: "/narrow",
                        group: "narrow",
                        options: "threads=1 listen-backlog=0 \(patient)"
                    )
                    + server.application(
                        queue,
                        at: "/queue",
                        group: "queue",
                        options: "threads=1 queue-timeout=2s \(patient)"
                    )
                    + server.application(app, at: "/app", options: "threads=4 socket-timeout=2")
                    + "WSGIScriptAlias /small \(app) process-group=one application-group=%{GLOBAL}\n"
                    + "WSGIScriptAlias /broken \(server.www)/app/broken.wsgi process-group=one\n"
                    + "<Location /small>\nLimitRequestBody 100\n</Location>\n"
            )
            for row in Self.rows {
                let before = row.lines.first.map { server.logs.lines(containing: $0).count } ?? 0
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead(row.head.isEmpty ? "GET" : "POST", row.target, row.head)
                try connection.send(row.body)
                #expect(try connection.response().status == row.status, "\(row)")
                if let code = row.lines.first { try server.logs.waitForLines(before + 1, code) }
                for text in row.lines { try server.logs.waitForLine(text) }
            }
            try busyGroups_answer503And504(server)
            #expect(try server.get("/app/ok").text == "ok\n")
        }
    }

    private func busyGroups_answer503And504(_ server: TestServer) throws {
        try eventually("nothing at work") { server.daemons.allSatisfy { $0.exchanges == 0 } }
        let (first, second) = (server.hold("first"), server.hold("second"))
        let narrow = Background { try server.get("/narrow\(first.target)").status }
        try eventually("the request at work") { server.daemons.contains { $0.exchanges == 1 } }
        let refused = try server.get("/narrow/ok")
        #expect(refused.status == 503 && refused["Retry-After"] == "1")
        try server.logs.waitForLine("SWSGI4061", "'narrow'")
        first.release()
        #expect(try narrow.value() == 200)
        try eventually("nothing at work") { server.daemons.allSatisfy { $0.exchanges == 0 } }
        let queue = Background { try server.get("/queue\(second.target)").status }
        try eventually("the request at work") { server.daemons.contains { $0.exchanges == 1 } }
        #expect(try server.get("/queue/ok").status == 504)
        try server.logs.waitForLine("SWSGI4062", "within 2s", "/queue/ok")
        second.release()
        #expect(try queue.value() == 200)
    }
}
