import Foundation
import Testing

/// Groups that have as many processes as they need.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct ScalingTests {
    @Test func group_growsWhenRequestsWait_andShrinksWhenIdle_losingNone() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            let facts = try server.deploy(.facts, as: "facts")
            try server.start(
                server.application(facts, at: "/facts", group: "fixed", options: "processes=1-1")
                    + server.application(entry, options: "processes=1-3 threads=1")
            )
            #expect(try server.get("/facts/environ").text.contains("wsgi.multiprocess=true\n"))
            let one = try #require(Int32(try server.get("/pid").text))
            let hold = server.hold()
            let running = (0..<3).map { _ in Background { try server.get(hold.target).status } }
            try eventually("a process for each request") {
                server.daemons.count == 4 && server.daemons.count { $0.exchanges == 1 } >= 3
            }
            #expect(server.daemons.contains { $0.pid == one })
            hold.release()
            for request in running { #expect(try request.value() == 200) }

            let load = Background { () -> [Int] in
                var statuses: [Int] = []
                while server.daemons.count > 2, statuses.count < 10_000 {
                    statuses.append(try server.get("/ok").status)
                    letPass(0.05)
                }
                return statuses
            }
            let statuses = try load.value(within: 110)
            #expect(statuses.allSatisfy { $0 == 200 }, "\(statuses.filter { $0 != 200 })")
            #expect(server.daemons.count == 2)
            try server.logs.waitForLines(2, "Swift event stopping(reason: \"idle_group\")")
            #expect(try server.get("/ok").text == "ok\n")
        }
    }
}
