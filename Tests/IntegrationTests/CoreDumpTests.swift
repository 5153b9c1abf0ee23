import Foundation
import Glibc
import Testing

/// Memory of daemon processes on disk: only where httpd is configured to have it.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct CoreDumpTests {
    /// Whether the system writes core dumps into the working directory, and lets us have them.
    static var isPossible: Bool {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        let pattern = ProcessTable.text("/proc/sys/kernel/core_pattern").trimmingCharacters(in: .whitespacesAndNewlines)
        return limit.rlim_max > 1 << 26 && pattern.hasPrefix("core")
    }

    private func cores(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0.hasPrefix("core") }
    }

    private func crash(_ lines: (String) -> String, _ body: (TestServer, String, ProcessFacts) throws -> Void) throws {
        try withServer { server in
            server.announceCrashes()
            let directory = "\(server.directory)/cores"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            chmod(directory, 0o1777)
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(lines(directory) + server.application(entry, options: "threads=1 home=\(directory)"))
            #expect(try server.get("/ok").status == 200)
            let process = try #require(server.daemons.first)
            let limits = ProcessTable.text("/proc/\(process.pid)/limits")
            let none = limits.contains(#/Max core file size +0 +0 /#)
            #expect(none == lines("").isEmpty)
            #expect(try server.get("/segv").status == 502)
            try server.logs.waitForLine("SWSGI3001", "SIGSEGV", within: 60)
            #expect(try server.get("/ok").status == 200)
            try body(server, directory, process)
        }
    }

    /// F8 and S25.
    @Test func f8_crash_leavesNoCoreDump_unlessConfigured() throws {
        try crash({ _ in "" }) { _, directory, _ in #expect(cores(directory) == []) }
    }

    @Test(.enabled(if: isPossible, "this system writes no core dumps into directories"))
    func f8_crash_leavesACoreDump_whereHttpdHasIts() throws {
        try crash({ $0.isEmpty ? "CoreDumpDirectory" : "CoreDumpDirectory \($0)\n" }) { _, directory, _ in
            try eventually("a core dump") { cores(directory).count == 1 }
        }
    }
}
