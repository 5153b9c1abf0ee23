import Foundation
import Glibc
import Testing

/// Faults that processes, children and the system can show, by their numbers.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct FaultTests {
    private func withStray(_ options: String = "threads=4", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(bundle: CFixture.path("stray"), as: "app")
            try server.start(server.application(entry, options: options))
            try body(server)
        }
    }

    /// The number that a request of the fixture's answers.
    private func number(_ server: TestServer, _ target: String) throws -> Int32 {
        let response = try server.get(target)
        return try #require(Int32(response.text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    // MARK: What a process leaves behind

    @Test func childOfTheApplication_F17_holdsUpNoResponse_andEndsWithItsProcess() throws {
        try withStray { server in
            let child = try number(server, "/stay")
            #expect(ProcessTable.isAlive(child))
            // Its copies of the reply sockets are open: the end of a response is a frame, and not the end of a file.
            for _ in 0..<5 { #expect(try server.get("/").status == 200) }
            let process = try server.daemon()
            kill(process.pid, SIGTERM)
            try eventually("the process replaced") { !ProcessTable.isAlive(process.pid) }
            try eventually("its child gone too") { !ProcessTable.isAlive(child) }
            #expect(try server.get("/").status == 200)
        }
    }

    @Test func detachedProcess_F30_endsWithItsGeneration() throws {
        try withStray { server in
            let detached = try number(server, "/detach")
            let process = try server.daemon()
            kill(process.pid, SIGTERM)
            try eventually("the process replaced") { !ProcessTable.isAlive(process.pid) }
            #expect(ProcessTable.isAlive(detached))
            #expect(try server.get("/").status == 200)
            try server.stop()
            try eventually("the detached process gone") { !ProcessTable.isAlive(detached) }
        }
    }

    /// Both of them come back from the request.
    @Test(arguments: [false, true])
    func forkThatReturnsTwice_isAnsweredOnce_andReachesNoOtherRequest(_ isEmbedded: Bool) throws {
        try withServer { server in
            server.announce("SWSGI3024")
            server.announcesRawLines = true
            let entry = try server.deploy(bundle: CFixture.path("stray"), as: "app")
            try server.start(isEmbedded ? server.embedded(entry) : server.application(entry, options: "threads=2"))
            for _ in 0..<3 {
                let forked = Background { try server.get("/fork").text }
                var others: Set<String> = []
                repeat { others.insert(try server.get("/").text) } while !forked.hasEnded
                #expect(others == ["0\n"])
                let child = try #require(Int32(try forked.value().trimmingCharacters(in: .whitespacesAndNewlines)))
                #expect(child > 0)
                try server.logs.waitForLine(
                    "SWSGI3024",
                    "process \(child), forked",
                    isEmbedded ? "a request" : "GET /fork"
                )
                try eventually("its end") { !ProcessTable.isAlive(child) }
            }
        }
    }

    @Test func forkWhileABundleIsLoaded_startsNoSecondDaemonProcess() throws {
        try withServer { server in
            server.announce("SWSGI3024")
            let bundle = try CFixture.scratchDirectory("swsgi-fork") + "/twice.so"
            let twice = "__attribute__((constructor)) static void twice(void) { (void)fork(); }"
            try CFixture.compile(CFixture.answering("\"ok\\n\"", before: twice), to: bundle)
            let entry = try server.deploy(bundle: bundle, as: "app")
            try server.start(server.application(entry, options: "threads=2"))
            try server.logs.waitForLine("SWSGI3024", "the loading of \(entry)")
            try eventually("one process") { server.daemons.count == 1 }
            for _ in 0..<4 { #expect(try server.get("/").text == "ok\n") }
        }
    }

    @Test func childOfTheApplication_thatCrashes_endsAlone() throws {
        try withStray("processes=1 threads=2") { server in
            let process = try server.daemon().pid
            #expect(try number(server, "/crash-of-a-child") == SIGABRT)
            #expect(try number(server, "/") == 0)
            #expect(try server.daemon().pid == process)
            #expect(server.logs.lines(containing: "SWSGI3001").isEmpty)
        }
    }

    /// As when a shell starts it.
    @Test func programOfTheApplication_hasNoSignalIgnoredOrBlocked() throws {
        try withStray { server in
            let lines = try server.get("/signals").text.split(separator: "\n")
            for name in ["SigBlk", "SigIgn"] {
                let line = try #require(lines.first { $0.hasPrefix(name) })
                let mask = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
                // 32 and 33 are the C library's own, and nobody else can set them.
                #expect(mask & ~(3 << 31) == 0, "\(line)")
            }
        }
    }

    /// As often as there are threads, and once more.
    @Test func threadThatTheApplicationEnds_isReplaced_andItsRequestAnswered500() throws {
        try withStray("processes=1 threads=2") { server in
            server.announce("SWSGI3023", "SWSGI4023")
            let process = try server.daemon().pid
            for count in 1...3 {
                #expect(try server.get("/pthread-exit").status == 500)
                try server.logs.waitForLines(count, "SWSGI3023", "GET /pthread-exit")
            }
            for _ in 0..<4 { #expect(try number(server, "/") == 0) }
            #expect(try server.daemon().pid == process)
            try eventually("two request threads") { ProcessFacts(pid: process)?.threadCount == 3 }
        }
    }

    // MARK: Processes that don't listen

    @Test func deafProcess_F23_drainsAllTheSame() throws {
        try withServer { server in
            server.settings = "WSGIRestrictSignal Off\n"
            let entry = try server.deploy(bundle: CFixture.path("stray"), as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            #expect(try server.get("/deaf").status == 200)
            let process = try server.daemon()
            server.touch(entry)
            #expect(try server.get("/").status == 200)
            try eventually("the deaf process gone") { !ProcessTable.isAlive(process.pid) }
        }
    }

    /// As code does that was written for programs of its own.
    @Test func processWithoutHandlers_F23_drainsAllTheSame() throws {
        try withServer { server in
            server.settings = "WSGIRestrictSignal Off\n"
            let bundle = "\(server.directory)/reset.so"
            let reset = """
                #include <signal.h>
                static const char *reset(void) {
                    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) signal(number, SIG_DFL);
                    while (access("\(server.directory)/go", F_OK)) usleep(5000);
                    return "reset\\n";
                }
                """
            try CFixture.compile(CFixture.answering("reset()", before: reset), to: bundle)
            let entry = try server.deploy(bundle: bundle, as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            let running = Background { try server.get("/").text }
            let process = try eventually("a request at work") { server.daemons.first { $0.exchanges == 1 } }
            kill(process.pid, SIGTERM)
            try server.write("", to: "go")
            #expect(try running.value() == "reset\n")
            try eventually("the process replaced") { !ProcessTable.isAlive(process.pid) }
            #expect(server.logs.lines(containing: "SWSGI3001").isEmpty)
        }
    }

    @Test func processThatNeverEnds_F24_isKilledWhenTheServerStops() throws {
        try withStray("threads=2 shutdown-timeout=1") { server in
            server.announce(
                "SWSGI3009",
                "SWSGI4022",
                "SWSGI4024",
                "SWSGI3001",
                "SWSGI3122",
                "AH00045",
                "AH00046",
                "AH00047"
            )
            let running = Background { try? server.get("/deaf-for-ever").status }
            try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
            try server.stop(within: 40)
            try eventually("end of all processes") { server.processes.isEmpty }
            _ = try running.value()
        }
    }

    @Test func processThatClosesItsDescriptors_F16_isReplaced_andCostsItsOwnRequestOnly() throws {
        try withStray { server in
            server.announce("SWSGI3011", "SWSGI3001", "SWSGI402", "SWSGI3014", "SWSGI3004")
            let process = try server.daemon()
            #expect(try server.get("/close").status == 502)
            try eventually("the process gone") { !ProcessTable.isAlive(process.pid) }
            #expect(try server.get("/").status == 200)
        }
    }

    @Test func backtraceThatHangs_F7_holdsUpNobody_andIsEnded() throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI3009", "SWSGI4022", "[group one]")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            let process = try server.daemon()
            let stopper = Background { () -> Int32 in
                try eventually("the backtrace program", every: 1) {
                    guard let helper = ProcessTable.children(of: process.pid).first else { return nil }
                    kill(helper.pid, SIGSTOP)
                    return helper.pid
                }
            }
            #expect(try server.get("/trap").status == 502)
            #expect(try server.get("/ok").status == 200)
            let helper = try stopper.value()
            try eventually("process and backtrace program gone", within: 60) {
                !ProcessTable.isAlive(process.pid) && !ProcessTable.isAlive(helper)
            }
            #expect(try server.get("/ok").status == 200)
        }
    }

    // MARK: Slow storage, slow starts

    /// Whether an entry file has changed is known from what httpd has seen when it mapped the URL.
    @Test(.enabled(if: Machine.canTrace, "needs strace"))
    func slowStorage_F101_isNoMatterOfDaemonProcessOrSupervisor() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            let daemon = try server.daemon()
            let tracer = try Tracer(
                [daemon.pid, daemon.parent],
                ["-e", "trace=%file"],
                record: "\(server.directory)/calls"
            )
            for _ in 0..<50 { #expect(try server.get("/").status == 200) }
            #expect(tracer.calls.isEmpty, "\(tracer.calls)")
            // strace sees what it should: a replacement looks at files.
            server.touch(entry)
            #expect(try server.get("/").status == 200)
            try eventually("calls that concern files") { tracer.calls.contains("app.wsgi") }
            try tracer.end()
        }
    }

    @Test func slowStart_F102_isWaitedForOnce_andHiddenByAReload() throws {
        try withServer { server in
            let place = "\(server.www)/app"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            // It is loaded when a file of its name is there.
            func install(_ text: String) throws {
                let constructor = """
                    __attribute__((constructor)) static void load(void) {
                        while (access("\(server.directory)/\(text)", F_OK)) usleep(5000);
                    }
                    """
                try CFixture.compile(CFixture.answering("\"\(text)\"", before: constructor), to: "\(place)/app.so")
            }
            try install("old")
            let entry = try server.write("bundle = app.so\n", to: "www/app/app.wsgi")
            try server.start(server.application(entry, options: "threads=4"))
            // No other process could answer it: it waits in the queue.
            let first = Background { try server.get("/").text }
            try server.logs.waitForLine("process", "started")
            try server.write("", to: "old")
            #expect(try first.value() == "old")
            try install("new")
            server.touch(entry)
            let waiting = Background { try server.get("/").text }
            try server.logs.waitForLine("SWSGI3006")
            let meanwhile = try (0..<20).map { _ in try server.get("/").text }
            #expect(meanwhile.allSatisfy { $0 == "old" }, "\(meanwhile)")
            try server.write("", to: "new")
            #expect(try waiting.value() == "new")
        }
    }

    // MARK: Children of httpd

    @Test func childrenThatAreRecycled_F71_loseNoRequest() throws {
        try withServer { server in
            server.settings = "MaxConnectionsPerChild 20\n"
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "threads=8"))
            let first = Set(server.children.map(\.pid))
            for round in 0..<10 {
                let load = LoadGenerator(port: server.port, connections: 16, requests: 200)
                let report = try load.wait()
                #expect(report.failures.isEmpty, "round \(round): \(report)")
            }
            try eventually("other children") { !first.isSubset(of: Set(server.children.map(\.pid))) }
        }
    }

    @Test func childWithoutDescriptors_F80_answers503_andRecovers() throws {
        try withServer { server in
            server.descriptorLimit = 64
            server.settings = "StartServers 1\nServerLimit 1\nMaxRequestWorkers 80\n"
            server.announce("SWSGI4", "AH")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, at: "/app"))
            // The only child's descriptors go to connections, all but one: a pair of sockets needs two.
            var connections: [HTTPConnection] = []
            while server.children.map(\.descriptors.count).max() ?? 0 < 63 {
                let connection = try HTTPConnection(port: server.port)
                connections.append(connection)
                #expect(connections.count < 100)
                if connections.count >= 100 { return }
                _ = try connection.get("/nothing")
            }
            let statuses = try connections.prefix(5).map { try $0.get("/app").status }
            #expect(statuses.allSatisfy { $0 == 503 }, "\(statuses)")
            try server.logs.waitForLine("SWSGI4030", "'one'", "Too many open files")
            connections.removeLast(20)
            try eventually("service again") { try server.get("/app").status == 200 }
        }
    }

    // MARK: Disks

    @Test(.enabled(if: Machine.canMount, "needs to mount a file system"))
    func fullRuntimeDirectory_F88_keepsTheOldCodeServing_untilThereIsRoom() throws {
        try withServer { server in
            server.announce("SWSGI2", "SWSGI3008")
            let directory = "\(server.directory)/run"
            // Room for one copy of the bundle, and not for two.
            try run("/bin/mount", ["-t", "tmpfs", "-o", "size=1400k", "tmpfs", directory]).check()
            defer { _ = try? run("/bin/umount", [directory]) }
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            #expect(try server.get("/ok").status == 200)
            let process = try server.daemon()
            server.touch(entry)
            #expect(try server.get("/ok").status == 200)
            try server.logs.waitForLine("SWSGI3008")
            #expect(server.daemons.map(\.pid).contains(process.pid))
            try run("/bin/mount", ["-o", "remount,size=16m", directory]).check()
            server.touch(entry)
            #expect(try server.get("/ok").status == 200)
            try eventually("the new code") { !ProcessTable.isAlive(process.pid) }
            try server.stop()
            try eventually("end of all processes") { server.processes.isEmpty }
        }
    }

    // MARK: Users

    @Test func removedUser_F36_keepsItsNumber_untilTheNextStart() throws {
        try withServer { server in
            let name = "swsgi-test-removed"
            _ = try? run("/usr/sbin/userdel", [name])
            try run("/usr/sbin/useradd", ["--system", "--no-create-home", "--user-group", name]).check()
            defer { _ = try? run("/usr/sbin/userdel", [name]) }
            let entry = try server.deploy(.facts, as: "app")
            let lines = server.application(entry).replacingOccurrences(
                of: "user=\(TestUser.first.name) group=\(TestUser.first.name)",
                with: "user=\(name) group=\(name)"
            )
            try server.start(lines)
            let first = try server.facts()
            // It has processes.
            try run("/usr/sbin/userdel", ["--force", name]).check()
            kill(first.pid, SIGTERM)
            try eventually("a new process of the same user") {
                let facts = try server.facts()
                return facts.pid != first.pid && facts["uid"] == first["uid"]
            }
            let check = try server.signal("configtest")
            #expect(check.status != 0 && check.errors.contains("SWSGI1009"), "\(check.errors)")
            // `apachectl stop` reads the configuration, too.
            try server.configure("")
        }
    }

    // MARK: Servers

    @Test func secondServerWithTheSameConfiguration_F67_leavesTheFirstAlone() throws {
        try withServer { server in
            server.announce("AH00072", "AH00451", "AH00015", "AH00016")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=2"))
            try eventually("both processes") { server.daemons.count == 2 }
            let before = Set((server.daemons + server.supervisors).map(\.pid))
            let text = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
            let other = try server.write(
                text.replacingOccurrences(of: "run/httpd.pid", with: "run/other.pid"),
                to: "other.conf"
            )
            let second = try run(Installation.apache, ["-f", other, "-k", "start"])
            #expect(second.status != 0)
            #expect(try server.get("/").status == 200)
            #expect(Set((server.daemons + server.supervisors).map(\.pid)) == before)
        }
    }
}
