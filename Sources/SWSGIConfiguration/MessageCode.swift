/// Levels of httpd's error log, with its values.
public enum LogLevel: UInt8, Comparable, Sendable {
    /// The server can't go on.
    case critical = 2
    /// Something failed.
    case error = 3
    /// Something will fail, or is not as configured.
    case warning = 4
    /// Something an administrator wants to know.
    case notice = 5
    /// Normal work.
    case info = 6
    /// For finding faults.
    case debug = 7

    /// The name httpd shows: "error", "warn", ...
    public var name: String {
        switch self {
        case .critical: "crit"
        case .error: "error"
        case .warning: "warn"
        case .notice: "notice"
        case .info: "info"
        case .debug: "debug"
        }
    }

    /// Whether `self` is to be shown when the log keeps up to `limit`.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// One kind of message: every message at notice and above has one, and it never changes its number or meaning.
///
/// 1xxx configuration, 2xxx bundles and entry files, 3xxx processes, 4xxx requests, 5xxx frames, 6xxx refused for security.
public struct MessageCode: Hashable, Sendable {
    /// The number after "SWSGI".
    public let number: Int
    /// The level it is logged at.
    public let level: LogLevel
    /// What it means, in a sentence.
    public let meaning: String
    /// Why it happens.
    public let cause: String
    /// What to do.
    public let cure: String

    init(_ number: Int, _ level: LogLevel, _ meaning: String, cause: String, cure: String) {
        self.number = number
        self.level = level
        self.meaning = meaning
        self.cause = cause
        self.cure = cure
    }

    /// "SWSGI4022".
    public var name: String { "SWSGI\(number)" }

    /// A whole log line's text: the code, then what happened.
    public func text(_ what: String) -> String { "\(name): \(what)" }

    /// Every code, in order: what the documentation and `swsgi explain` print.
    public static let all: [MessageCode] =
        (configuration + bundles + processes + output + requests + exchanges + frames + refusals + deadlines
        + recycling + services + surroundings + mapping + check + embedded + scripts + files).sorted {
            $0.number < $1.number
        }

    /// The code with this number.
    public static func numbered(_ number: Int) -> MessageCode? { all.first { $0.number == number } }
}
