import Foundation
import Testing

/// Limits that httpd's own input filters have for request bodies.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct BodyTimeoutTests {
    /// Timeout is 60 seconds: what is answered before, mod_reqtimeout has ended.
    @Test(arguments: RangeTests.modes) func silentClient_isCutByModReqtimeout(mode: String) throws {
        try withServer { server in
            server.extraModules += ["reqtimeout"]
            let entry = try server.deploy(.echo, as: "app")
            try server.start(
                (mode == "embedded" ? server.embedded(entry) : server.application(entry, options: "threads=1"))
                    + "RequestReadTimeout body=1,MinRate=10000\n"
            )
            for target in ["/count", "/echo"] {
                let connection = try HTTPConnection(port: server.port, timeout: 40)
                try connection.sendHead("POST", target, ["Content-Length: 100"])
                try connection.send("something")
                if target == "/count" {
                    #expect(try connection.response(to: "POST").status == 408)
                } else {
                    // What has begun is cut, so that it does not look complete.
                    let head = try connection.readHead()
                    var received: [UInt8] = []
                    #expect(throws: HTTPFailure.self) { try connection.readBody(of: head) { received += $0 } }
                    #expect(received == Array("something".utf8))
                }
                #expect(try server.request("POST", "/count", body: Array("12345".utf8)).text.hasPrefix("bytes=5 "))
            }
            #expect(server.logs.lines(containing: "SWSGI4031").count == 2)
        }
    }
}
