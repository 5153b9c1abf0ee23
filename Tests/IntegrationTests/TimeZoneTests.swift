import Foundation
import Testing

/// The times in error logs.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct TimeZoneTests {
    /// A time zone that no machine has by itself, and that needs no files.
    private static let zone = "WSGI-5:30"

    private func time(_ line: LogLine) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 5 * 3600 + 1800)
        formatter.dateFormat = "EEE MMM dd HH:mm:ss yyyy"
        // [Sat Nov 28 05:31:37.123456 2026]
        let fields = line.text.dropFirst().prefix { $0 != "]" }.split(separator: " ")
        guard fields.count == 5 else { return nil }
        return formatter.date(from: "\(fields[0]) \(fields[1]) \(fields[2]) \(fields[3].prefix(8)) \(fields[4])")
    }

    @Test func allLinesOfALog_haveHTTPDsTimeZone_andApplicationsDoNot() throws {
        try withServer { server in
            server.announce("SWSGI1019")
            server.environment["TZ"] = Self.zone
            let entry = try server.deploy(.facts, as: "app")
            try FileManager.default.createDirectory(atPath: "\(server.www)/bad", withIntermediateDirectories: true)
            let bad = try server.writeEntry("bad", ["bundle = nothing.so"])
            let begin = Date()
            try server.start(server.embedded(bad, at: "/bad") + server.application(entry))
            let facts = try server.facts("/")
            #expect(facts["env.TZ"] == nil)
            try server.logs.waitForLine("SWSGI1019", "nothing.so")
            let supervisor = try #require(server.supervisors.first)
            let writers = ["[pid \(supervisor.pid):", "[pid \(facts.pid)]", "SWSGI1019", "resuming normal operations"]
            for writer in writers {
                let line = try #require(server.logs.lines(containing: writer).first, "\(writer)")
                let written = try #require(time(line), "\(line)")
                #expect(abs(written.timeIntervalSince(begin)) < 1800, "\(line)")
            }
        }
    }
}
