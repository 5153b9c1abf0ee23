internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem

/// Lines in a virtual host's error log, in httpd's default format.
final class GroupLog {
    /// httpd's level of this module.
    private let limit: UInt8
    private let descriptor: LogDescriptor
    private var sink = LogSink()

    /// The log with this descriptor, which stays open as long as the process lives.
    init(descriptor: Int32, limit: UInt8) {
        self.descriptor = LogDescriptor(descriptor)
        self.limit = limit
    }

    /// A line of the supervisor's own; its one thread has the number of the process.
    func write(_ code: MessageCode, _ text: String) {
        write(code.level, " [pid \(getpid()):tid \(getpid())] \(code.text(text))")
    }

    /// A line of the supervisor's own, without a code.
    func note(_ text: String) {
        write(.info, " [pid \(getpid()):tid \(getpid())] \(text)")
    }

    /// A line of a daemon process.
    func write(_ level: LogLevel, pid: Int32, group: String, _ text: String) {
        write(level, " [pid \(pid)] [group \(group)] \(text)")
    }

    /// Notices are always shown, as by httpd.
    func shows(_ level: LogLevel) -> Bool { level.rawValue <= max(limit, LogLevel.notice.rawValue) }

    // MARK: A log that takes nothing

    /// What to wait for until the log takes more: the descriptor, or nothing.
    var waiting: Int32? { sink.waitsForRoom ? descriptor.number : nil }

    /// When to call `flush` or to ask `isFull` again, if nothing else happens.
    func nextTurn(now: Int64) -> Int64? {
        [sink.retryAt, isFull(now: now) ? sink.givesUpAt : nil].compactMap(\.self).min()
    }

    /// Whether it is time to try again.
    var isDue: Bool { Clock.monotonic >= sink.retryAt ?? .max }

    /// Whether the processes' output is to wait.
    func isFull(now: Int64) -> Bool { sink.isFull(now: now) }

    /// Writes what the log did not take before.
    func flush() {
        sink.flush(now: Clock.monotonic, log: log)
    }

    private var log: LogSink.Log {
        LogSink.Log(write: descriptor.write) { count in
            let text = MessageCode.linesMissing.text("\(count) lines of process groups are missing here")
            return Self.line(.warning, " [pid \(getpid()):tid \(getpid())] \(text)")
        }
    }

    private func write(_ level: LogLevel, _ rest: String) {
        guard shows(level) else { return }
        sink.add(Self.line(level, rest), now: Clock.monotonic, log: log)
    }

    private static func line(_ level: LogLevel, _ rest: String) -> [UInt8] {
        Array("[\(LogText.time())] [wsgi:\(level.name)]\(rest)\n".utf8)
    }
}
