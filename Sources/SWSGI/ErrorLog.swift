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
/// What is written as a stream is collected to lines, each of which is logged at level error when it is complete, and
/// the last one when the request ends. After the request is over, lines go to the log of the process group.
public struct ErrorLog: TextOutputStream {
    let exchange: Exchange

    /// Adds text to the stream.
    public mutating func write(_ text: String) {
        // Another thread that writes too gets lines of its own.
        guard exchange.take() else { return exchange.log(.error, text) }
        defer { exchange.release() }
        exchange.unfinishedLine += text
        let pending = exchange.unfinishedLine
        guard let end = pending.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return }
        exchange.unfinishedLine = String(pending[pending.utf8.index(after: end)...])
        exchange.log(.error, String(pending[..<end]))
    }

    /// Logs text at a level; each line of it becomes a line of the log.
    public func log(_ level: LogLevel, _ text: String) {
        exchange.log(level, text)
    }

    /// Ends the line that has been begun, if there is one.
    public func flush() {
        guard exchange.take() else { return }
        defer { exchange.release() }
        guard !exchange.unfinishedLine.isEmpty else { return }
        exchange.log(.error, exchange.unfinishedLine)
        exchange.unfinishedLine = ""
    }
}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension ErrorLog: Sendable {}
