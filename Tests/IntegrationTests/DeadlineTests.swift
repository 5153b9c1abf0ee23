import Foundation
import Testing

/// Requests and processes that take too long: request-timeout, interrupt-timeout, deadlock-timeout.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct DeadlineTests {
    /// What the log has for each late request, with its backtrace.
    private let late = ["SWSGI4070", "SWSGI3100", " #"]

    private func announce(_ server: TestServer, _ more: String...) {
        for text in late + more { server.announce(text) }
    }

    /// F13 and A6.
    @Test func requestThatDoesNotEnd_isAnsweredAndExplained_andItsProcessReplaced() throws {
        try withServer { server in
            announce(server, "SWSGI3101", "SWSGI3102")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=3 request-timeout=4s"))
            #expect(try server.get("/sleep?ms=10").status == 200)
            let old = try server.daemon().pid
            let hold = server.hold()
            let other = Background { try server.get(hold.target).text }
            let late = Background { try server.get("/sleep?ms=100000").status }
            try eventually("two requests at work") { server.daemons.first?.exchanges == 2 }
            hold.release()
            #expect(try late.value() == 504)
            #expect(try other.value() == "ok\n")
            try server.logs.waitForLine(
                "SWSGI4070",
                "'one'",
                "request-timeout=4s, 504",
                "\"GET /sleep?ms=100000",
                entry
            )
            try server.logs.waitForLine("SWSGI3100", "[group one]", "process \(old)", "\"GET /sleep?ms=100000", entry)
            try server.logs.waitForLine(" #", "FixtureTrouble.Trouble.sleepMilliseconds()", "app.so")
            try server.logs.waitForLine("SWSGI3101", "process \(old)")
            try eventually("another process alone") { server.daemons.count == 1 && server.daemons.first?.pid != old }
            try server.logs.waitForLine("SWSGI3102", "process \(old)", "1 request threads")
            #expect(try server.get("/ok").text == "ok\n")
            #expect(server.logs.lines(containing: "SWSGI3001").isEmpty)
        }
    }

    /// F11, F12.
    @Test func whenNoThreadComesBack_everyRequestIsAnswered_andNewOnesAreServed() throws {
        try withServer { server in
            announce(server, "SWSGI3101", "SWSGI3102")
            let entry = try server.deploy(.trouble, as: "app")
            let spinning = try server.deploy(.trouble, as: "spinning")
            try server.start(
                server.application(
                    spinning,
                    at: "/spinning",
                    group: "spinning",
                    options: "threads=2 request-timeout=1s"
                )
                    + server.application(entry, options: "threads=4 request-timeout=1s")
            )
            let targets = [
                "/deadlock", "/deadlock", "/sleep?ms=100000", "/blocked", "/spinning/spin", "/spinning/spin",
            ]
            let running = targets.map { target in Background { try server.get(target).status } }
            for request in running { #expect(try request.value() == 504) }
            #expect(try server.get("/ok").text == "ok\n")
            #expect(try server.get("/spinning/ok").text == "ok\n")
            try server.logs.waitForLines(2, "SWSGI3102")
            try server.logs.waitForLine("SWSGI3100", "a request (the thread shows nothing)")
            try server.logs.waitForLine(" #", "spin(")
            try eventually("one process for each group") { server.daemons.count == 2 }
        }
    }

    /// The daemon process ends when no thread comes back: httpd, which was late, must not take that for a crash.
    @Test func deadlineThatHttpdMisses_is504AllTheSame() throws {
        try withServer { server in
            announce(server, "SWSGI3101", "SWSGI3102")
            server.settings = EmbeddedTests.oneChild
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                server.application(entry, options: "threads=1 request-timeout=2s interrupt-timeout=100ms")
            )
            let late = Background { try server.get("/spin").status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            // Something of httpd's own, after which it has heard that the request has been taken.
            for _ in 0..<5 { _ = try server.get("/no/such/%2F/file") }
            let child = try #require(server.children.first?.pid)
            kill(child, SIGSTOP)
            defer { kill(child, SIGCONT) }
            try server.logs.waitForLine("SWSGI3102")
            kill(child, SIGCONT)
            #expect(try late.value() == 504)
        }
    }

    /// The same where httpd has not even heard that the request was taken.
    @Test func deadlineOfARequest_thatHttpdDoesNotKnowToBeTaken_is504() throws {
        try withServer { server in
            announce(server, "SWSGI3101", "SWSGI3102")
            server.settings = EmbeddedTests.oneChild
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=1 request-timeout=1s"))
            #expect(try server.get("/ok").text == "ok\n")
            let daemon = try server.daemon()
            let child = try #require(server.children.first)
            kill(daemon.pid, SIGSTOP)
            defer { kill(daemon.pid, SIGCONT) }
            try eventually("a stopped daemon process") { ProcessFacts(pid: daemon.pid)?.state == "T" }
            let late = Background { try server.get("/spin").status }
            try eventually("httpd waiting for a reply") { child.isReceiving }
            kill(child.pid, SIGSTOP)
            defer { kill(child.pid, SIGCONT) }
            try eventually("a stopped child of httpd") { ProcessFacts(pid: child.pid)?.state == "T" }
            kill(daemon.pid, SIGCONT)
            try eventually("the end of the process that runs it") { !ProcessTable.isAlive(daemon.pid) }
            kill(child.pid, SIGCONT)
            #expect(try late.value() == 504)
        }
    }

    @Test func threadThatComesBackInTime_servesOn() throws {
        try withServer { server in
            announce(server)
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                server.application(entry, options: "threads=2 request-timeout=1s interrupt-timeout=60s")
            )
            let old = try server.daemon().pid
            #expect(try server.get("/obedient").status == 504)
            try server.logs.waitForLine("was obedient")
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/trickle")
            let head = try connection.readHead()
            #expect(head.status == 200)
            #expect(throws: HTTPFailure.self) { try connection.readBody(of: head) { _ in } }
            try server.logs.waitForLine("SWSGI4070", "the connection was aborted", "GET /trickle")
            let upload = try HTTPConnection(port: server.port)
            try upload.sendHead("POST", "/read-past-end", ["Content-Length: 10"])
            #expect(try upload.response().status == 504)
            try eventually("threads without work") { server.daemons.first?.exchanges == 0 }
            for _ in 0..<5 { #expect(try server.get("/ok").text == "ok\n") }
            #expect(server.daemons.map(\.pid) == [old])
        }
    }

    /// A60, S29: the late answer of one request never reaches another one.
    @Test func answersAroundTheDeadline_areTheOwnOrNone() throws {
        try withServer { server in
            announce(server)
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                server.application(entry, options: "processes=2 threads=6 request-timeout=15ms interrupt-timeout=1h")
            )
            let targets = (0..<997).map { "/nonce?ms=\($0 * 7 % 30)&nonce=n\($0)" }
            let load = LoadGenerator(port: server.port, connections: 12, requests: 4000, targets: targets) {
                target,
                response in
                if response.status == 504 { return nil }
                let own = target.hasSuffix("nonce=\(response.text)")
                return response.status == 200 && own ? nil : "\(response.status) \(response.text) for \(target)"
            }
            let report = try load.wait()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(report.statuses[200] ?? 0 > 100, "\(report)")
            #expect(report.statuses[504] ?? 0 > 100, "\(report)")
            #expect(server.logs.lines(containing: "SWSGI3101").isEmpty)
        }
    }

    #if arch(x86_64) || arch(arm64)
        /// A stack that nobody can follow ends the look at it, and not the process.
        @Test func threadWithABrokenStack_isReported_andCrashesNothing() throws {
            try withServer { server in
                announce(server, "SWSGI3101", "SWSGI3102")
                let bundle = "\(server.directory)/broken.so"
                let breaking = """
                    static const char *lose_the_stack(void) {
                    #if defined(__x86_64__)
                        __asm__ volatile("mov $16, %rsp; mov $16, %rbp; 1: jmp 1b");
                    #else
                        __asm__ volatile("mov x9, #16; mov sp, x9; mov x29, x9; 1: b 1b");
                    #endif
                        return 0;
                    }
                    """
                try CFixture.compile(CFixture.answering("lose_the_stack()", before: breaking), to: bundle)
                let entry = try server.deploy(bundle: bundle, as: "app")
                try server.start(server.application(entry, options: "threads=2 request-timeout=200ms"))
                #expect(try server.get("/").status == 504)
                try server.logs.waitForLine("SWSGI3100", "\"GET / HTTP/1.1\" of \(entry)")
                try server.logs.waitForLine("SWSGI3102")
                #expect(server.logs.lines(containing: "SWSGI3001").isEmpty)
            }
        }
    #endif

    /// An application that has taken the signal for itself, or made it deadly, is not sent it.
    @Test func threadThatTookTheSignal_isReported_andCrashesNothing() throws {
        try withServer { server in
            announce(server, "SWSGI3101", "SWSGI3102")
            let bundle = "\(server.directory)/taken.so"
            let answer = "(signal(SIGRTMIN + 2, SIG_DFL), sleep(100), \"slept\\n\")"
            try CFixture.compile(CFixture.answering(answer, before: "#include <signal.h>"), to: bundle)
            let entry = try server.deploy(bundle: bundle, as: "app")
            try server.start(server.application(entry, options: "threads=2 request-timeout=200ms"))
            #expect(try server.get("/").status == 504)
            try server.logs.waitForLine("SWSGI3100", "a request (the thread shows nothing)")
            try server.logs.waitForLine("SWSGI3102")
            #expect(server.logs.lines(containing: "SWSGI3001").isEmpty)
        }
    }

    // MARK: Processes that don't answer

    /// F9, F10.
    @Test func stoppedProcess_holdsItsOwnRequestsOnly() throws {
        try withServer { server in
            server.announce("SWSGI3103", "SWSGI4022")
            let watched = try server.deploy(.trouble, as: "watched")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                server.application(
                    watched,
                    at: "/watched",
                    group: "watched",
                    options: "threads=2 deadlock-timeout=3 display-name=watched"
                ) + server.application(entry, options: "processes=2 threads=2")
            )
            let all = try server.loadedDaemons(3)
            let unwatched = Set(all.filter { $0.arguments.first != "watched" }.map(\.pid))
            let hold = server.hold()
            let running = Background { try server.get(hold.target).text }
            let stopped = try eventually("a busy process") {
                server.daemons.first { unwatched.contains($0.pid) && $0.exchanges == 1 }
            }
            kill(stopped.pid, SIGSTOP)
            // Until then its other thread may take the next request.
            try eventually("a stopped process") { ProcessFacts(pid: stopped.pid)?.state == "T" }
            for _ in 0..<50 { #expect(try server.get("/ok").text == "ok\n") }
            kill(stopped.pid, SIGCONT)
            hold.release()
            #expect(try running.value() == "ok\n")
            #expect(server.logs.lines(containing: "SWSGI3103").isEmpty)

            let dead = try #require(server.daemons.first { !unwatched.contains($0.pid) })
            let lost = Background { try server.get("/watched/sleep?ms=60000").status }
            try eventually("a request at work") { dead.exchanges == 1 }
            kill(dead.pid, SIGSTOP)
            try eventually("a stopped process") { ProcessFacts(pid: dead.pid)?.state == "T" }
            let waiting = Background { try server.get("/watched/ok").status }
            #expect(try lost.value() == 502)
            #expect(try waiting.value() == 200)
            try server.logs.waitForLine("SWSGI3103", "process \(dead.pid)", "3.000 s (deadlock-timeout)")
            #expect(unwatched.isSubset(of: server.daemons.map(\.pid)))
        }
    }

    /// F10: without anybody who takes them, requests wait up to the limit, and hold up no other group.
    @Test func stoppedGroup_F10_refusesWhatIsOverItsLimit_andCatchesUp() throws {
        try withServer { server in
            server.announce("SWSGI4061")
            let entry = try server.deploy(.trouble, as: "app")
            let other = try server.deploy(.versionA, as: "other")
            try server.start(
                server.application(other, at: "/other", group: "other", options: "display-name=other")
                    + server.application(entry, options: "processes=2 threads=1 listen-backlog=2")
            )
            let stopped = try server.loadedDaemons(3).filter { $0.arguments.first != "other" }.map(\.pid)
            for pid in stopped { kill(pid, SIGSTOP) }
            defer { for pid in stopped { kill(pid, SIGCONT) } }
            try eventually("two stopped processes") { stopped.allSatisfy { ProcessFacts(pid: $0)?.state == "T" } }
            let waiting = (0..<6).map { _ in Background { try server.get("/ok").status } }
            try server.logs.waitForLine("SWSGI4061", "'one' has 4 requests")
            for _ in 0..<20 { #expect(try server.get("/other").status == 200) }
            for pid in stopped { kill(pid, SIGCONT) }
            #expect(try waiting.map { try $0.value() }.sorted() == [200, 200, 200, 200, 503, 503])
        }
    }

    /// A client that has not sent its request body yet gets its 504 all the same.
    @Test func requestWithoutItsBody_isAnsweredInTime() throws {
        try withServer { server in
            announce(server, "SWSGI4062", "SWSGI4021")
            let entry = try server.deploy(.trouble, as: "app")
            let silent = try server.deploy(.trouble, as: "silent")
            try server.start(
                server.application(silent, at: "/silent", group: "silent", options: "socket-timeout=200ms")
                    + server.application(entry, options: "threads=1 queue-timeout=2s")
            )
            let hold = server.hold()
            let running = Background { try server.get(hold.target).status }
            try eventually("a busy process") { server.daemons.contains { $0.exchanges == 1 } }
            for target in ["/ok", "/silent\(hold.target)"] {
                let upload = try HTTPConnection(port: server.port)
                try upload.sendHead("POST", target, ["Content-Length: 10"])
                #expect(try upload.response().status == 504)
            }
            hold.release()
            #expect(try running.value() == 200)
        }
    }

    /// F65: a supervisor that stood still itself kills nobody.
    @Test func stoppedSupervisor_blamesNoProcess() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=2 deadlock-timeout=3"))
            try eventually("both processes") { server.daemons.count == 2 }
            let before = Set(server.daemons.map(\.pid))
            let supervisor = try #require(server.supervisors.first).pid
            kill(supervisor, SIGSTOP)
            letPass(7)
            #expect(try server.get("/ok").status == 200)
            kill(supervisor, SIGCONT)
            letPass(1)
            #expect(Set(server.daemons.map(\.pid)) == before)
            #expect(server.logs.lines(containing: "SWSGI3103").isEmpty)
        }
    }
}
