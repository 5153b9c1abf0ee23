import Foundation
import Glibc
import Testing

/// Groups that can't start a process.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct BrokenGroupTests {
    /// F37, F53: the request that waits already, those that come, the other group, and three ways to heal.
    @Test func groupThatCanNotStart_answers503AtOnce_andHeals() throws {
        try withServer { server in
            server.announce("SWSGI3001", "SWSGI3003", "SWSGI3004", "SWSGI3082", "SWSGI4093", "SWSGI3002")
            let one = try server.deploy(.trouble, as: "one")
            let other = try server.deploy(.versionA, as: "other")
            let home = "\(server.directory)/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            try server.start(
                server.application(other, at: "/other", group: "other", options: "threads=2")
                    + server.application(one, options: "threads=2 home=\(home)")
            )
            let pid = try #require(Int32(try server.get("/pid").text))
            rename(home, home + ".away")
            kill(pid, SIGKILL)
            // All of it: until then a thread may take a request with it.
            try eventually("its end") { ProcessFacts(pid: pid) == nil }
            let waiting = (0..<4).map { _ in Background { try server.get("/ok") } }
            for request in waiting { #expect(try request.value(within: 30).status == 503) }
            for _ in 0..<5 {
                let refused = try server.get("/ok")
                #expect(refused.status == 503)
                #expect(refused["Retry-After"].flatMap { Int($0) }.map { (1...40).contains($0) } == true)
            }
            #expect(try server.get("/other").status == 200)
            let line = try server.logs.waitForLine("SWSGI3082", "group 'one'", "directory", "next attempt")
            #expect(line.level == "error")
            try server.logs.waitForLine("SWSGI4093", "'one' has no process", "GET /ok")

            // By a change of the entry file, at once.
            rename(home + ".away", home)
            letPass(1.2)
            server.touch(one)
            #expect(try server.get("/ok").text == "ok\n")
            try server.logs.waitForLine("SWSGI3083", "group 'one'", within: 40)
            #expect(server.logs.lines(containing: "SWSGI3082").count == 1)

            // By the next attempt.
            let daemons = server.daemons
            #expect(daemons.count == 2)
            rename(home, home + ".away")
            for daemon in daemons { kill(daemon.pid, SIGKILL) }
            try eventually("their end") { daemons.allSatisfy { ProcessFacts(pid: $0.pid) == nil } }
            try eventually("the group broken") { try server.get("/ok").status == 503 }
            rename(home + ".away", home)
            for target in ["/ok", "/other"] {
                try eventually("an answer of \(target)", within: 40) { try server.get(target).status == 200 }
            }
        }
    }

    /// F50: whatever dies at its first request is not started in a loop, and keeps nobody waiting.
    @Test func groupWhoseProcessesDieAtOnce_isBroken() throws {
        try withServer { server in
            server.announceCrashes()
            server.announce("SWSGI3004", "SWSGI3082", "SWSGI4093")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=2"))
            var statuses: [Int] = []
            repeat { statuses.append(try server.get("/exit").status) } while statuses.last == 502 && statuses.count < 40
            #expect(statuses.last == 503, "\(statuses)")
            try server.logs.waitForLine("SWSGI3082", "exited with status 3")
            try eventually("an answer", within: 30) { try server.get("/ok").status == 200 }
        }
    }
}
