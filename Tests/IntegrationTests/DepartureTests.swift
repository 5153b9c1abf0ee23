import Foundation
import Testing

/// A client that leaves has status 499 in the access log, however that shows: in daemon processes and in httpd's children.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct DepartureTests {
    enum Mode: CaseIterable { case daemon, embedded }
    enum Parting: CaseIterable { case close, reset }

    static let ways = Mode.allCases.flatMap { mode in Parting.allCases.map { (mode, $0) } }

    private func withEcho(_ mode: Mode, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(mode == .daemon ? server.application(entry) : server.embedded(entry))
            try body(server)
        }
    }

    private func leave(_ connection: HTTPConnection, _ parting: Parting) {
        switch parting {
        case .close: connection.finishSending()
        case .reset: connection.reset()
        }
    }

    /// The status of a request in the access log, when it is there.
    private func status(of target: String, _ server: TestServer) throws -> Int {
        try eventually("\(target) in the access log") {
            try line(of: target, server).flatMap { line in Int(line.prefix { $0 != " " }) }
        }
    }

    private func hasLine(_ target: String, _ server: TestServer) throws -> Bool { try line(of: target, server) != nil }

    private func line(of target: String, _ server: TestServer) throws -> Substring? {
        let log = try String(contentsOfFile: server.directory + "/logs/access.log", encoding: .utf8)
        return log.split(separator: "\n").first { $0.contains(" \(target) ") }
    }

    /// The application stops by `checkCancellation()`, by an error of its own, or returns, before the response has begun or later.
    @Test(arguments: ways)
    func clientThatLeaves_is499_howeverTheApplicationStops(_ mode: Mode, _ parting: Parting) throws {
        try withEcho(mode) { server in
            for target in ["/patient?check=1", "/patient", "/patient?begun=1", "/patient?begun=1&quiet=1"] {
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead("GET", target)
                if target.contains("begun") {
                    #expect(try connection.readHead().status == 200)
                } else {
                    try server.logs.waitForLine("waits for its client at \(target)")
                }
                leave(connection, parting)
                #expect(try status(of: target, server) == 499, "\(target)")
            }
            #expect(server.logs.lines(containing: "Exception").isEmpty)
            #expect(server.logs.lines(containing: "SWSGI4025").isEmpty)
            #expect(try server.get("/noread").status == 200)
        }
    }

    @Test(arguments: Mode.allCases) func clientThatTakesNoMore_is499(_ mode: Mode) throws {
        try withEcho(mode) { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/generate?bytes=1000000000")
            #expect(try connection.readHead().status == 200)
            connection.reset()
            #expect(try status(of: "/generate?bytes=1000000000", server) == 499)
        }
    }

    @Test(arguments: Mode.allCases) func clientThatLeavesInItsUpload_is499(_ mode: Mode) throws {
        try withEcho(mode) { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/count", ["Content-Length: 1000"])
            try connection.send("some")
            letPass(0.3)
            connection.reset()
            #expect(try status(of: "/count", server) == 499)
        }
    }

    /// What the client has had whole keeps its status.
    @Test(arguments: Mode.allCases) func answeredClientThatLeaves_keepsItsStatus(_ mode: Mode) throws {
        try withEcho(mode) { server in
            let connection = try HTTPConnection(port: server.port)
            let target = "/patient?tagged=1"
            try connection.sendHead("GET", target, ["If-None-Match: \"tag\""])
            #expect(try connection.readHead().status == 304)
            // The application is still at work: the answer has not waited for it.
            #expect(!(try hasLine(target, server)))
            connection.reset()
            #expect(try status(of: target, server) == 304)
        }
    }

    @Test func clientThatLeavesBeforeThereIsRoom_is499() throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, options: "threads=1 listen-backlog=0 connect-timeout=60"))
            let hold = server.hold(at: "/stubborn")
            let first = try HTTPConnection(port: server.port)
            try first.sendHead("GET", hold.target)
            try eventually("the request at work") { server.daemons.contains { $0.exchanges == 1 } }
            let second = try HTTPConnection(port: server.port)
            try second.sendHead("GET", "/noread")
            letPass(0.3)
            second.reset()
            #expect(try status(of: "/noread", server) == 499)
            #expect(server.logs.lines(containing: "SWSGI4092").isEmpty)
            hold.release()
            #expect(try first.response().text == "stubborn\n")
        }
    }

    @Test(arguments: ["", "process-group=asked"], Parting.allCases)
    func clientThatLeavesWhileAScriptIsAsked_is499(_ place: String, _ parting: Parting) throws {
        try withServer { server in
            let script = try server.deploy(.scripts, as: "scripts")
            try server.write("served\n", to: "htdocs/access/file")
            try server.start(
                """
                WSGIDaemonProcess asked user=\(TestUser.first.name) group=\(TestUser.first.name) threads=4
                <Directory \(server.www)/scripts>
                    Require all granted
                </Directory>
                <Location /access>
                    WSGIAccessScript \(script) \(place)
                </Location>

                """
            )
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/access/file", ["X-Access: patient"])
            try server.logs.waitForLine("waits for its client")
            leave(connection, parting)
            #expect(try status(of: "/access/file", server) == 499)
        }
    }
}
