internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem

/// Lines in a virtual host's error log, in httpd's default format.
struct GroupLog {
    /// The log's descriptor, which stays open as long as the process lives.
    let descriptor: Int32
    /// httpd's level of this module.
    let limit: UInt8

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

    private func write(_ level: LogLevel, _ rest: String) {
        guard shows(level) else { return }
        var line = "[\(Self.time())] [wsgi:\(level.name)]\(rest)\n"
        // One call for a line: the file is opened for appending, so that lines of several processes don't mix.
        line.withUTF8 { bytes in
            while Glibc.write(descriptor, bytes.baseAddress, bytes.count) < 0, errno == EINTR {}
        }
    }

    private static func time() -> String {
        let now = Clock.wall
        var seconds = time_t(now / 1_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let micros = String(now % 1_000_000 + 1_000_000).dropFirst()
        return "\(format("%a %b %d %H:%M:%S", &parts)).\(micros) \(parts.tm_year + 1900)"
    }

    private static func format(_ pattern: String, _ parts: inout tm) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress, strftime(start, buffer.count, pattern, &parts) > 0 else { return "" }
            return String(cString: start)
        }
    }
}
