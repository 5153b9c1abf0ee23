/// The options of `WSGIDaemonProcess` that concern a request's way to the application and back; httpd's children act on them.
///
/// Times are microseconds, sizes bytes.
public struct ExchangeOptions: Equatable, Sendable {
    /// How long the daemon process may say nothing; nil: httpd's `Timeout`.
    public var socketTimeout: Int64?
    /// How long the client may take nothing of the response; nil: as `socketTimeout`.
    public var responseSocketTimeout: Int64?
    /// Exchanges that may wait while all threads of the group are at work.
    public var listenBacklog: Int64 = 100
    /// How long a request may wait for one of those places.
    public var connectTimeout: Int64 = 0
    /// How long a request may wait in the queue; nil: for as long as `socketTimeout`.
    public var queueTimeout: Int64?
    /// What the way to httpd holds of a response; nil: the system's default.
    public var sendBuffer: Int64?
    /// What the way to the daemon process holds of a request body; nil: the system's default.
    public var receiveBuffer: Int64?
    /// Bytes that one header of a response may have, with its name.
    public var headerBuffer: Int64 = 32_768
    /// How long the application may pause in its response before the client gets what there is.
    public var responseFlushDelay: Int64 = 5000
    /// Bytes of a response after which the client gets what there is, paused or not.
    public var responseBuffer: Int64 = 8 << 20
    /// How long a daemon process may have nothing to do before it is replaced; nil: for ever.
    public var inactivityTimeout: Int64?

    /// The defaults.
    public init() {}

    private static let largestBuffer: Int64 = 64 << 20
    /// What mod_wsgi could count to: configurations say it for "never".
    private static let longest = 2_147_483_647 * TimeUnit.seconds.rawValue
    private static let longestPause = TimeUnit.minutes.rawValue
    private static let shortest = TimeUnit.milliseconds.rawValue

    /// Takes an option; false: it is none of these.
    mutating func set(_ option: String, _ value: String) throws(Problem) -> Bool {
        switch option {
        case "socket-timeout": socketTimeout = try Self.time(value, option)
        case "response-socket-timeout": responseSocketTimeout = try Self.time(value, option)
        case "connect-timeout": connectTimeout = try Self.time(value, option) ?? 0
        case "queue-timeout": queueTimeout = try Self.time(value, option)
        case "listen-backlog":
            listenBacklog = Int64(
                try strictNumber(value, in: 0...100_000, option: option, directive: DaemonProcessOptions.directive)
            )
        case "response-flush-delay":
            responseFlushDelay = try strictTime(
                value,
                in: Self.shortest...Self.longestPause,
                bare: .milliseconds,
                option: option
            )
        case "response-buffer-size": responseBuffer = try Self.size(value, 65_536...1 << 30, option) ?? 8 << 20
        case "inactivity-timeout": inactivityTimeout = try Self.time(value, option, from: TimeUnit.seconds.rawValue)
        case "send-buffer-size": sendBuffer = try Self.size(value, 512...Self.largestBuffer, option)
        case "receive-buffer-size": receiveBuffer = try Self.size(value, 512...Self.largestBuffer, option)
        case "header-buffer-size": headerBuffer = try Self.size(value, 8192...262_144, option) ?? 32_768
        default: return false
        }
        return true
    }

    /// Options that take the effect from others.
    public var conflicts: [String] {
        var found: [String] = []
        if let queueTimeout, let socketTimeout, queueTimeout >= socketTimeout {
            found.append(
                "queue-timeout=\(timeText(queueTimeout)) never passes before socket-timeout=\(timeText(socketTimeout))"
            )
        }
        if queueTimeout != nil, listenBacklog == 0 {
            found.append("queue-timeout= has no effect with listen-backlog=0, as no request waits")
        }
        return found
    }

    /// A size; nil is the default, which is also what 0 means.
    private static func size(_ value: String, _ range: ClosedRange<Int64>, _ option: String) throws(Problem) -> Int64? {
        let size = try strictBytes(value, in: range, option: option)
        return size == 0 ? nil : size
    }

    /// A time; nil is the default, which is also what 0 means.
    private static func time(
        _ value: String,
        _ option: String,
        from least: Int64 = shortest
    ) throws(Problem) -> Int64? {
        let time = try strictTime(value, in: least...longest, option: option)
        return time == 0 ? nil : time
    }
}
