import Foundation
import Testing

/// Nothing is lost under load but what ran in a process that somebody killed.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct LoadTests {
    private static let body: @Sendable (String, HTTPResponse) -> String? = { _, response in
        if response.status != 200 { return "status \(response.status)" }
        return response.text == "version A\n" ? nil : "body '\(response.text.prefix(60))'"
    }

    @Test(.tags(.long)) func hundredThousandRequests_areAllRight() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=8"))
            let load = LoadGenerator(port: server.port, connections: 64, requests: 100_000, check: Self.body)
            let report = try load.wait()
            #expect(report.statuses == [200: 100_000], "\(report)")
            #expect(report.failures.isEmpty, "\(report)")
            #expect(report.idleCloses == 0)
            try expectNothingHeld(server)
        }
    }

    @Test(.tags(.long)) func killedProcess_costsOnlyWhatRanInIt() throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI4022", "SWSGI4024", "SWSGI3004")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=3 threads=8"))
            let load = LoadGenerator(port: server.port, connections: 64, requests: 100_000, check: Self.body)
            let killer = Repeater(every: 0.5) { round in
                let daemons = server.daemons
                if !daemons.isEmpty { kill(daemons[round % daemons.count].pid, SIGKILL) }
            }
            let report = try load.wait()
            let kills = try killer.stop()
            #expect(report.total == 100_000, "\(report)")
            #expect(report.lost.isEmpty, "\(report)")
            #expect(report.idleCloses == 0)
            #expect(report.failures.allSatisfy { $0.status == 502 }, "\(report)")
            let failed = report.statuses[502] ?? 0
            #expect(failed <= kills * 8, "\(report), \(kills) kills")
            try server.logs.waitForLines(failed, "SWSGI4022")
            #expect(server.logs.lines(containing: "SWSGI4022").count == failed)
            try eventually("three processes again", within: 60) { server.daemons.count == 3 }
            let after = try LoadGenerator(port: server.port, connections: 8, requests: 500, check: Self.body).wait()
            #expect(after.failures.isEmpty, "\(after)")
        }
    }

    @Test(.tags(.long), arguments: ["event", "worker", "prefork"])
    func gracefulRestartOnceASecond_losesNoRequest(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=8"))
            let load = LoadGenerator(port: server.port, connections: 16, check: Self.body)
            let restarts = multiProcessing == "event" ? 20 : 5
            for _ in 0..<restarts {
                try server.signal("graceful")
                letPass(1)
                try expectProgress(load)
            }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            try expectOneGeneration(server, processes: 2)
        }
    }

    @Test(.tags(.long)) func touchFiveTimesASecond_losesNoRequest() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=8"))
            let load = LoadGenerator(port: server.port, connections: 16, check: Self.body)
            for _ in 0..<50 {
                server.touch(entry)
                letPass(0.2)
                try expectProgress(load)
            }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(report.idleCloses == 0)
            try expectOneGeneration(server, processes: 2)
        }
    }

    @Test(.tags(.long)) func requestsInFlight_surviveTwoGracefulRestarts() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=8"))
            let hold = server.hold()
            let running = (0..<6).map { _ in Background { try server.get(hold.target) } }
            try eventually("six requests at work") { server.daemons.contains { $0.exchanges == 6 } }
            let load = LoadGenerator(port: server.port, connections: 4, targets: ["/ok"])
            for _ in 0..<2 {
                try server.graceful()
                letPass(0.5)
            }
            hold.release()
            for request in running {
                let response = try request.value()
                #expect(response.status == 200)
                #expect(response.text == "ok\n")
            }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            try expectOneGeneration(server, processes: 1)
        }
    }

    @Test(.tags(.long)) func requestsInFlight_surviveAReload() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=8"))
            let hold = server.hold()
            let running = (0..<4).map { _ in Background { try server.get(hold.target) } }
            try eventually("four requests at work") { server.daemons.contains { $0.exchanges == 4 } }
            server.touch(entry)
            #expect(try server.get("/ok").status == 200)
            hold.release()
            for request in running { #expect(try request.value().status == 200) }
            try expectOneGeneration(server, processes: 1)
        }
    }

    /// Every connection of the load has had an answer on the average, however slow the machine: nothing stands still.
    private func expectProgress(_ load: LoadGenerator) throws {
        let before = load.served
        try eventually("sixteen more answers", within: 60) { load.served >= before + 16 }
    }

    /// After everything has drained: one supervisor, so many processes, and nothing open in them but the five.
    private func expectOneGeneration(_ server: TestServer, processes: Int) throws {
        do {
            try eventually("one generation", within: 60) {
                server.supervisors.count == 1 && server.daemons.count == processes
            }
        } catch {
            Issue.record("\(server.supervisors.map(\.description)) \(server.daemons.map(\.description))")
        }
        try expectNothingHeld(server)
    }

    private func expectNothingHeld(_ server: TestServer) throws {
        try eventually("five descriptors in each process, not \(server.daemons.map(\.descriptors))") {
            server.daemons.allSatisfy { $0.hostDescriptors.count == 5 }
        }
    }
}
