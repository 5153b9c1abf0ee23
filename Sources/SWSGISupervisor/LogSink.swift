internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem

/// What happened when bytes were offered to a log.
enum LogWrite: Equatable {
    /// So many bytes were taken, perhaps not all.
    case took(Int)
    /// It takes nothing now, and poll will say when it does: a pipe that nobody reads.
    case full
    /// It takes nothing, and nobody will say when it does: a full disk, a program that has ended.
    case failed
}

/// What one error log has not taken yet, and the count of what it never will.
///
/// What the log does not take at once is kept, up to a limit. While there is no room left, the processes' output is not read,
/// so that they wait for the log as they would for a file; when the log has taken nothing for `patience`, output is read and
/// dropped, so that nobody waits for ever. When the log takes again, it is told how much is missing.
///
/// A value: what writes is handed in. Times are monotonic nanoseconds.
struct LogSink {
    /// Bytes that are kept.
    static let limit = 256 * 1024
    /// How long processes wait for a log that takes nothing.
    static let patience: Int64 = Delays.second
    /// How often a log is tried that poll says nothing of.
    static let interval: Int64 = Delays.second / 4

    /// The log's side.
    struct Log {
        var write: (UnsafeRawBufferPointer) -> LogWrite
        /// The line that says that so many are missing.
        var missing: (Int) -> [UInt8]
    }

    private var kept: [UInt8] = []
    private var dropped = 0
    /// When to try again, if poll will not say it.
    private(set) var retryAt: Int64?

    /// Whether poll will say when there is room.
    var waitsForRoom: Bool { !kept.isEmpty && retryAt == nil }

    /// Whether output is not to be read now: there is no room, and the log is not given up yet.
    func isFull(now: Int64) -> Bool { !hasRoom && now < givesUpAt ?? .max }

    /// When the log is given up for as long as it takes nothing, or nil.
    private(set) var givesUpAt: Int64?

    /// Once lines are missing, there is no room before half of the rest has gone: else every other line would say so.
    private var hasRoom: Bool { kept.count < (dropped == 0 ? Self.limit : Self.limit / 2) }

    /// Adds a line, with its newline; a line that has no room is counted and dropped.
    mutating func add(_ line: [UInt8], now: Int64, log: Log) {
        guard hasRoom else { return dropped += 1 }
        let isFirst = kept.isEmpty
        if dropped > 0 { kept += log.missing(dropped) }
        dropped = 0
        kept += line
        if isFirst { flush(now: now, log: log) }
    }

    /// Writes what is kept, as far as the log takes it.
    mutating func flush(now: Int64, log: Log) {
        var written = 0
        var result = LogWrite.took(0)
        while written < kept.count {
            result = kept.withUnsafeBytes { log.write(UnsafeRawBufferPointer(rebasing: $0[written...])) }
            guard case .took(let count) = result, count > 0 else { break }
            written += count
        }
        kept.removeFirst(written)
        retryAt = kept.isEmpty || result == .full ? nil : now.adding(Self.interval)
        if kept.isEmpty {
            givesUpAt = nil
        } else if written > 0 || givesUpAt == nil {
            givesUpAt = now.adding(Self.patience)
        }
        guard kept.isEmpty, dropped > 0 else { return }
        kept = log.missing(dropped)
        dropped = 0
        flush(now: now, log: log)
    }
}

/// The descriptor of an error log, for writing without waiting; it stays open as long as the process lives.
struct LogDescriptor {
    let number: Int32

    /// Takes a log that httpd has open too.
    init(_ shared: Int32) {
        var status = stat()
        guard fstat(shared, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            number = shared
            return
        }
        // A pipe is opened again: this descriptor is not to wait, and not httpd's.
        let own = open("/proc/self/fd/\(shared)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        number = own < 0 ? shared : own
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> LogWrite {
        while true {
            let count = Glibc.write(number, bytes.baseAddress, bytes.count)
            if count >= 0 { return .took(count) }
            if errno == EAGAIN { return .full }
            if errno != EINTR { return .failed }
        }
    }
}
