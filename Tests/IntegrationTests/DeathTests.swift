import Foundation
import Testing

/// Daemon processes that die with requests in them.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct DeathTests {
    private func withTrouble(_ options: String = "processes=2 threads=4", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.announceCrashes()
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: options))
            #expect(try server.get("/ok").text == "ok\n")
            try body(server)
        }
    }

    struct End: Sendable, CustomTestStringConvertible {
        let path: String
        /// How the log describes it.
        let words: [String]
        var testDescription: String { path }
    }

    static let ends = [
        End(path: "/trap", words: ["SIG"]),
        End(path: "/abort", words: ["signal 6", "SIGABRT"]),
        End(path: "/segv", words: ["signal 11", "SIGSEGV"]),
        End(path: "/kill9", words: ["signal 9", "SIGKILL"]),
        End(path: "/exit", words: ["exited with status 3"]),
    ]

    @Test(arguments: ends)
    func endOfTheProcess_isAnswered502AndExplained(end: End) throws {
        try withTrouble { server in
            let response = try server.get("\(end.path)?some=query")
            #expect(response.status == 502)
            let ended = try server.logs.waitForLine("SWSGI3001", "one")
            for word in end.words { #expect(ended.text.contains(word), "\(ended)") }
            let request = try server.logs.waitForLine("SWSGI4022")
            for part in ["GET \(end.path)?some=query", "\(server.www)/app/app.wsgi", "one"] + end.words {
                #expect(request.text.contains(part), "\(request)")
            }
            let pid = try #require(ended.firstNumber(after: "process "), "\(ended)")
            #expect(request.text.contains("\(pid)"), "\(request) names \(pid)")
            let next = try server.get("/ok")
            #expect(next.text == "ok\n", "\(next.status) \(next.text)\(server.logTail)")
            try eventually("two processes again") { server.daemons.count == 2 }
            #expect(server.logs.lines(containing: "SWSGI4022").count == 1)
            #expect(server.logs.lines(containing: "SWSGI3001").count == 1)
        }
    }

    @Test(.enabled(if: Machine.hasBacktraces, "no backtraces under this sanitizer"))
    func trap_isExplainedByABacktraceWithFileAndLine() throws {
        try withTrouble { server in
            #expect(try server.get("/trap").status == 502)
            let line = try server.logs.waitForLine("troubleTrap", within: 60)
            #expect(line.text.contains("one"), "\(line)")
            try server.logs.waitForLine("Trouble.swift:", within: 60)
        }
    }

    @Test(.enabled(if: Machine.hasBacktraces, "no backtraces under this sanitizer"))
    func trap_isAnsweredWhileItsBacktraceIsStillBeingWritten() throws {
        try withServer { server in
            server.announceCrashes()
            let entry = try server.deploy(.trouble, as: "app")
            let helper = "\(server.library)/swift-backtrace-static"
            unlink(helper)
            try server.write("#!/bin/sh\nexec sleep 600\n", to: helper, mode: 0o755)
            try server.start(server.application(entry, options: "processes=1 threads=4"))
            let sibling = Background { try server.get("/sleep?ms=60000").status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let pid = try server.daemon().pid
            #expect(try server.get("/trap").status == 502)
            #expect(try sibling.value() == 502)
            #expect(try server.get("/ok").text == "ok\n")
            #expect(ProcessTable.isAlive(pid))
            // The helper never ends, and must not keep the process for ever either.
            try eventually("end of the crashed process", within: 60) { !ProcessTable.isAlive(pid) }
            try eventually("end of the helper", within: 60) {
                server.processes.allSatisfy { $0.arguments.first != "sleep" }
            }
        }
    }

    @Test func trapAfterTheHead_cutsTheResponseVisibly() throws {
        try withTrouble { server in
            let result = try server.curl("--include", server.url("/trap-after-head"))
            #expect(result.status == 18, "\(result)")
            #expect(result.output.contains("200 OK"))
            let line = try server.logs.waitForLine("SWSGI4024")
            #expect(line.text.contains("GET /trap-after-head"), "\(line)")
            #expect(line.text.contains("app.wsgi"), "\(line)")
            try server.logs.waitForLine("SWSGI3001")
            #expect(try server.get("/ok").text == "ok\n")
        }
    }

    @Test func killInTheMiddleOfAStream_cutsItVisibly() throws {
        try withServer { server in
            server.announceCrashes()
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=2"))
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/generate?bytes=\(1 << 40)")
            let head = try connection.readHead()
            #expect(head.status == 200)
            kill(try server.daemon().pid, SIGKILL)
            let failure = #expect(throws: HTTPFailure.self) { try connection.readBody(of: head) { _ in } }
            if case .truncated = failure {} else { Issue.record("\(String(describing: failure))") }
            try server.logs.waitForLine("SWSGI4024", "SIGKILL", "GET /generate")
        }
    }

    @Test func answerThatDoesNotComeWithinTimeout_isAnswered504() throws {
        try withServer { server in
            server.announce("SWSGI4021", "SWSGI3009")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry) + "Timeout 2\n")
            #expect(try server.get("/sleep?ms=10000").status == 504)
            try server.logs.waitForLine("SWSGI4021", "GET /sleep")
            #expect(try server.get("/ok").text == "ok\n")
        }
    }

    @Test func killOfOneProcess_costsItsOwnRequestsOnly() throws {
        try withTrouble("processes=2 threads=2") { server in
            let hold = server.hold()
            let running = (0..<4).map { _ in Background { try server.get(hold.target).status } }
            try eventually("two processes at work") {
                server.daemons.count == 2 && server.daemons.allSatisfy { $0.exchanges == 2 }
            }
            let victim = try server.daemon()
            kill(victim.pid, SIGKILL)
            try eventually("two answers") { running.count { $0.hasEnded } == 2 }
            hold.release()
            let statuses = try running.map { try $0.value() }.sorted()
            #expect(statuses == [200, 200, 502, 502])
            let lines = try server.logs.waitForLines(2, "SWSGI4022", "\(victim.pid)", "GET /hold")
            #expect(lines.count == 2)
            #expect(server.logs.lines(containing: "SWSGI3001", "\(victim.pid)").count == 1)
        }
    }

    @Test func killOfAnIdleProcess_losesNothing() throws {
        try withTrouble("processes=1 threads=2") { server in
            let load = LoadGenerator(port: server.port, connections: 1, targets: ["/ok"])
            for _ in 0..<3 {
                let old = try eventually("the process") { server.daemons.first?.pid }
                kill(old, SIGKILL)
                try eventually("another process") { server.daemons.first.map { $0.pid != old } ?? false }
            }
            let report = try load.finish()
            #expect(report.lost.isEmpty, "\(report)")
            #expect(report.failures.count <= 3, "\(report)")
            #expect(report.statuses.keys.allSatisfy { $0 == 200 || $0 == 502 })
        }
    }

    /// Two processes, and three ends one after the other: the second one's comes while the first one's is still being looked at.
    @Test func requestsOfProcessesThatEndTogether_nameTheirOwnProcess() throws {
        try withTrouble("processes=2 threads=1") { server in
            server.announce("SWSGI3004", "SWSGI3082", "SWSGI4093")
            let ends = [("/abort", "SIGABRT"), ("/segv", "SIGSEGV"), ("/kill9", "SIGKILL"), ("/exit", "status 3")]
            var count = 0
            for round in 0..<12 where count < 16 {
                try eventually("two processes") { try server.loadedDaemons(2).count == 2 }
                let first = ends[round % 4].0
                let second = ends[(round + 1 + round / 4) % 4].0
                let requests = [first, second].map { path in
                    Background { try server.get("\(path)?round=\(round)").status }
                }
                let statuses = try requests.map { try $0.value() }
                // After so many ends the group may have no process for a moment.
                #expect(statuses.allSatisfy { [502, 503].contains($0) }, "\(statuses)")
                let died = statuses.count { $0 == 502 }
                let lines = died == 0 ? [] : try server.logs.waitForLines(died, "SWSGI4022", "?round=\(round) ")
                count += died
                for (path, words) in ends {
                    for line in lines where line.text.contains("GET \(path)?") {
                        #expect(line.text.contains(words), "\(line)")
                    }
                }
            }
            #expect(count >= 8)
        }
    }

    @Test func requestThatNobodyHasTaken_survivesEveryProcess() throws {
        try withTrouble("processes=1 threads=1") { server in
            let first = Background { try server.get("/sleep?ms=20000").status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            let waiting = (0..<3).map { _ in Background { try server.get("/ok").status } }
            letPass(0.5)
            kill(try server.daemon().pid, SIGKILL)
            #expect(try first.value() == 502)
            for request in waiting { #expect(try request.value() == 200) }
        }
    }

    @Test(.enabled(if: Machine.hasBacktraces, "no backtraces under this sanitizer"))
    func trapsBesideOtherRequests_haveTheirBacktraces() throws {
        try withTrouble { server in
            server.announce("SWSGI3004", "[group one]")
            let load = LoadGenerator(port: server.port, connections: 2, targets: ["/ok"]) { _, _ in nil }
            for count in 1...6 {
                #expect(try server.get("/trap").status == 502)
                try eventually("backtrace \(count)", within: 40) {
                    server.logs.lines(containing: "Backtrace took").count >= count
                }
            }
            _ = try load.finish()
            #expect(server.logs.lines(containing: "SWSGI3001", "SIGSEGV").isEmpty)
        }
    }

    @Test func processThatKeepsDying_isRestartedEverMoreSlowly() throws {
        try withTrouble("processes=1 threads=1") { server in
            server.announce("SWSGI3004")
            for _ in 0..<8 {
                let status = try server.get("/exit").status
                #expect(status == 502)
            }
            try server.logs.waitForLine("SWSGI3004", "one")
            #expect(try server.get("/ok").text == "ok\n")
        }
    }

    @Test(arguments: [("/throw", "thrown before the head"), ("/never-start", "")])
    func failureOfTheApplication_isAnswered500AndCostsNoProcess(path: String, text: String) throws {
        try withTrouble { server in
            server.announce("SWSGI4023", "thrown", "never", "start")
            let before = Set(server.daemons.map(\.pid))
            #expect(try server.get(path).status == 500)
            let line = try server.logs.waitForLine("SWSGI4023")
            #expect(line.text.contains("GET \(path)") || line.text.contains("app.wsgi"), "\(line)")
            if !text.isEmpty { try server.logs.waitForLine(text) }
            #expect(Set(server.daemons.map(\.pid)) == before)
        }
    }

    @Test(arguments: [("/throw-after-head", "SWSGI4024"), ("/short", "SWSGI4025")])
    func responseThatIsNotComplete_neverLooksComplete(path: String, code: String) throws {
        try withTrouble { server in
            server.announce("SWSGI4024", "SWSGI4025", "thrown", "SWSGI4023")
            // 18: cut short; 22: an error, when nothing of the response had left yet.
            let result = try server.curl("--fail", server.url(path))
            #expect([18, 22].contains(result.status), "\(result)")
            try server.logs.waitForLine(code)
        }
    }

    @Test func responseThatIsTooLong_isCutAtItsLength() throws {
        try withTrouble { server in
            server.announce("SWSGI4026")
            let connection = try HTTPConnection(port: server.port)
            #expect(try connection.get("/long").text == "0123456789")
            try server.logs.waitForLine("SWSGI4026")
            #expect(try connection.get("/ok").text == "ok\n")
        }
    }

    @Test func headerWithALineEnd_neverReachesTheClient() throws {
        try withTrouble { server in
            server.announce("SWSGI4023", "header", "Header", "X-Trouble")
            let response = try server.get("/bad-header")
            #expect(response["X-Injected"] == nil)
            #expect(response.status == 500)
        }
    }
}

extension TestServer {
    /// Announces what a crash of the application writes.
    func announceCrashes() {
        announce("SWSGI3001", "SWSGI4022", "SWSGI4024", "[group one]", "pid ")
    }
}

extension LogLine {
    /// The number that follows a text.
    func firstNumber(after marker: String) -> Int? {
        guard let start = text.range(of: marker) else { return nil }
        return Int(text[start.upperBound...].prefix(while: \.isNumber))
    }
}
