import Foundation
import Glibc
import Testing

/// Daemon processes that can't become what they should be: they never run as something else.
///
/// The names have the numbers of the faults.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct StartFailureTests {
    private static let prlimit = "/usr/bin/prlimit"

    /// A group that fails when the test wants it, at /, and one that does not, at /other.
    private func withGroups(_ options: String, _ body: (TestServer, ProcessFacts) throws -> Void) throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI3003", "SWSGI3004", "SWSGI3082", "SWSGI4093")
            let entry = try server.deploy(.facts, as: "app")
            let other = try server.deploy(.versionA, as: "other")
            try server.start(
                server.application(other, at: "/other", group: "other", user: .second)
                    + server.application(entry, options: "threads=1 \(options)")
            )
            #expect(try server.facts()["uid"] == "\(TestUser.first.uid)")
            try body(server, try #require(server.supervisors.first))
        }
    }

    private func end(_ server: TestServer) throws -> Int32 {
        let pid = try server.facts().pid
        kill(pid, SIGKILL)
        try eventually("its end") { !ProcessTable.isAlive(pid) }
        return pid
    }

    /// F35: a system call fails between fork and exec.
    @Test(.enabled(if: Machine.canTrace, "needs strace"))
    func f35_identityThatCanNotBeTaken_startsNoProcess() throws {
        try withGroups("cpu-priority=1") { server, supervisor in
            let faults = [
                ("setgroups:error=EPERM", "groups: Operation not permitted"),
                ("setresgid:error=EPERM", "gid: Operation not permitted"),
                // As when the limit of processes is reached: whoever ignores it goes on as root.
                ("setresuid:error=EAGAIN", "uid: Resource temporarily unavailable"),
                ("capset:error=EPERM", "confine: Operation not permitted"),
                ("prctl:error=EINVAL", "confine: Invalid argument"),
                ("setpriority:error=EACCES", "priority: Permission denied"),
                (
                    "chdir:error=EACCES",
                    "working directory / can't be entered by uid \(TestUser.first.uid): Permission denied"
                ),
            ]
            for (fault, words) in faults {
                let call = String(fault.prefix { $0 != ":" })
                let tracer = try Tracer([supervisor.pid], ["-e", "trace=\(call)", "-e", "inject=\(fault)"])
                _ = try end(server)
                try server.logs.waitForLine("SWSGI3003", "'one'", words)
                let own = server.daemons.filter { $0.userIDs.first != TestUser.second.uid }
                #expect(
                    own.allSatisfy { $0.state == "Z" || !$0.mappedFiles.contains { $0.hasSuffix("/app.so") } },
                    "\(own)"
                )
                #expect(try server.get("/other").status == 200)
                try tracer.end()
                server.touch("\(server.www)/app/app.wsgi")
                try eventually("a process again after \(fault)", within: 60) {
                    (try? server.facts())?["uid"] == "\(TestUser.first.uid)"
                }
            }
        }
    }

    /// Containers and service managers take capabilities away: the log names what is missing, and how it is had.
    @Test(arguments: [("chown", "CHOWN"), ("dac_override", "DAC_OVERRIDE"), ("kill", "KILL")])
    func missingCapability_isNamed_withItsCure(_ capability: String, _ name: String) throws {
        try withServer { server in
            server.announce("SWSGI1172", "SWSGI3003", "SWSGI3004", "SWSGI3022", "SWSGI3082", "SWSGI4093", "AH")
            server.missingCapabilities = [capability]
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry, options: "threads=1"))
            try server.logs.waitForLine("SWSGI3022", "CAP_\(name)", "--cap-add=\(name)")
            if capability == "chown" {
                try server.logs.waitForLine("SWSGI3003", "Operation not permitted", "CAP_CHOWN", "--cap-add=CHOWN")
            } else {
                #expect(try server.facts()["uid"] == "\(TestUser.first.uid)")
            }
            #expect(server.logs.lines(containing: "SWSGI3022").allSatisfy { $0.text.contains("CAP_\(name)") })
            if capability == "dac_override" {
                try server.stop()
                // They are there still; a server that may remove them does, when nothing can be just being made.
                letPass(3)
                server.missingCapabilities = []
                try server.start(server.application(entry, options: "threads=1"))
                #expect(try server.facts()["uid"] == "\(TestUser.first.uid)")
            }
        }
    }

    /// A start fails once; what the supervisor had asked for instead would lie until something else happened.
    @Test func oneFailedStart_isTriedAgainAtOnce_andLeavesNoProcessTooMany() throws {
        try withServer { server in
            let place = try server.write("A=b\n", to: "environment")
            server.announce("SWSGI3001", "SWSGI3003", "SWSGI3004", "SWSGI3082", "SWSGI4093")
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                server.application(entry, options: "threads=1 startup-timeout=5 environment-file=\(place)")
            )
            let pid = try server.facts().pid
            rename(place, place + ".away")
            kill(pid, SIGKILL)
            try server.logs.waitForLine("SWSGI3003", "'one'", place)
            rename(place + ".away", place)
            try server.logs.waitForLine("loaded \(entry)")
            #expect(try server.facts().pid != pid)
            #expect(server.logs.lines(containing: "(not started)").isEmpty)
            // What was started too much would be here now, or when the code changes.
            for round in 1...2 {
                server.touch(entry)
                _ = try server.facts()
                try server.logs.waitForLines(round, "SWSGI3007")
                try eventually("one process") { server.daemons.count == 1 }
            }
        }
    }

    /// The line of a start names what it is about, and not the program.
    @Test func homeThatCanNotBeEntered_isNamedWithItsUser() throws {
        try withServer { server in
            server.announce("SWSGI3003", "SWSGI3004", "SWSGI3082", "SWSGI4093")
            let entry = try server.deploy(.versionA, as: "app")
            let home = "\(server.directory)/closed/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            chmod("\(server.directory)/closed", 0o700)
            try server.start(server.application(entry, options: "home=\(home)"))
            let user = "uid \(TestUser.first.uid)"
            let line = try server.logs.waitForLine("SWSGI3003", "'one'", "working directory \(home)", user)
            #expect(line.text.contains("Permission denied") && !line.text.contains("swsgid"), "\(line)")
            #expect(try server.get("/").status == 503)
            chmod("\(server.directory)/closed", 0o755)
            try eventually("an answer") { try server.get("/").text == "version A\n" }
        }
    }

    @Test(.enabled(if: Machine.canLimit, "needs prlimit"))
    func f34_limitOfProcesses_isNamed_andHeals() throws {
        try withGroups("processes=2") { server, supervisor in
            try eventually("two processes") { server.daemons.count == 3 }
            let pid = "\(supervisor.pid)"
            let hard = try run(Self.prlimit, ["--pid", pid, "--nproc", "-o", "HARD", "--noheadings"]).output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try run(Self.prlimit, ["--pid", pid, "--nproc=0:\(hard)"]).check()
            let ended = try end(server)
            try server.logs.waitForLine(
                "SWSGI3003",
                "'one'",
                "exec: Resource temporarily unavailable",
                "the limit of processes of uid \(TestUser.first.uid) is reached"
            )
            // What is there serves on.
            #expect(try server.facts().pid != ended)
            try run(Self.prlimit, ["--pid", pid, "--nproc=\(hard):\(hard)"]).check()
            try eventually("two processes again") { server.daemons.count == 3 }
        }
    }

    /// F26: the guard page below a small stack ends the process, and nothing else.
    @Test(.enabled(if: !Machine.isSanitized, "a sanitizer has its own stacks"))
    func f26_stackOverflow_isAnswered502() throws {
        try withServer { server in
            server.announceCrashes()
            let place = "\(server.www)/app"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try CFixture.compile(
                CFixture.answering(
                    "deep(1) ? \"never\" : \"never\"",
                    before: """
                        static int deep(volatile int n) {
                            volatile char room[1024];
                            room[0] = (char)n;
                            return deep(n + 1) + room[0];
                        }
                        """
                ),
                to: "\(place)/deep.so",
                ["-fno-optimize-sibling-calls", "-Wno-infinite-recursion"]
            )
            try CFixture.compile(CFixture.answering("\"well\""), to: "\(place)/well.so")
            let deep = try server.write("bundle = deep.so\n", to: "www/app/deep.wsgi")
            let well = try server.write("bundle = well.so\n", to: "www/app/well.wsgi")
            try server.start(
                server.application(deep, at: "/deep", options: "threads=2 stack-size=256K")
                    + "WSGIScriptAlias /well \(well)\n"
            )
            #expect(try server.get("/well").text == "well")
            #expect(try server.get("/deep").status == 502)
            try server.logs.waitForLine("SWSGI3001", "SIGSEGV", within: 60)
            #expect(try server.get("/well").text == "well")
        }
    }
}
