import Foundation
import Testing

/// A bundle that attacks: it runs as one user, and tries what it can on the processes of another, on httpd and on the supervisor.
///
/// The names have the numbers of the threats.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct HostileBundleTests {
    /// In httpd's environment and in its configuration, and nowhere else.
    private static let canary = "canary-5f2c81d09ab7e346"

    /// The attacker's server, with everybody whom it may want to reach.
    private struct Scene {
        let server: TestServer
        let attacker: ProcessFacts
        let victim: ProcessFacts
        let supervisor: ProcessFacts
        let parent: ProcessFacts
        let child: ProcessFacts

        var others: [(name: String, process: ProcessFacts)] {
            [("victim", victim), ("supervisor", supervisor), ("parent", parent), ("child", child)]
        }

        /// What came of commands: a line for each.
        func attempt(_ commands: String) throws -> [String] {
            let response = try server.get("/attacker", headers: ["X-Do: \(commands)"])
            #expect(response.status == 200)
            return response.text.split(separator: "\n").map(String.init)
        }

        /// The same command against each process.
        func attemptOnAll(_ command: String) throws -> [String: String] {
            var results: [String: String] = [:]
            for (name, process) in others { results[name] = try attempt("\(command):\(process.pid)").first }
            return results
        }

        /// Nobody has been harmed.
        func expectAllWell() throws {
            for (name, process) in others { #expect(ProcessTable.isAlive(process.pid), "\(name)") }
            #expect(try server.facts("/victim").pid == victim.pid)
        }
    }

    private func withAttacker(_ options: String = "", _ body: (Scene) throws -> Void) throws {
        try withServer { server in
            server.environment = ["SWSGI_CANARY": Self.canary, "LD_DEBUG_OUTPUT": "/tmp/x", "MALLOC_CHECK_": "0"]
            let attacker = try server.deploy(bundle: CFixture.path("attacker"), as: "attacker")
            let victim = try server.deploy(.facts, as: "victim")
            try server.start(
                "Header set X-Canary \"\(Self.canary)\"\n"
                    + server.application(attacker, at: "/attacker", group: "attacker", options: "threads=1 \(options)")
                    + server.application(victim, at: "/victim", group: "victim", user: .second)
            )
            let facts = try server.facts("/victim")
            let scene = Scene(
                server: server,
                attacker: try #require(server.daemons.first { $0.pid != facts.pid }),
                victim: try #require(ProcessFacts(pid: facts.pid)),
                supervisor: try #require(server.supervisors.first),
                parent: try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) }),
                child: try #require(server.children.first)
            )
            #expect(scene.attacker.userIDs[0] == TestUser.first.uid && scene.victim.userIDs[0] == TestUser.second.uid)
            try body(scene)
        }
    }

    @Test(.enabled(if: !Machine.isSanitized, "a sanitizer's memory is as large as the address space"))
    func s1_memoryOfHttpd_isNotInTheProcess() throws {
        try withAttacker { scene in
            // The search finds what is there: the request's own header.
            let own = String("HTTP_X_DO".reversed())
            let found = try #require(scene.attempt("find:\(own)").first)
            #expect(found.hasSuffix(" in all") && found != "find 0 in all")
            #expect(try scene.attempt("find:\(String(Self.canary.reversed()))") == ["find 0 in all"])
            #expect(ProcessTable.text("/proc/\(scene.parent.pid)/environ").contains(Self.canary))
            let maps = ProcessTable.text("/proc/\(scene.attacker.pid)/maps").split(separator: "\n")
            #expect(maps.count > 10)
            // But the page in which the group's processes say which request they have: numbers of processes, and nothing else.
            let shared = maps.filter { $0.split(separator: " ")[1].hasSuffix("s") }
            #expect(shared.count == 1 && shared.allSatisfy { $0.contains("/memfd:swsgi-takers") }, "\(shared)")
        }
    }

    @Test func s2_noDescriptorButItsFive_isThereToBeUsed() throws {
        try withAttacker { scene in
            let numbers = try #require(scene.attempt("descriptors:").first).split(separator: " ").compactMap { Int($0) }
            #expect(numbers.prefix(5) == [0, 1, 2, 3, 4] && numbers.count == 6, "with the reply socket: \(numbers)")
            try scene.expectAllWell()
        }
    }

    /// The queue's far end is the group's own: what is written there reaches nobody.
    @Test func s2_foreignBytesInTheOwnQueue_reachNobody() throws {
        try withAttacker { scene in
            #expect(try scene.attempt("flood:") == ["flood EAGAIN"])
            for _ in 0..<5 { #expect(try scene.attempt("descriptors:").count == 1) }
            try scene.expectAllWell()
        }
    }

    @Test(arguments: ["signal", "ptrace", "memory", "descriptor", "limit"])
    func s3_processesOfOthers_areOutOfReach(_ command: String) throws {
        try withAttacker { scene in
            for (name, result) in try scene.attemptOnAll(command) { #expect(result == "\(command) EPERM", "\(name)") }
            try scene.expectAllWell()
        }
    }

    @Test(arguments: ["mem", "environ", "maps", "fd/3", "cwd/"])
    func s3_filesOfOthersInProc_areOutOfReach(_ file: String) throws {
        try withAttacker { scene in
            for (name, process) in scene.others {
                let result = try scene.attempt("open:/proc/\(process.pid)/\(file)")
                #expect(result == ["open EACCES"] || result == ["open EPERM"], "\(name)")
            }
            try scene.expectAllWell()
        }
    }

    /// Processes of one user may send each other signals, but not look into each other.
    @Test func s3_processOfTheSameUser_canNotBeLookedInto() throws {
        try withServer { server in
            let attacker = try server.deploy(bundle: CFixture.path("attacker"), as: "attacker")
            try server.start(server.application(attacker, options: "threads=1 processes=2"))
            try eventually("two processes") { server.daemons.count == 2 }
            #expect(try server.get("/", headers: ["X-Do: descriptors:"]).status == 200)
            let attempts = server.daemons.map { "ptrace:\($0.pid)" }.joined(separator: " ")
            // Neither the other one nor itself.
            #expect(try server.get("/", headers: ["X-Do: \(attempts)"]).text == "ptrace EPERM\nptrace EPERM\n")
        }
    }

    @Test func s4_rightsOfRoot_canNotBeHadAgain() throws {
        try withAttacker { scene in
            let result = try scene.attempt("become:root")
            #expect(result == ["become EPERM"])
            let status = scene.attacker.status
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status[set] == "0000000000000000", "\(set)")
            }
            #expect(status["NoNewPrivs"] == "1")
        }
    }

    @Test func s4_setUserIDProgram_runsWithoutItsRights() throws {
        try withAttacker { scene in
            let program = "\(scene.server.directory)/probe"
            try scene.server.write(
                "#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf(\"%d %d\", getuid(), geteuid()); }\n",
                to: "probe.c"
            )
            try run("/usr/bin/cc", ["-o", program, "\(program).c"]).check()
            chown(program, 0, 0)
            chmod(program, 0o4755)
            #expect(try scene.attempt("run:\(program)") == ["run \(TestUser.first.uid) \(TestUser.first.uid)"])
        }
    }

    /// F108.
    @Test func programOfAnApplication_getsNoDescriptorOfOurs() throws {
        try withAttacker { scene in
            // Three, and the one that reads the directory.
            let numbers = try scene.attempt("run:/bin/ls")
            #expect(numbers == ["run 0 1 2 3 "])
        }
    }

    @Test func snapshotsOfOthers_areOutOfReach() throws {
        try withAttacker { scene in
            let bundle = try #require(scene.victim.mappedFiles.first { $0.hasSuffix("/victim.so") })
            var directory = URL(fileURLWithPath: bundle).deletingLastPathComponent()
            // From the copy up to what belongs to the whole process.
            while !directory.lastPathComponent.contains("-") { directory.deleteLastPathComponent() }
            #expect(try scene.attempt("open:\(bundle) list:\(directory.path)") == ["open EACCES", "list EACCES"])
            let all = directory.deletingLastPathComponent()
            #expect(all.lastPathComponent.hasPrefix("swsgi-"))
            #expect(try scene.attempt("list:\(all.path)") == ["list EACCES"])
            #expect(try scene.attempt("write:\(bundle)") == ["write EACCES"])
            try scene.expectAllWell()
        }
    }

    /// F110 and S24: nothing of what stands in httpd's environment.
    @Test func f110_environmentOfHttpd_isNotTheProcesss() throws {
        try withAttacker { scene in
            for process in [scene.attacker, scene.victim] {
                #expect(
                    Set(process.environment.keys) == ["PATH", "LANG", "HOME", "USER", "LOGNAME", "SWIFT_BACKTRACE"]
                )
            }
            #expect(scene.parent.environment["MALLOC_CHECK_"] == "0")
        }
    }

    /// The other group's requests are answered while every thread and every place in the queue of this one is taken.
    @Test func s6_busyGroup_starvesNobody() throws {
        try withServer { server in
            server.announce("SWSGI4061")
            let hog = try server.deploy(.trouble, as: "hog")
            let victim = try server.deploy(.facts, as: "victim")
            try server.start(
                server.application(hog, at: "/hog", group: "hog", options: "threads=1 listen-backlog=1")
                    + server.application(victim, at: "/victim", group: "victim", user: .second)
            )
            let pid = try server.facts("/victim").pid
            let hold = server.hold()
            let held = (0..<10).map { _ in Background { try server.get("/hog\(hold.target)").status } }
            try server.logs.waitForLine("SWSGI4061", "'hog'")
            for _ in 0..<50 { #expect(try server.facts("/victim").pid == pid) }
            #expect(server.daemons.contains { $0.exchanges > 0 }, "the other group is still busy")
            hold.release()
            #expect(try held.map { try $0.value() }.contains(200))
        }
    }
}
