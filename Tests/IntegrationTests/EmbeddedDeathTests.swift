import Foundation
import Testing

/// Applications that end the child of httpd that they run in.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct EmbeddedDeathTests {
    private func withTrouble(_ multiProcessing: String, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            // httpd's own line, the line of the crash, and the backtrace, which is as it comes.
            server.announce("AH00051", "AH00052", "SWSGI4110")
            server.announcesRawLines = true
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.embedded(entry))
            #expect(try server.get("/ok").text == "ok\n")
            try body(server)
            try eventually("an answer") { try server.get("/ok").text == "ok\n" }
        }
    }

    private func directories(_ server: TestServer) throws -> Set<String> {
        let run = "\(server.directory)/run"
        let home = try FileManager.default.contentsOfDirectory(atPath: run).first { $0.hasPrefix("swsgi.embedded-") }
        return Set(try FileManager.default.contentsOfDirectory(atPath: "\(run)/\(try #require(home))"))
    }

    @Test(arguments: ["event", "prefork"]) func f103_trap_endsOneChildAndIsExplained(multiProcessing: String) throws {
        try withTrouble(multiProcessing) { server in
            let children = try server.startedChildren()
            #expect(throws: (any Error).self) { try server.get("/trap?a=b") }
            let line = try server.logs.waitForLine("SWSGI4110", "GET /trap?a=b", "\(server.www)/app/app.wsgi", "SIG")
            let pid = try #require(line.firstNumber(after: "child ").flatMap { Int32(exactly: $0) })
            #expect(children.contains(pid))
            if Machine.hasBacktraces {
                try server.logs.waitForLine("troubleTrap", within: 60)
                try server.logs.waitForLine("Trouble.swift:", within: 60)
            }
            // httpd has the last word.
            try server.logs.waitForLine("AH00052", "\(pid)", within: 30)
            #expect(children.subtracting([pid]).isSubset(of: server.children.map(\.pid)))
        }
    }

    /// On a stack of its own: there is no room on the one that has overflowed.
    @Test func stackOverflow_isReported() throws {
        try withTrouble("event") { server in
            #expect(throws: (any Error).self) { try server.get("/overflow") }
            try server.logs.waitForLine("SWSGI4110", "GET /overflow", "\(server.www)/app/app.wsgi", "SIGSEGV")
            try server.logs.waitForLine("AH00052", within: 60)
        }
    }

    /// In a thread that has served nothing yet, when the runtime has been there for long.
    @Test(.enabled(if: Machine.hasBacktraces, "no backtraces under this sanitizer"))
    func stackOverflowWhileLoading_isReported() throws {
        try withServer { server in
            server.announce("AH00051", "AH00052", "SWSGI4110")
            server.announcesRawLines = true
            server.settings = EmbeddedTests.oneChild
            let first = try server.deploy(.trouble, as: "first")
            let second = try server.deploy(.trouble, as: "second", entry: ["symbol = overflowing_application"])
            try server.start(server.embedded(second, at: "/second") + server.embedded(first))
            let held = Background { try? server.get("/sleep?ms=600000").status }
            try server.logs.waitForLine("loaded", "first.wsgi")
            #expect(throws: (any Error).self) { try server.get("/second") }
            try server.logs.waitForLine("SWSGI4110", "GET /second", second)
            try server.logs.waitForLine("digForEver", within: 60)
            try server.logs.waitForLine("AH00052", within: 60)
            #expect(try held.value() == nil)
        }
    }

    @Test func whatACrashedChildHasLeft_isRemovedByALaterOne() throws {
        try withTrouble("event") { server in
            let before = try directories(server)
            #expect(!before.isEmpty)
            // In whichever child: those that have loaded the application have a directory.
            for _ in 0..<2 { #expect(throws: (any Error).self) { try server.get("/kill9") } }
            try eventually("no directory of a child that is no more", within: 30) {
                try directories(server).allSatisfy { name in server.children.contains { "\($0.pid)" == name } }
            }
        }
    }

    /// Whatever is left of the children of this generation, the next parent's end, or turn, finds it.
    @Test func whatTheLastChildHasLeft_isRemovedAtTheEnd() throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.embedded(entry))
            #expect(try server.get("/").status == 200)
            let run = "\(server.directory)/run"
            let names = try FileManager.default.contentsOfDirectory(atPath: run)
            let home = "\(run)/\(try #require(names.first { $0.hasPrefix("swsgi.embedded-") }))"
            let facts = try FileManager.default.attributesOfItem(atPath: home)
            #expect((facts[.posixPermissions] as? Int) == 0o700)
            #expect((facts[.ownerAccountName] as? String) == "www-data")
            // As a child that was killed in the moment of the end would leave it.
            try server.write("left", to: "\(home)/1/bundle/bin/left.so")
            try server.graceful()
            try eventually("the end of the first generation's directory", within: 30) {
                !FileManager.default.fileExists(atPath: home)
            }
            #expect(try server.get("/").status == 200)
        }
    }

    private struct Handlers {
        let caught: UInt64
        let ignored: UInt64

        init(_ process: ProcessFacts) {
            caught = UInt64(process.status["SigCgt"] ?? "", radix: 16) ?? 0
            ignored = UInt64(process.status["SigIgn"] ?? "", radix: 16) ?? 0
        }
    }

    /// Of the runtime's handlers none but that of SIGTRAP is new: a report, and then the default action.
    @Test(arguments: ["event", "prefork"]) func httpdsHandlers_stayInTheirPlaces(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.embedded(entry))
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            let pid = try server.facts().pid
            let process = try #require(ProcessFacts(pid: pid))
            let trap: UInt64 = 1 << UInt64(SIGTRAP - 1)
            // Both have all of httpd's only when they have started.
            try eventually("a child without an application, with the same handlers but one") {
                let other = server.children.first { !$0.mappedFiles.contains { $0.hasSuffix("app.so") } }
                let (before, loaded) = (other.map { Handlers($0) }, Handlers(process))
                return before?.caught == loaded.caught & ~trap && before?.ignored == loaded.ignored
            }
            #expect(Handlers(process).caught & trap != 0)
            #expect(Handlers(parent).caught & trap == 0)
        }
    }
}
