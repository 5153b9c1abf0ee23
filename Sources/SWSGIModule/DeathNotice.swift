internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// An exchange whose daemon process ended: logged after the client has its answer.
final class DeathNotice {
    let group: Int
    let time: Int64
    let entryFile: String
    let line: String
    let hadBegun: Bool

    /// Nanoseconds by which the supervisor's record may be older than the end of the socket, which it usually follows.
    private static let usualLead: Int64 = 2_000_000
    /// The same on a busy machine.
    private static let longestLead: Int64 = 250_000_000
    /// Nanoseconds to wait for a usual record, and for any.
    private static let usualPatience: Int64 = 200_000_000
    private static let longestPatience: Int64 = 1_000_000_000

    init(group: Int, time: Int64, entryFile: String, line: String, hadBegun: Bool) {
        self.group = group
        self.time = time
        self.entryFile = entryFile
        self.line = line
        self.hadBegun = hadBegun
    }

    /// Waits for the record of the process that has ended, for a moment.
    private func end(_ generation: Generation) -> RecordedEnd? {
        while true {
            let waited = Clock.monotonic - time
            let lead = waited < Self.usualPatience ? Self.usualLead : Self.longestLead
            let found = generation.ends.ends(group: group, since: time - lead)
            if let nearest = found.min(by: { abs($0.time - time) < abs($1.time - time) }) { return nearest }
            guard waited < Self.longestPatience else { return nil }
            usleep(2000)
        }
    }

    /// The line for the log.
    func problem(_ generation: Generation) -> Problem {
        let name = generation.groups[group].name
        let process =
            end(generation).map { "process \($0.pid) of group '\(name)' \(ProcessEnd(waitStatus: $0.waitStatus))" }
            ?? "a process of group '\(name)' ended"
        let what = "\(process) while it ran \"\(line)\" of \(entryFile)"
        return hadBegun
            ? Problem(.responseCut, "\(what); the response had begun, the connection was aborted")
            : Problem(.processDied, what)
    }
}

@c @implementation
func swsgi_death_report(_ request: OpaquePointer, _ token: UnsafeMutableRawPointer) {
    let notice = Unmanaged<DeathNotice>.fromOpaque(token).takeRetainedValue()
    guard let generation = parent.generation else { return }
    log(notice.problem(generation), request: request)
}
