internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// An exchange whose daemon process ended: logged after the client has its answer.
final class DeathNotice {
    let group: Int
    /// The process that has taken the exchange; 0: none has said so.
    let taker: Int32
    let entryFile: String
    let line: String
    let hadBegun: Bool

    /// Nanoseconds to wait for the supervisor, which learns of the end a moment later.
    private static let patience: Int64 = 1_000_000_000

    init(group: Int, taker: Int32, entryFile: String, line: String, hadBegun: Bool) {
        self.group = group
        self.taker = taker
        self.entryFile = entryFile
        self.line = line
        self.hadBegun = hadBegun
    }

    /// How that process ended, as the supervisor saw it, which is waited for for a moment.
    private func end(_ generation: Generation) -> RecordedEnd? {
        guard taker > 0 else { return nil }
        let limit = Clock.monotonic + Self.patience
        while true {
            if let end = generation.ends.end(of: taker, group: group) { return end }
            guard Clock.monotonic < limit else { return nil }
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
