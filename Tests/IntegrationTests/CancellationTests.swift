import Foundation
import Testing

/// A client that goes is noticed, while the application works or waits, and makes no noise.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct CancellationTests {
    private func withEcho(_ options: String = "threads=8", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, options: options))
            try body(server)
        }
    }

    private enum Parting: CaseIterable { case close, reset }

    private func leave(_ connection: HTTPConnection, _ parting: Parting) {
        switch parting {
        case .close: connection.finishSending()
        case .reset: connection.reset()
        }
    }

    @Test(arguments: [Parting.close, .reset])
    private func clientThatGoes_cancelsTheExchange(_ parting: Parting) throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/patient")
            try eventually("the request at work") { server.daemons.contains { $0.exchanges == 1 } }
            leave(connection, parting)
            try server.logs.waitForLines(1, "was cancelled")
            try server.logs.waitForLines(1, "SWSGI4090")
            #expect(server.logs.lines(containing: "was not cancelled").isEmpty)
            #expect(server.logs.lines(containing: "Exception").isEmpty)
            #expect(try server.get("/noread").status == 200)
        }
    }

    @Test func clientThatGoesInTheMiddleOfItsUpload_cancelsTheExchange() throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/patient?read=1", ["Content-Length: 1000"])
            try connection.send("some")
            try eventually("the request at work") { server.daemons.contains { $0.exchanges == 1 } }
            leave(connection, .reset)
            try server.logs.waitForLines(1, "was cancelled")
            #expect(server.logs.lines(containing: "Exception").isEmpty)
        }
    }

    @Test func clientThatOnlyStopsSending_getsItsResponse() throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/patient?answer=1")
            connection.finishSending()
            #expect(try connection.response().text == "patience\n")
            let hold = server.hold(at: "/stubborn")
            let upload = try HTTPConnection(port: server.port)
            try upload.sendHead("POST", hold.target, ["Content-Length: 4"])
            try upload.send("body")
            upload.finishSending()
            // httpd looks at the client while nothing comes from the application.
            letPass(1)
            hold.release()
            #expect(try upload.response().text == "stubborn\n")
        }
    }

    @Test func brokenConnection_freesTheThreadOfHTTPDAtOnce() throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port)
            let hold = server.hold(at: "/stubborn")
            try connection.sendHead("GET", hold.target)
            try eventually("the request at work") { server.daemons.contains { $0.exchanges == 1 } }
            leave(connection, .reset)
            try eventually("status 499 in the access log, before the application has ended") {
                let log = try String(contentsOfFile: server.directory + "/logs/access.log", encoding: .utf8)
                return log.contains("499 0 ") ? server.daemons.contains { $0.exchanges == 1 } : false
            }
            hold.release()
        }
    }

    @Test func streamThatTheClientResets_cancelsTheExchange() throws {
        try withServer { server in
            server.extraModules.append("http2")
            let entry = try server.deploy(.echo, as: "app")
            try server.start("Protocols h2c http/1.1\n" + server.application(entry))
            let curl = try server.curl("--http2-prior-knowledge", "--max-time", "1", server.url("/patient"))
            #expect(curl.status == 28)
            try server.logs.waitForLines(1, "was cancelled")
            #expect(server.logs.lines(containing: "was not cancelled").isEmpty)
        }
    }
}
