import Foundation
import Testing

/// Beginning and end of everything that an Apache with mod_swsgi starts.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct LifecycleTests {
    private func withTwoGroups(_ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let first = try server.deploy(.trouble, as: "first")
            let second = try server.deploy(.versionA, as: "second")
            try server.start(
                server.application(first, at: "/first", group: "first", options: "processes=2 threads=4")
                    + server.application(second, at: "/second", group: "second", user: .second)
            )
            try eventually("three processes") { server.daemons.count == 3 }
            try body(server)
        }
    }

    @Test func stop_leavesNothing() throws {
        try withTwoGroups { server in
            #expect(try server.get("/second").status == 200)
            let all = server.processes.map(\.pid)
            #expect(all.count >= 6)
            try server.stop()
            try eventually("end of all processes") { server.processes.isEmpty }
            #expect(all.allSatisfy { !ProcessTable.isAlive($0) })
        }
    }

    @Test func stop_endsWithinItsTimeWhileRequestsRun() throws {
        try withServer { server in
            server.announce("SWSGI3009", "SWSGI4022", "SWSGI4024", "SWSGI3001", "AH00045", "AH00046", "AH00047")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=2 shutdown-timeout=2"))
            let running = Background { try? server.get("/sleep?ms=60000").status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            try server.stop(within: 40)
            try eventually("end of all processes") { server.processes.isEmpty }
            _ = try running.value()
        }
    }

    @Test func restart_replacesEverything() throws {
        try withTwoGroups { server in
            let old = Set((server.daemons + server.supervisors).map(\.pid))
            let parent = server.parentPID
            try server.signal("restart")
            try server.logs.waitForLines(2, "resuming normal operations")
            #expect(try server.get("/second").status == 200)
            try eventually("new processes only", within: 30) {
                let now = (server.daemons + server.supervisors).map(\.pid)
                return server.daemons.count == 3 && server.supervisors.count == 1 && old.isDisjoint(with: now)
            }
            #expect(server.parentPID == parent)
        }
    }

    @Test func graceful_replacesEverythingAndOldOnesEnd() throws {
        try withTwoGroups { server in
            let old = Set((server.daemons + server.supervisors).map(\.pid))
            try server.graceful()
            #expect(try server.get("/second").status == 200)
            try eventually("new processes only", within: 30) {
                let now = (server.daemons + server.supervisors).map(\.pid)
                return server.daemons.count == 3 && server.supervisors.count == 1 && old.isDisjoint(with: now)
            }
        }
    }

    @Test func gracefulStop_finishesTheRequestsThatRun() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=2"))
            let hold = server.hold()
            let running = Background { try server.get(hold.target).text }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let parent = try #require(server.parentPID)
            try server.signal("graceful-stop")
            hold.release()
            #expect(try running.value() == "ok\n")
            try eventually("end of httpd's parent", within: 40) { !ProcessTable.isAlive(parent) }
            try eventually("end of all processes") { server.processes.isEmpty }
        }
    }

    @Test func gracefulRestart_withoutTheDirectivesEndsAllProcesses() throws {
        try withTwoGroups { server in
            try server.configure("")
            try server.graceful()
            try eventually("end of all daemon processes", within: 30) {
                server.daemons.isEmpty && server.supervisors.isEmpty
            }
            #expect(try server.get("/static.txt").status == 200)
        }
    }

    @Test func manyGracefulRestarts_leakNothingInTheParent() throws {
        try withTwoGroups { server in
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            try server.graceful()
            try server.graceful()
            // The parent lets go of a generation when its last child has ended, about once a second.
            func settle(_ isSettled: () -> Bool) throws {
                try eventually("one generation", within: 30) {
                    server.supervisors.count == 1 && server.daemons.count == 3 && isSettled()
                }
            }
            let run = "\(server.directory)/run"
            func homes() -> Int {
                ((try? FileManager.default.contentsOfDirectory(atPath: run)) ?? []).count { $0.contains("embedded") }
            }
            try settle { homes() == 1 }
            let descriptors = parent.descriptors.count
            let before = parent.resident
            for _ in 0..<8 { try server.graceful() }
            try settle { homes() == 1 }
            #expect(parent.descriptors.count == descriptors, "\(parent.descriptors)")
            #expect(parent.resident < before + 2048, "\(before) kB before, \(parent.resident) kB after")
            try eventually("end of all zombies") {
                ProcessTable.children(of: parent.pid).allSatisfy { $0.state != "Z" }
            }
        }
    }

    /// The next start finds a directory at most, in which nothing is, and removes it.
    private func startAgain(_ server: TestServer) throws {
        let run = "\(server.directory)/run"
        unlink("\(run)/httpd.pid")
        let left = try FileManager.default.subpathsOfDirectory(atPath: run)
        #expect(left.allSatisfy { $0.hasPrefix("swsgi.embedded-") && !$0.contains("/") }, "\(left)")
        #expect(left.count <= 1, "\(left)")
        // What is as young as that could be another server's that is just starting.
        letPass(3)
        try server.signal("start").check()
        try eventually("service again") { try server.get("/ok").status == 200 }
        let names = try FileManager.default.contentsOfDirectory(atPath: run)
        #expect(left.allSatisfy { !names.contains($0) }, "\(names)")
    }

    @Test func killedParent_leavesNoOrphan() throws {
        try withServer { server in
            server.announce("SWSGI", "AH")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=2 shutdown-timeout=3"))
            #expect(try server.get("/ok").status == 200)
            let parent = try #require(server.parentPID)
            _ = try server.startedChildren()
            kill(parent, SIGKILL)
            try eventually("end of all processes") { server.processes.isEmpty }
            try startAgain(server)
        }
    }

    @Test func killedParent_leavesNoOrphanWhileRequestsRun() throws {
        try withServer { server in
            server.announce("SWSGI", "AH")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=2 shutdown-timeout=2"))
            let running = Background { try? server.get("/sleep?ms=60000").status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            _ = try server.startedChildren()
            kill(try #require(server.parentPID), SIGKILL)
            try eventually("end of all processes") { server.processes.isEmpty }
            _ = try running.value()
            try startAgain(server)
        }
    }

    /// As when the kernel is short of memory: what runs ends, and the port is free at once.
    @Test(arguments: ["event", "worker", "prefork"], [true, false])
    func killedParent_leavesThePortToTheNextStart_andRunningRequestsTheirTime(
        _ multiProcessing: String,
        _ isEmbedded: Bool
    ) throws {
        try withServer { server in
            server.announce("SWSGI", "AH")
            server.multiProcessing = multiProcessing
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                isEmbedded
                    ? "GracefulShutdownTimeout 60\n" + server.embedded(entry)
                    : server.application(entry, options: "threads=2 shutdown-timeout=30")
            )
            let hold = server.hold()
            let running = Background { try server.get(hold.target).text }
            #expect(try server.get("/ok").text == "ok\n")
            let old = Set(try server.startedChildren())
            if !isEmbedded { try eventually("a request at work") { server.daemons.first?.exchanges == 1 } }
            letPass(0.3)
            kill(try #require(server.parentPID), SIGKILL)
            // Where nobody collects it, httpd would take what is left of the former parent for a running one.
            unlink("\(server.directory)/run/httpd.pid")
            try eventually("another start", within: 30) { try server.signal("start").status == 0 }
            try eventually("service again", within: 30) { (try? server.get("/ok").status) == 200 }
            #expect(!running.hasEnded)
            hold.release()
            #expect(try running.value() == "ok\n")
            try eventually("end of the former children") { old.allSatisfy { !ProcessTable.isAlive($0) } }
            #expect(try server.get("/ok").status == 200)
            // Their directory of embedded mode, which nobody was left to remove: the next supervisor would.
            let run = "\(server.directory)/run"
            for name in try FileManager.default.contentsOfDirectory(atPath: run) where name.contains("embedded-") {
                if try FileManager.default.contentsOfDirectory(atPath: "\(run)/\(name)").isEmpty {
                    rmdir("\(run)/\(name)")
                }
            }
        }
    }

    /// As in a container, whose end is that of its first process, and with KillMode=mixed of systemd.
    @Test(arguments: ["stop", "graceful-stop"])
    func stop_waitsForTheEndOfApplications(_ command: String) throws {
        try withServer { server in
            let place = "\(server.directory)/notes"
            mkdir(place, 0o777)
            chmod(place, 0o777)
            let bundle = try CFixture.scratchDirectory("swsgi-stopping") + "/stopping.so"
            let source = CFixture.answering("\"ok\\n\"").replacingOccurrences(
                of: ".respond = respond}",
                with: ".respond = respond, .stopping = stopping}"
            ).replacingOccurrences(
                of: "const swsgi_application *application",
                with: """
                    static void stopping(void *context, const swsgi_host *host) {
                        (void)context, (void)host;
                        sleep(2);
                        fclose(fopen("\(place)/stopped", "w"));
                    }
                    const swsgi_application *application
                    """
            )
            try CFixture.compile("#include <stdio.h>\n" + source, to: bundle)
            let entry = try server.deploy(bundle: bundle, as: "app")
            try server.start(server.application(entry, options: "threads=1 shutdown-timeout=30"))
            #expect(try server.get("/").status == 200)
            let parent = try #require(server.parentPID)
            try server.signal(command)
            try eventually("end of httpd's parent", every: 1) { !ProcessTable.isAlive(parent) }
            #expect(access("\(place)/stopped", F_OK) == 0)
            #expect(server.processes.isEmpty, "\(server.processes)")
        }
    }

    @Test func killedSupervisor_isReplacedAndServiceGoesOn() throws {
        try withServer { server in
            server.announce("SWSGI3002", "SWSGI3001", "SWSGI4022", "AH00546", "AH00547")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=4"))
            let load = LoadGenerator(port: server.port, connections: 4, targets: ["/ok"])
            for round in 1...2 {
                let old = try #require(server.supervisors.first).pid
                let oldDaemons = Set(server.daemons.map(\.pid))
                kill(old, SIGKILL)
                try server.logs.waitForLines(round, "SWSGI3002", within: 30)
                try eventually("another supervisor with its processes", within: 30) {
                    server.supervisors.count == 1 && server.supervisors.first?.pid != old
                        && server.daemons.count == 2 && oldDaemons.isDisjoint(with: server.daemons.map(\.pid))
                }
                #expect(try server.get("/ok").status == 200)
            }
            let report = try load.finish()
            #expect(report.lost.isEmpty, "\(report)")
            #expect(report.failures.isEmpty, "\(report)")
        }
    }

    @Test func killedChildOfHttpd_freesTheThreadsOfItsRequests() throws {
        try withServer { server in
            server.announce("AH00051", "AH00052", "SWSGI")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=1"))
            let hold = server.hold()
            let running = Background { try? server.get(hold.target).status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            for child in server.children { kill(child.pid, SIGKILL) }
            _ = try running.value()
            hold.release()
            #expect(try server.get("/ok").status == 200)
        }
    }

    @Test(arguments: [SIGTERM, SIGUSR1, SIGINT])
    func daemonProcess_thatIsAskedToEndFinishesItsRequests(number: Int32) throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=4"))
            let hold = server.hold()
            let running = Background { try server.get(hold.target).text }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let old = try server.daemon().pid
            let load = LoadGenerator(port: server.port, connections: 2, targets: ["/ok"])
            kill(old, number)
            hold.release()
            #expect(try running.value() == "ok\n")
            try eventually("another process") { server.daemons.count == 1 && server.daemons.first?.pid != old }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
        }
    }

    @Test(arguments: [SIGHUP, SIGUSR2, SIGWINCH, SIGPIPE])
    func daemonProcess_survivesSignalsThatMeanNothingToIt(number: Int32) throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=1"))
            let pid = try server.get("/")["X-Pid"]
            kill(try #require(pid.flatMap { Int32($0) }), number)
            letPass(0.3)
            #expect(try server.get("/")["X-Pid"] == pid)
        }
    }

    @Test(.tags(.long)) func requestsInFlight_surviveAReload_threeRestarts_andARecycling() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=8"))
            let hold = server.hold()
            let running = (0..<6).map { _ in Background { try server.get(hold.target) } }
            func isWorking(_ process: ProcessFacts) -> Bool { process.exchanges > 0 }
            try eventually("six requests at work") { server.daemons.map(\.exchanges).reduce(0, +) == 6 }
            let old = server.daemons.filter(isWorking).map(\.pid)
            server.touch(entry)
            #expect(try server.get("/ok").status == 200)
            for _ in 0..<3 {
                try server.graceful()
                #expect(try server.get("/ok").status == 200)
            }
            let recycled = try eventually("a new process") {
                server.daemons.map(\.pid).first { !old.contains($0) }
            }
            kill(recycled, SIGUSR1)
            try eventually("it has gone") { !ProcessTable.isAlive(recycled) }
            #expect(try server.get("/ok").status == 200)
            #expect(old.allSatisfy { ProcessTable.isAlive($0) })
            hold.release()
            for request in running {
                let response = try request.value()
                #expect(response.status == 200 && response.text == "ok\n", "\(response.status) \(response.text)")
            }
            try eventually("one generation", within: 30) { server.daemons.count == 2 && server.supervisors.count == 1 }
            #expect(old.allSatisfy { !ProcessTable.isAlive($0) })
        }
    }
}
