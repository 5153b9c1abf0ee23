/// The arguments of `WSGIDaemonProcess NAME option=value ...`, checked as far as text goes.
///
/// Source: mod_wsgi's directive of the same name.
public struct DaemonProcessOptions: Equatable, Sendable {
    /// Name of the process group.
    public var name: String
    /// User name or `#uid`; nil: httpd's `User`.
    public var user: String?
    /// Group name or `#gid`; nil: the user's primary group, or httpd's `Group` without `user=`.
    public var group: String?
    /// Number of processes, 1 when not given.
    public var processes: UInt32 = 1
    /// The most of them: more than `processes` when the group grows and shrinks.
    public var processesMax: UInt32 = 1
    /// Whether `processes=` was given, be it 1: then the group is called multiprocess, as mod_wsgi does.
    public var isMultiprocess = false
    /// Request threads of each process, 15 when not given; 0: each runs a service and takes no requests.
    public var threads: UInt32 = 15
    /// Working directory, absolute.
    public var home: String?
    /// File mode creation mask.
    public var umask: UInt32?
    /// Text for process lists; `%{GROUP}` stands for `(wsgi:NAME)`.
    public var displayName: String?
    /// Seconds that loading an application may take.
    public var startupTimeout: UInt32 = 30
    /// Seconds that processes may take to end when their generation has ended.
    public var shutdownTimeout: UInt32 = 5
    /// What concerns single requests.
    public var exchange = ExchangeOptions()
    /// How long requests and silent processes may take.
    public var deadlines = DeadlineOptions()
    /// When processes are replaced, and how long the old ones may take to go.
    public var recycling = RecyclingOptions()
    /// What the processes are and see.
    public var surroundings = SurroundingsOptions()
    /// Options that were given and have no effect.
    public var withoutEffect: [String] = []

    /// The directive's name, for messages.
    public static let directive = "WSGIDaemonProcess"
    static let known = [
        "user", "group", "processes", "threads", "home", "umask", "display-name", "startup-timeout", "shutdown-timeout",
        "socket-timeout", "response-socket-timeout",
        "listen-backlog", "connect-timeout", "queue-timeout", "send-buffer-size", "receive-buffer-size",
        "header-buffer-size", "response-flush-delay", "response-buffer-size", "inactivity-timeout",
        "request-timeout", "interrupt-timeout", "deadlock-timeout",
        "graceful-timeout", "eviction-timeout", "maximum-requests", "maximum-requests-jitter", "restart-interval",
        "restart-interval-jitter", "cpu-time-limit", "rss-limit",
        "supplementary-groups", "cpu-priority", "lang", "locale", "stack-size", "memory-limit", "virtual-memory-limit",
        "environment-file", "chroot", "script-user", "script-group",
    ]
    /// Options of mod_wsgi that concern Python or a mechanism that does not exist here, or that this version lacks.
    private static let ignored = [
        "python-home", "python-path", "python-eggs", "switch-interval", "server-metrics", "newrelic-config-file",
        "newrelic-environment", "socket-user",
    ]

    /// Reads the directive's arguments.
    public init(_ arguments: String) throws(Problem) {
        var words = try optionWords(arguments, directive: Self.directive)[...]
        guard case .word(let name)? = words.popFirst(), !name.isEmpty else {
            throw Problem(.nameMissing, "\(Self.directive) needs the name of the process group as its first argument")
        }
        self.name = name
        guard Self.isName(name) else {
            throw Problem(
                .nameInvalid,
                "\(Self.directive): name '\(name)' must have 1 to 64 letters, digits, '.', '_', '-' or ':'"
            )
        }
        var seen: Set<String> = []
        for word in words {
            guard case .option(let option, let value) = word else {
                throw Problem(.optionForm, "\(Self.directive): '\(word.text)' is not of the form name=value")
            }
            guard seen.insert(option).inserted else {
                throw Problem(.optionRepeated, "\(Self.directive): option '\(option)' is given twice")
            }
            try set(option, value)
        }
    }

    /// Options that take the effect from others.
    public var conflicts: [String] {
        exchange.conflicts + deadlines.conflicts(with: exchange)
            + recycling.conflicts(with: self)
            + surroundings.conflicts(threads: threads)
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }

    private mutating func set(_ option: String, _ value: String) throws(Problem) {
        let directive = Self.directive
        switch option {
        case "user": user = try Self.text(value, option)
        case "group": group = try Self.text(value, option)
        case "processes":
            (processes, processesMax) = try Self.range(value, option)
            isMultiprocess = true
        case "threads": threads = try strictNumber(value, in: 0...1000, option: option, directive: directive)
        case "home": home = try Self.path(value, option)
        case "umask": umask = try Self.mask(value)
        case "display-name":
            displayName = try Self.text(value, option) == "%{GROUP}" ? "(wsgi:\(name))" : value
        case "startup-timeout":
            startupTimeout = try strictSeconds(value, in: 1...86_400, option: option, directive: directive)
        case "shutdown-timeout":
            shutdownTimeout = try strictSeconds(value, in: 1...86_400, option: option, directive: directive)
        case _ where Self.ignored.contains(option): withoutEffect.append(option)
        default:
            if try exchange.set(option, value) { return }
            if try deadlines.set(option, value) { return }
            if try recycling.set(option, value) { return }
            if try surroundings.set(option, value) { return }
            let hint = nearest(to: option, among: Self.known).map { "; did you mean '\($0)'?" } ?? ""
            throw Problem(.optionUnknown, "\(directive): unknown option '\(option)'\(hint)")
        }
    }

    static func text(_ value: String, _ option: String) throws(Problem) -> String {
        let isPrintable = value.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        guard (1...255).contains(value.utf8.count), isPrintable else {
            throw Problem(.textInvalid, "\(directive): \(option) must be 1 to 255 printable characters, not '\(value)'")
        }
        return value
    }

    /// A number, or two with a "-" between them.
    private static func range(_ value: String, _ option: String) throws(Problem) -> (UInt32, UInt32) {
        let parts = value.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let least = try strictNumber(parts[0], in: 1...1000, option: option, directive: directive)
        guard parts.count == 2 else { return (least, least) }
        let most = try strictNumber(parts[1], in: 1...1000, option: option, directive: directive)
        guard least <= most else {
            throw Problem(.numberInvalid, "\(directive): \(option) must not begin with the larger number: '\(value)'")
        }
        return (least, most)
    }

    static func path(_ value: String, _ option: String) throws(Problem) -> String {
        guard value.hasPrefix("/") else {
            throw Problem(.directoryInvalid, "\(directive): \(option) must be an absolute path, not '\(value)'")
        }
        return value
    }

    private static func mask(_ value: String) throws(Problem) -> UInt32 {
        let digits = value.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard digits, let mask = UInt32(value, radix: 8), mask <= 0o777 else {
            throw Problem(.umaskInvalid, "\(directive): umask must be octal, 0000 to 0777, not '\(value)'")
        }
        return mask
    }
}

extension OptionWord {
    var text: String {
        switch self {
        case .word(let word): word
        case .option(let name, let value): "\(name)=\(value)"
        }
    }
}
