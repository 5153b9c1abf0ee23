import Foundation
import Glibc
import Testing

/// How long to soak; without it there is no soak.
private let soakSeconds = ProcessInfo.processInfo.environment["SWSGI_SOAK"].flatMap { Double($0) }

/// Everything that replaces processes, again and again under load: run by scripts/soak.
@Suite(.enabled(if: Machine.canServe && soakSeconds != nil, "run by scripts/soak"))
struct SoakTests {
    /// What is counted before and after.
    private struct Holdings {
        var processes: Int
        var descriptors: Int
        var files: Int
        /// Kilobytes of httpd's parent and of the supervisor.
        var parent: Int
        var supervisor: Int

        init(_ server: TestServer) throws {
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            let supervisors = server.supervisors
            processes = server.daemons.count + supervisors.count
            descriptors = ([parent] + supervisors + server.daemons).map(\.descriptors.count).reduce(0, +)
            files = (try? FileManager.default.subpathsOfDirectory(atPath: "\(server.directory)/run"))?.count ?? 0
            self.parent = parent.resident
            supervisor = supervisors.map(\.resident).max() ?? 0
        }
    }

    /// About once between two touches.
    private let recycling = "maximum-requests=4000 maximum-requests-jitter=2000"

    @Test(.tags(.long)) func replacementsOfEveryKind_underLoad_loseNothing() throws {
        let seconds = try #require(soakSeconds)
        try withServer { server in
            // The failed deployments, and what a process says that is told to go.
            server.announce("SWSGI2", "SWSGI3008", "SWSGI3086")
            let ids = "\(server.directory)/www/ids"
            try FileManager.default.createDirectory(atPath: ids, withIntermediateDirectories: true)
            chown(ids, uid_t(TestUser.first.uid), gid_t(TestUser.first.gid))
            let entry = try server.deploy(.soak, as: "app", entry: ["environment.SOAK_IDS = \(ids)"])
            let good = try String(contentsOfFile: entry, encoding: .utf8)
            try server.copy(CFixture.path("no_symbol"), to: "\(server.www)/app/broken.so")
            try server.start(server.application(entry, options: "processes=2 threads=16 \(recycling)"))

            let quiet = try run(server, "quiet", for: min(seconds / 6, 30))
            try server.graceful()
            try settle(server)
            let before = try Holdings(server)

            let load = SoakLoad(port: server.port, connections: 64, name: "soak")
            let disturbance = Disturbance(server, entry: entry, good: good)
            var counts = try disturbance.run(for: seconds)
            let report = try load.finish()
            try settle(server)
            let after = try Holdings(server)
            counts.worn = server.logs.lines(containing: "is to be replaced: maximum_requests").count

            try show(quiet, report, counts, before, after, recorded: recorded(ids))
            try judge(quiet, report, before, after, recorded: recorded(ids), isLong: seconds >= 300)
        }
    }

    private func run(_ server: TestServer, _ name: String, for seconds: Double) throws -> SoakReport {
        let load = SoakLoad(port: server.port, connections: 64, name: name)
        letPass(seconds)
        return try load.finish()
    }

    /// Waits until there is one generation with its two processes, and nothing of the others.
    private func settle(_ server: TestServer) throws {
        try eventually("one generation", within: 60) { server.supervisors.count == 1 && server.daemons.count == 2 }
        try eventually("snapshots removed, and what httpd's children of before had", within: 30) {
            let names = try FileManager.default.subpathsOfDirectory(atPath: "\(server.directory)/run")
            return names.count { $0.hasSuffix(".so") } <= 2 && names.count { $0.hasPrefix("swsgi.embedded-") } == 1
        }
    }

