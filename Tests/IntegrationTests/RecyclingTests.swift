import Foundation
import Glibc
import Testing

/// Processes that are replaced though nothing is wrong with them, and the time that the old ones have to go.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct RecyclingTests {
    /// A deployment that has failed is no reason to answer 500, whatever starts processes meanwhile.
    @Test func replacementsAfterAFailedDeployment_leaveTheOldCodeServing() throws {
        try withServer { server in
            server.announce("SWSGI2020", "SWSGI3008", "SWSGI3086", "SWSGI3001")
            let entry = try server.deploy(.facts, as: "app")
            let good = try String(contentsOfFile: entry, encoding: .utf8)
            try server.copy(CFixture.path("no_symbol"), to: "\(server.www)/app/broken.so")
            try server.start(server.application(entry, options: "processes=2 threads=2"))
            // Loaded, and not only started: a process that starts takes what is there then.
            try eventually("two processes") { server.logs.lines(containing: "loaded \(entry)").count == 2 }
            let old = Set(server.daemons.map(\.pid))
            try server.write("bundle = broken.so\n", to: "www/app/app.wsgi")
            #expect(old.contains(try server.facts().pid))
            try server.logs.waitForLine("SWSGI3008")
            for pid in old { kill(pid, SIGUSR1) }
            try server.logs.waitForLine("SWSGI3086", "app.wsgi")
            for _ in 0..<20 { #expect(old.contains(try server.facts().pid)) }
            let (killed, left) = (try #require(old.first), try #require(old.dropFirst().first))
            kill(killed, SIGKILL)
            try eventually("its end") { !ProcessTable.isAlive(killed) }
            for _ in 0..<20 { #expect(try server.facts().pid == left) }
            try server.write(good, to: "www/app/app.wsgi")
            #expect(try server.facts().pid != left)
            try eventually("two new processes") { server.daemons.count == 2 && !ProcessTable.isAlive(left) }
        }
    }

    /// F31: with mod_wsgi all processes are replaced at once, and requests that wait for the next one are lost or late.
    @Test func recycling_underLoad_losesNoRequest() throws {
        try withServer { server in
            let few = try server.deploy(.versionA, as: "few")
            let aged = try server.deploy(.versionA, as: "aged")
            let once = try server.deploy(.facts, as: "once")
            try server.start(
                server.application(few, at: "/few", group: "few", options: "processes=2 threads=2 maximum-requests=200")
                    + server.application(
                        aged,
                        at: "/aged",
                        group: "aged",
                        options: "processes=2 threads=2 restart-interval=1 restart-interval-jitter=500ms"
                    ) + server.application(once, group: "once", options: "threads=1 maximum-requests=1")
            )
            let load = LoadGenerator(port: server.port, connections: 4, targets: ["/few", "/aged"])
            try server.logs.waitForLines(6, "group 'few'", "is to be replaced: maximum_requests", within: 60)
            try server.logs.waitForLines(4, "group 'aged'", "is to be replaced: restart_interval", within: 60)
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")

            let first = try server.get("/environ").text
            #expect(first.contains("wsgi.run_once=true\n"))
            let old = try server.facts().pid
            try eventually("another process") { try server.facts().pid != old }
        }
    }

    /// F19 and F12: what a process may use, and that the old one serves on until the new one is ready.
    @Test func processThatUsesTooMuch_isReplaced_andTheHardLimitKills() throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI4022")
            let fat = try server.deploy(.trouble, as: "fat")
            let busy = try server.deploy(.trouble, as: "busy")
            let cpu = "processes=1 threads=4 cpu-time-limit=1 shutdown-timeout=1"
            try server.start(
                server.application(fat, at: "/fat", group: "fat", options: "processes=1 threads=4 rss-limit=80M")
                    + server.application(busy, at: "/busy", group: "busy", options: cpu)
            )
            let lean = try server.get("/fat/pid").text
            #expect(try server.get("/fat/leak?mb=100").status == 200)
            let hold = server.hold()
            let working = Background { try server.get("/fat\(hold.target)").text }

            let quick = try server.get("/busy/pid").text
            #expect(try server.get("/busy/spin?ms=1300").text == "ok\n")
            try eventually("another process") { try server.get("/busy/pid").text != quick }
            try server.logs.waitForLine("Swift event draining(reason: \"cpu_time_limit\")", "[group busy]")
            #expect(try server.get("/busy/spin?ms=60000").status == 502)
            try server.logs.waitForLine("SWSGI4022", "SIGKILL", "GET /busy/spin?ms=60000")
            #expect(try server.get("/busy/ok").text == "ok\n")

            let replaced = try server.logs.waitForLine("SWSGI3081", "group 'fat'", "more than rss-limit (80 MiB)")
            #expect((100..<150).contains(replaced.firstNumber(after: "has ") ?? 0), "\(replaced)")
            try eventually("another process") { try server.get("/fat/pid").text != lean }
            hold.release()
            #expect(try working.value() == "ok\n")
            try server.logs.waitForLine("Swift event stopping(reason: \"rss_limit\")", "[group fat]")
        }
    }

    /// F21 and F15: the first process loses at most what its threads had just taken, the second nothing.
    @Test func processThatStarvesOrAborts_F15_F21_costsNextToNothing() throws {
        try withServer { server in
            server.announceCrashes()
            server.announce("SWSGI3084")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=2"))
            let starved = try server.get("/pid").text
            // What this request still holds would be room for one more.
            try eventually("nothing at work") { server.daemons.first?.exchanges == 0 }
            #expect(try server.get("/hog").status == 200)
            // The end of that request has left room for one.
            try eventually("nothing at work") { server.daemons.first?.exchanges == 0 }
            let hold = server.hold()
            let last = Background { try server.get(hold.target).status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let statuses = try (0..<30).map { _ in try server.get("/ok").status }
            #expect(statuses.count { $0 != 200 } <= 2, "\(statuses)")
            #expect(statuses.allSatisfy { [200, 502].contains($0) }, "\(statuses)")
            hold.release()
            #expect(try last.value() == 200)
            try server.logs.waitForLine("SWSGI3084", "process \(starved)")
            try server.logs.waitForLine("descriptor_limit", "[group one]", "stopping")
            #expect(server.logs.lines(containing: "SWSGI3084").count == 1)

            let aborting = try server.get("/pid").text
            #expect(aborting != starved)
            #expect(try server.get("/abort-later").status == 200)
            let ended = try server.logs.waitForLine("SWSGI3001", "process \(aborting)", "SIGABRT", within: 60)
            #expect(ended.level == "error")
            #expect(try server.get("/ok").status == 200)
        }
    }

    /// One process for each group; a signal to each, with requests in them.
    @Test func oldProcess_hasTheTimeOfItsGroup_andThenIsKilled() throws {
        try withServer { server in
            server.announce("SWSGI3080", "SWSGI4022", "SWSGI4092")
            let groups = [
                ("none", ""), ("short", "graceful-timeout=300ms shutdown-timeout=1"),
                ("zero", "graceful-timeout=0 shutdown-timeout=1"),
                ("evicted", "eviction-timeout=300ms shutdown-timeout=1"),
            ]
            let lines = try groups.map { name, options in
                let entry = try server.deploy(.trouble, as: name)
                return server.application(entry, at: "/\(name)", group: name, options: "threads=4 \(options)")
            }
            let echo = try server.deploy(.echo, as: "willing")
            let willing = server.application(echo, group: "willing", options: "threads=4 graceful-timeout=300ms")
            try server.start(lines.joined() + willing)
            func process(_ group: String) throws -> Int32 { try #require(Int32(try server.get("/\(group)/pid").text)) }
            let patient = Background { try server.get("/patient") }
            let hold = server.hold()
            let requests = groups.map { name, _ in
                Background { try server.get("/\(name)\(hold.target)").status }
            }
            let quiet = Background { try server.get("/none\(hold.target)").status }
            try eventually("six requests at work") { server.daemons.reduce(0) { $0 + $1.exchanges } >= 6 }
            for daemon in server.daemons { kill(daemon.pid, SIGUSR1) }

            #expect(try requests[1].value() == 502)
            try server.logs.waitForLine("SWSGI3080", "group 'short'", "lost: \"GET /short\(hold.target) HTTP/1.1\"")
            #expect(try requests[2].value() == 502)
            #expect(try requests[3].value() == 502)
            try server.logs.waitForLine("group 'evicted'", "is to be replaced: eviction_signal")
            let answer = try patient.value()
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
            try server.logs.waitForLine("was cancelled", "[group willing]")
            try server.logs.waitForLine("SWSGI4092", "group 'willing'", "GET /patient")
            // Without a limit nothing is cut.
            hold.release()
            #expect(try requests[0].value() == 200)
            #expect(try quiet.value() == 200)
            for (name, _) in groups { #expect(try server.get("/\(name)/ok").text == "ok\n") }
            #expect(server.logs.lines(containing: "SWSGI3080").count == 3)
            #expect(server.logs.lines(containing: "SWSGI3001").isEmpty)
        }
    }

    /// F39, F23.
    @Test func signals_doWhatTheManualSays() throws {
        try withServer { server in
            server.announce("SWSGI3009")
            // The deaf one stays deaf.
            server.settings = "WSGIRestrictSignal Off\n"
            let swift = try server.deploy(.trouble, as: "swift")
            let events = try CFixture.path("events")
            let plain = try server.deploy(bundle: events, as: "c")
            let deaf = try server.deploy(bundle: events, as: "deaf", entry: ["environment.EVENTS = deaf"])
            let slow = try server.deploy(bundle: events, as: "slow", entry: ["environment.EVENTS = slow"])
            let old = try server.deploy(bundle: CFixture.path("old_table"), as: "old")
            let short = "threads=2 shutdown-timeout=1"
            try server.start(
                server.application(plain, at: "/c", group: "c", options: "threads=2")
                    + server.application(deaf, at: "/deaf", group: "deaf", options: short)
                    + server.application(slow, at: "/slow", group: "slow", options: short)
                    + server.application(old, at: "/old", group: "old", options: short)
                    + server.application(swift, group: "swift", options: "processes=2 threads=2")
            )
            func pid(_ target: String) throws -> Int32 { Int32(try server.get(target).text) ?? -1 }
            let supervisor = try #require(server.supervisors.first)
            let c = try pid("/c")
            _ = try pid("/deaf")
            #expect(try server.get("/old").status == 200)
            // A process hears what its applications are to be told when it has loaded them.
            try server.logs.waitForLines(2, "[group swift] loaded ")

            // For applications: nothing is replaced.
            kill(c, SIGHUP)
            kill(c, SIGUSR2)
            try server.logs.waitForLine("C event signal SIGHUP", "[pid \(c)]")
            try server.logs.waitForLine("C event signal SIGUSR2", "[pid \(c)]")
            kill(supervisor.pid, SIGHUP)
            try server.logs.waitForLines(2, "C event signal SIGHUP", "[pid \(c)]")
            try server.logs.waitForLines(1, "C event signal SIGHUP", "[group deaf]")
            try server.logs.waitForLines(2, "Swift event signal(\"SIGHUP\")")
            kill(c, SIGWINCH)
            #expect(try pid("/c") == c)

            // For the process: replaced, without a delay, in the order of its good-bye.
            for number in [SIGTERM, SIGINT, SIGTERM, SIGINT, SIGTERM, SIGINT, SIGUSR1] {
                let before = try pid("/c")
                kill(before, number)
                try eventually("another process") { try pid("/c") != before }
            }
            let said = server.logs.lines(containing: "[pid \(c)]", "C event ").map { $0.text.suffix(34) }
            #expect(said.suffix(3).map { $0.contains("shutdown_signal") } == [true, true, false], "\(said)")
            try server.logs.waitForLine("C event draining graceful_signal", "[group c]")
            #expect(server.logs.lines(containing: "SWSGI3004").isEmpty)

            // For all, one after the other; with those that hear no signal, or take a minute over an event.
            let all = Set(server.daemons.map(\.pid))
            let load = LoadGenerator(port: server.port, connections: 2, targets: ["/ok", "/c", "/old"])
            kill(supervisor.pid, SIGUSR1)
            try eventually("new processes only", within: 60) {
                server.daemons.count == 6 && all.isDisjoint(with: server.daemons.map(\.pid))
            }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(server.supervisors.map(\.pid) == [supervisor.pid])
            try server.logs.waitForLine("SWSGI3009", "group 'slow'", "has no more requests")
            #expect(server.logs.lines(containing: "SWSGI3009", "group 'deaf'").isEmpty)
        }
    }
}
