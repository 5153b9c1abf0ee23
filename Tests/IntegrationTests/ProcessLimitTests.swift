import Foundation
import Glibc
import Testing

/// Users that may have no more processes and threads: `ulimit -u`, `LimitNPROC=`.
@Suite(
    .serialized,
    .enabled(if: Machine.canServe && Machine.canLimit, "needs root, apache2, prlimit and the release build")
)
struct ProcessLimitTests {
    /// A group of a user that has only this, at /, and one of another user, at /other; `limit` is for processes from now on.
    private func withGroups(_ options: String, limit: Int, _ body: (TestServer, ProcessFacts) throws -> Void) throws {
        try withServer { server in
            let stray = try server.deploy(bundle: CFixture.path("stray"), as: "app")
            let other = try server.deploy(.facts, as: "other")
            try server.start(
                server.application(other, at: "/other", group: "other", user: .second)
                    + server.application(stray, options: options, user: .limited)
            )
            #expect(try server.get("/").status == 200)
            let supervisor = try #require(server.supervisors.first)
            try run("/usr/bin/prlimit", ["--pid", "\(supervisor.pid)", "--nproc=\(limit):"]).check()
            let first = try #require(server.daemons.first { $0.userIDs.first == TestUser.limited.uid })
            kill(first.pid, SIGTERM)
            let process = try eventually("its successor") {
                server.daemons.first { $0.userIDs.first == TestUser.limited.uid && $0.pid != first.pid }
            }
            try eventually("the end of the first") { !ProcessTable.isAlive(first.pid) }
            try body(server, process)
        }
    }

    @Test func forkBomb_F18_reachesItsUsersLimit_andEndsWithItsGeneration() throws {
        try withGroups("threads=2", limit: 40) { server, process in
            let count = try Int(server.get("/bomb").text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
            #expect(count > 10 && count < 40, "\(count)")
            // The other user's processes do not count: it serves, and has a new process at once.
            let pid = try server.facts("/other").pid
            kill(pid, SIGTERM)
            try eventually("the other's new process") { try server.facts("/other").pid != pid }
            #expect(try server.get("/").status == 200)
            server.announce("SWSGI3001")
            kill(process.pid, SIGKILL)
            try eventually("its children ended with it") {
                ProcessTable.all().count { $0.userIDs.first == TestUser.limited.uid } == 1
            }
            #expect(try server.get("/").status == 200)
        }
    }

    @Test func threadsThatCanNotBeStarted_F22_areTold_andTheOthersServe() throws {
        try withGroups("threads=12", limit: 30) { server, process in
            server.announce("SWSGI3085")
            // Its control thread and twelve more are there; room for some of the next one's.
            let supervisor = try #require(server.supervisors.first)
            try run("/usr/bin/prlimit", ["--pid", "\(supervisor.pid)", "--nproc=18:"]).check()
            kill(process.pid, SIGUSR1)
            try server.logs.waitForLine("SWSGI3085", "of 12 request threads", "Resource temporarily unavailable")
            try eventually("the end of the first") { !ProcessTable.isAlive(process.pid) }
            for _ in 0..<10 { #expect(try server.get("/").status == 200) }
        }
    }
}