    /// Ids of all requests that applications began, with how often they did.
    private func recorded(_ directory: String) throws -> [Substring: Int] {
        var counts: [Substring: Int] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let text = try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
            for id in text.split(separator: "\n") { counts[id, default: 0] += 1 }
        }
        return counts
    }

    private func show(
        _ quiet: SoakReport,
        _ report: SoakReport,
        _ counts: Disturbance.Counts,
        _ before: Holdings,
        _ after: Holdings,
        recorded: [Substring: Int]
    ) {
        let ratio = report.time(perMille: 990) / quiet.time(perMille: 990)
        print(
            """
            | soak | |
            | --- | --- |
            | touches of the entry file | \(counts.touches) |
            | graceful restarts | \(counts.restarts) |
            | processes recycled by SIGUSR1 | \(counts.recyclings) |
            | processes recycled by maximum-requests= | \(counts.worn) |
            | failed deployments | \(counts.failures) |
            | requests | \(report.requests) |
            | idle connections closed by httpd | \(report.idleCloses) |
            | lost | \(report.lost.count) |
            | wrong | \(report.wrong.count) |
            | duplicated | \(recorded.values.count { $0 > 1 }) |
            | p99 beside the quiet run's | \((ratio * 100).rounded() / 100) |
            | processes, before and after | \(before.processes), \(after.processes) |
            | descriptors | \(before.descriptors), \(after.descriptors) |
            | files of the generation | \(before.files), \(after.files) |
            | KiB of httpd's parent | \(before.parent), \(after.parent) |
            | KiB of the supervisor | \(before.supervisor), \(after.supervisor) |
            """
        )
    }

    private func judge(
        _ quiet: SoakReport,
        _ report: SoakReport,
        _ before: Holdings,
        _ after: Holdings,
        recorded: [Substring: Int],
        isLong: Bool
    ) throws {
        for one in [quiet, report] {
            #expect(one.lost.isEmpty, "\(one.lost.prefix(10))")
            #expect(one.wrong.isEmpty, "\(one.wrong.prefix(10))")
        }
        let twice = recorded.filter { $0.value > 1 }
        #expect(twice.isEmpty, "\(twice.prefix(10))")
        #expect(recorded.count == quiet.requests + report.requests)
        #expect(after.processes == before.processes)
        #expect(after.descriptors <= before.descriptors)
        #expect(after.files <= before.files)
        #expect(after.parent <= before.parent + 1024)
        #expect(after.supervisor <= before.supervisor + 4096)
        // A short run has too few requests between its disturbances.
        if isLong { #expect(report.time(perMille: 990) <= 3 * quiet.time(perMille: 990)) }
    }
}

/// What a soak does to a server: deployments good and bad, graceful restarts, processes told to go.
private final class Disturbance: @unchecked Sendable {
    struct Counts {
        var touches = 0
        var restarts = 0
        var recyclings = 0
        /// By maximum-requests.
        var worn = 0
        var failures = 0
    }

    // Used by the test's own thread only.
    private let server: TestServer
    private let entry: String
    private let good: String
    private var counts = Counts()

    init(_ server: TestServer, entry: String, good: String) {
        self.server = server
        self.entry = entry
        self.good = good
    }

    /// Touches and recycles once in less than three seconds, restarts once in twelve, fails to deploy once in thirty.
    func run(for seconds: Double) throws -> Counts {
        let end = Deadline(seconds)
        var step = 0
        while !end.hasPassed {
            step += 1
            server.touch(entry)
            counts.touches += 1
            letPass(1.1)
            if let process = server.daemons.randomElement() {
                kill(process.pid, SIGUSR1)
                counts.recyclings += 1
            }
            letPass(1.1)
            if step % 4 == 0 {
                try server.graceful()
                counts.restarts += 1
            }
            if step % 10 == 5 { try failDeployment() }
            letPass(0.3)
        }
        return counts
    }

    private func failDeployment() throws {
        let failed = server.logs.lines(containing: "SWSGI3008").count
        try replaceEntry(by: "bundle = broken.so\n")
        try server.logs.waitForLines(failed + 1, "SWSGI3008")
        try replaceEntry(by: good)
        counts.failures += 1
    }

    /// Whole at every moment, as a deployment should.
    private func replaceEntry(by text: String) throws {
        try server.write(text, to: entry + ".new")
        guard rename(entry + ".new", entry) == 0 else { throw ServerFailure("rename") }
    }
}
