import Foundation
import Testing

/// Options of WSGIDaemonProcess that limit a request's way to the application and back.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct OptionTests {
    @Test func silentProcessAndSilentClient_areGivenUp_afterTheGroupsTimes() throws {
        try withServer { server in
            server.announce("SWSGI4021")
            let trouble = try server.deploy(.trouble, as: "trouble")
            let echo = try server.deploy(.echo, as: "echo")
            try server.start(
                server.application(echo, at: "/echo", group: "echo", options: "response-socket-timeout=500ms")
                    + server.application(trouble, options: "threads=4 socket-timeout=300ms")
            )
            #expect(try server.get("/ok").text == "ok\n")
            #expect(try server.get("/sleep?ms=2000").status == 504)
            try server.logs.waitForLine("SWSGI4021", "no answer within 300ms", "GET /sleep")

            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/echo/generate?bytes=\(1 << 40)")
            #expect(try connection.readHead().status == 200)
            try server.logs.waitForLine("SWSGI4060", "for 500ms", "GET /echo/generate")
            #expect(try server.get("/echo/count").status == 200)
        }
    }

    @Test func slowGroup_holdsNoMoreThanItsCapacity_andOthersServeOn() throws {
        try withServer { server in
            server.announce("SWSGI4061")
            let slow = try server.deploy(.trouble, as: "slow")
            let quick = try server.deploy(.versionA, as: "quick")
            try server.start(
                server.application(quick, at: "/quick", group: "quick")
                    + server.application(slow, options: "threads=1 listen-backlog=2")
            )
            let running = (0..<6).map { _ in Background { try server.get("/sleep?ms=1500").status } }
            try server.logs.waitForLine("SWSGI4061", "'one' has 3 requests", "GET /sleep")
            let refused = try server.get("/ok")
            #expect(refused.status == 503)
            #expect(refused["Retry-After"] == "1")
            for _ in 0..<5 { #expect(try server.get("/ok").status == 503) }
            #expect(try server.get("/quick").status == 200)
            #expect(try running.map { try $0.value() }.sorted() == [200, 200, 200, 503, 503, 503])
            for _ in 0..<10 { #expect(try server.get("/ok").text == "ok\n") }
            #expect(server.logs.lines(containing: "SWSGI4061").count <= 2)
        }
    }
}
