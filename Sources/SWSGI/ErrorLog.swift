import CSWSGI

/// How important a line of the error log is; httpd's `LogLevel` decides which ones are written.
public enum LogLevel: Int32, Sendable, CaseIterable {
    /// The application can't go on.
    case critical = 2
    /// A request failed.
    case error = 3
    /// Something to look at.
    case warning = 4
    /// Normal, but worth a line.
    case notice = 5
    /// For those who ask.
    case info = 6
    /// For those who search for a fault.
    case debug = 7
}

/// The error stream of a request (`wsgi.errors`).
///
/// What is written as a stream is collected to lines, each of which is logged when it is complete, and the last one when the
/// request ends. Lines of a stream are of level error, unless the subscript says otherwise:
///
///     print("the disk is nearly full", to: &request.log[.warning])
///
/// After the request is over, lines go to the log of the process group.
public struct ErrorLog: TextOutputStream {
    let exchange: Exchange
    var level = LogLevel.error

    /// The same log as a stream whose lines are of this level.
    ///
    /// Lines of several levels can be under way at once: they don't mix.
    public subscript(level: LogLevel) -> ErrorLog {
        get { ErrorLog(exchange: exchange, level: level) }
        // For `&log[.warning]` alone: the stream keeps what it has to in the exchange.
        nonmutating set { _ = newValue }
    }

    /// Adds text to the stream.
    public mutating func write(_ text: String) {
        // Another thread that writes too gets lines of its own.
        guard exchange.take() else { return exchange.log(level, text) }
        defer { exchange.release() }
        let lines = exchange.unfinishedLines[level].add(text)
        if let lines { exchange.log(level, lines) }
    }

    /// Logs text at a level; each line of it becomes a line of the log.
    public func log(_ level: LogLevel, _ text: String) {
        exchange.log(level, text)
    }

    /// Ends the lines that have been begun, of every level.
    public func flush() {
        guard exchange.take() else { return }
        defer { exchange.release() }
        exchange.endLines()
    }
}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension ErrorLog: Sendable {}

/// A line of a stream that has been begun and not ended.
struct UnfinishedLine {
    private(set) var text = ""

    /// Adds text, and gives the lines that it ends, without the last line feed.
    mutating func add(_ more: String) -> String? {
        text += more
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { text = String(text[text.utf8.index(after: end)...]) }
        return String(text[..<end])
    }
}

/// The lines that have been begun, by level; without any, no memory.
struct UnfinishedLines {
    private var lines: [(level: LogLevel, line: UnfinishedLine)] = []

    /// The line of one level.
    subscript(level: LogLevel) -> UnfinishedLine {
        get { lines.first { $0.level == level }?.line ?? UnfinishedLine() }
        set {
            lines.removeAll { $0.level == level }
            if !newValue.text.isEmpty { lines.append((level, newValue)) }
        }
    }

    /// Gives the lines away, in the order in which something was last added to them.
    mutating func take() -> [(level: LogLevel, text: String)] {
        defer { lines = [] }
        return lines.map { ($0.level, $0.line.text) }
    }
}
