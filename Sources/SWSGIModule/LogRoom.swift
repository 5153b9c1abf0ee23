internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import Synchronization

/// Whether error logs of this child have room for applications' lines: httpd itself waits for a piped log for ever, and an
/// application that writes to its error stream would wait with it.
enum LogRoom {
    /// Milliseconds that a line waits for a log that has taken all lines until now.
    private static let patience: Int32 = 1000
    /// Lines that one log has not taken; logs beyond the first descriptors share a place.
    private static let dropped: [Counter] = (0..<64).map { _ in Counter() }

    private final class Counter: Sendable {
        let lines = Atomic<Int>(0)
    }

    /// Logs an application's line, or counts it: one look at the log (poll) for each line.
    static func log(_ request: OpaquePointer, _ level: LogLevel, _ text: String) {
        let log = swsgi_request_log(request)
        guard log >= 0 else { return swsgi_log_request(request, Int32(level.rawValue), text) }
        let counter = dropped[Int(log) % dropped.count]
        let isGivenUp = counter.lines.load(ordering: .relaxed) > 0
        guard takes(log, text.utf8.count, milliseconds: isGivenUp ? 0 : patience) else {
            counter.lines.add(1, ordering: .relaxed)
            return
        }
        let missing = counter.lines.exchange(0, ordering: .relaxed)
        if missing > 0 {
            let problem = Problem(.linesMissing, "\(missing) lines of process groups are missing here")
            swsgi_log_request(request, Int32(problem.code.level.rawValue), problem.description)
        }
        swsgi_log_request(request, Int32(level.rawValue), text)
    }

    /// F_GETPIPE_SZ, which Swift's Glibc lacks.
    private static let pipeSize: Int32 = 1032

    private static func takes(_ log: Int32, _ bytes: Int, milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: log, events: Int16(POLLOUT), revents: 0)
        guard poll(&polled, 1, milliseconds) != 0 else { return false }
        // A pipe that takes something takes this many bytes without waiting (PIPE_BUF, less what httpd puts before them).
        guard bytes > 3072 else { return true }
        let size = fcntl(log, pipeSize)
        var queued: Int32 = 0
        guard size > 0, ioctl(log, UInt(FIONREAD), &queued) == 0 else { return true }
        return queued <= size / 2
    }
}
