import Foundation
import Testing

/// What lasts, changes and ends from one reading of the configuration to the next.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct GenerationTests {
    private func oneGeneration(_ server: TestServer, daemons: Int, within seconds: Double = 60) throws {
        try eventually("one generation with \(daemons) daemon processes", within: seconds) {
            server.supervisors.count == 1 && server.daemons.count == daemons
        }
    }

    /// F41, F42: also a reload and a replaced process come in between.
    @Test func longRequests_surviveThreeGracefulRestartsAReloadAndAReplacement() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=8"))
            let hold = server.hold()
            let long = (0..<6).map { _ in Background { try server.get(hold.target).text } }
            try eventually("six requests at work") { server.daemons.map(\.exchanges).reduce(0, +) == 6 }
            let load = LoadGenerator(port: server.port, connections: 4, targets: ["/ok"])
            try server.graceful()
            server.touch(entry)
            try server.graceful()
            let oldest = try #require(server.daemons.map(\.pid).min())
            kill(oldest, SIGTERM)
            try server.graceful()
            hold.release()
            for request in long { #expect(try request.value() == "ok\n") }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            try oneGeneration(server, daemons: 2)
        }
    }

    @Test func groups_areAddedChangedAndRemovedByAGracefulRestart() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            let other = try server.deploy(.facts, as: "other")
            func both(_ second: String) -> String {
                server.application(entry, at: "/app", group: "one", options: "threads=2")
                    + server.application(
                        other,
                        at: "/other",
                        group: second,
                        options: "processes=2 threads=1",
                        user: .second
                    )
            }
            try server.start(server.application(entry, at: "/app", group: "one"))
            #expect(try server.facts("/app")["uid"] == "\(TestUser.first.uid)")
            try server.configure(both("two"))
            try server.graceful()
            #expect(try server.facts("/other")["uid"] == "\(TestUser.second.uid)")
            try oneGeneration(server, daemons: 3)
            try server.configure(
                server.application(entry, at: "/app", group: "one", options: "threads=2", user: .second)
            )
            try server.graceful()
            #expect(try server.facts("/app")["uid"] == "\(TestUser.second.uid)")
            #expect(try server.get("/other").status == 404)
            try oneGeneration(server, daemons: 1)
        }
    }

    /// Lines of the old generation go to the old file until it has drained; then nobody holds that file.
    @Test func rotatedLog_isReleasedWhenTheOldGenerationHasDrained() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            let hold = server.hold()
            let long = Background { try server.get(hold.target).text }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let log = "\(server.directory)/logs/error.log"
            let rotated = "\(server.directory)/logs/rotated-error.log"
            rename(log, rotated)
            try server.graceful()
            #expect(try server.get("/stdout").status == 200)
            try server.logs.waitForLine("stdout line two", in: "error.log")
            #expect(server.processes.contains { $0.descriptors.values.contains(rotated) })
            hold.release()
            #expect(try long.value() == "ok\n")
            try eventually("the rotated log is released", within: 60) {
                !server.processes.contains { $0.descriptors.values.contains(rotated) }
            }
        }
    }

    @Test func moduleUpgradedOnDisk_isTakenByGracefulAndByRestart() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            let parent = server.parentPID
            let hold = server.hold()
            let long = Background { try server.get(hold.target).text }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            for command in ["graceful", "restart"] {
                for file in ["mod_swsgi.so", "swsgid"] {
                    try server.copy("\(server.library)/\(file)", to: "\(server.library)/\(file).new")
                    rename("\(server.library)/\(file).new", "\(server.library)/\(file)")
                }
                let before = server.logs.lines(containing: "resuming normal operations").count
                try server.signal(command)
                try server.logs.waitForLines(before + 1, "resuming normal operations", within: 30)
                #expect(try server.get("/ok").text == "ok\n")
                if command == "graceful" {
                    hold.release()
                    #expect(try long.value() == "ok\n")
                }
            }
            #expect(server.parentPID == parent)
            try oneGeneration(server, daemons: 1)
        }
    }

    /// Packages are installed file by file, and httpd is told later, or never: until then what runs is one version.
    @Test func programThatIsReplacedOnDisk_concernsNoGenerationThatRuns() throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI3002", "SWSGI4022")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=2 display-name=%{GROUP}"))
            #expect(try server.get("/ok").text == "ok\n")
            let program = "\(server.library)/swsgid"
            // What another version would say to this one's plan: nothing that this one understands.
            try server.write("#!/bin/sh\nexit 70\n", to: "\(program).new", mode: 0o755)
            rename("\(program).new", program)
            server.touch(entry)
            #expect(try server.get("/ok").text == "ok\n")
            try server.logs.waitForLine("SWSGI3007")
            #expect(try server.get("/exit").status == 502)
            #expect(try server.get("/ok").text == "ok\n")
            // Nor a supervisor that httpd starts again.
            kill(try #require(server.supervisors.first).pid, SIGKILL)
            try server.logs.waitForLine("SWSGI3002")
            try eventually("service again") { try server.get("/ok").status == 200 }
            #expect(server.logs.lines(containing: "SWSGI3014").isEmpty)
            let name = ProcessTable.text("/proc/\(try #require(server.supervisors.first).pid)/comm")
            #expect(name == "swsgid\n")
            unlink(program)
            try Installation.place(Installation.daemon, at: program)
        }
    }

    /// F43.
    @Test func twentyGracefulRestartsInARow_loseNothingAndLeaveOneGeneration() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=4"))
            let parent = try #require(server.parentPID)
            let load = LoadGenerator(port: server.port, connections: 4, targets: ["/ok"])
            for _ in 0..<20 {
                kill(parent, SIGUSR1)
                letPass(0.1)
            }
            let round = load.served
            try eventually("requests after the storm", within: 60) { load.served > round + 200 }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            try oneGeneration(server, daemons: 2)
            #expect(server.parentPID == parent)
        }
    }

    /// F44.
    @Test(arguments: ["WSGIDaemonProcess two processes=none", "WSGIProcessGroup missing", "NoSuchDirective"])
    func brokenConfiguration_isRefused_andTheOldGenerationServesOn(_ line: String) throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            let good = server.application(entry, options: "threads=4")
            try server.start(good)
            _ = try server.daemon()
            let before = (server.daemons + server.supervisors).map(\.pid)
            try server.configure(good + line)
            #expect(try server.signal("graceful").status != 0)
            #expect(try server.get("/ok").text == "ok\n")
            #expect((server.daemons + server.supervisors).map(\.pid) == before)
            try server.configure(good)
            try server.graceful()
            #expect(try server.get("/ok").text == "ok\n")
        }
    }

    /// F48: the supervisor does not need httpd's parent to replace a process.
    @Test func stoppedParent_keepsNobodyFromWorking() throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI4022")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=4"))
            let parent = try #require(server.parentPID)
            kill(parent, SIGSTOP)
            defer { kill(parent, SIGCONT) }
            let old = try server.daemon().pid
            kill(old, SIGKILL)
            try eventually("another process") {
                server.daemons.count == 2 && !server.daemons.contains { $0.pid == old }
            }
            for _ in 0..<20 { #expect(try server.get("/ok").text == "ok\n") }
        }
    }

    /// F66: a request that no process has taken waits for the next supervisor's.
    @Test func requestInTheQueue_survivesTheSupervisorAndAllItsProcesses() throws {
        try withServer { server in
            server.announce("SWSGI3002", "SWSGI3001", "SWSGI4022", "AH00546", "AH00547")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=1"))
            let hold = server.hold()
            let running = Background { try server.get(hold.target).text }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let waiting = (0..<3).map { _ in Background { try server.get("/ok").text } }
            kill(try #require(server.supervisors.first).pid, SIGKILL)
            hold.release()
            #expect(try running.value() == "ok\n")
            for request in waiting { #expect(try request.value() == "ok\n") }
            try oneGeneration(server, daemons: 1)
        }
    }

    /// Daemon processes run as whoever has started httpd, and as nobody else.
    @Test func httpdOfAPlainUser_servesAsThatUser_andRefusesAnother() throws {
        try withServer { server in
            let user = TestUser.first
            server.user = user
            let entry = try server.deploy(.facts, as: "app")
            try server.configure(server.application(entry, user: .second))
            let refused = try server.signal("configtest")
            #expect(refused.status != 0)
            #expect(refused.errors.contains("SWSGI1012"), "\(refused.errors)")
            try server.start(server.application(entry, options: "processes=2 threads=2"))
            let facts = try server.facts()
            #expect(facts["uid"] == "\(user.uid)")
            #expect(server.processes.allSatisfy { $0.userIDs == Array(repeating: user.uid, count: 4) })
            #expect(try server.loadedDaemons(2).allSatisfy { $0.status["NoNewPrivs"] == "1" })
            kill(facts.pid, SIGTERM)
            try eventually("another process") {
                server.daemons.count == 2 && !server.daemons.contains { $0.pid == facts.pid }
            }
            try server.graceful()
            #expect(try server.get("/").status == 200)
            try oneGeneration(server, daemons: 2)
        }
    }
}
