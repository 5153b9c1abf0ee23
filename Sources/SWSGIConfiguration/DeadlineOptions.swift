/// The options of `WSGIDaemonProcess` that limit how long a request, or a process that does not answer, may take.
///
/// Times are microseconds.
public struct DeadlineOptions: Equatable, Sendable {
    /// How long the application may run on one request; nil: for ever.
    public var requestTimeout: Int64?
    /// How long a process keeps a request thread that is over that time; then it is replaced.
    public var interruptTimeout: Int64 = 0
    /// How long a daemon process may leave its supervisor without an answer; nil: for ever.
    public var deadlockTimeout: Int64? = 300 * TimeUnit.seconds.rawValue

    /// The defaults.
    public init() {}

    private static let day = 24 * TimeUnit.hours.rawValue

    /// Takes an option; false: it is none of these.
    mutating func set(_ option: String, _ value: String) throws(Problem) -> Bool {
        switch option {
        case "request-timeout": requestTimeout = try Self.time(value, option, from: .milliseconds)
        case "interrupt-timeout": interruptTimeout = try Self.time(value, option, from: .milliseconds) ?? 0
        case "deadlock-timeout": deadlockTimeout = try Self.time(value, option, from: .seconds)
        default: return false
        }
        return true
    }

    /// Options that take the effect from others.
    public func conflicts(with exchange: ExchangeOptions) -> [String] {
        guard let requestTimeout else {
            guard interruptTimeout > 0 else { return [] }
            return ["interrupt-timeout=\(timeText(interruptTimeout)) has no effect without request-timeout="]
        }
        guard let socketTimeout = exchange.socketTimeout, requestTimeout >= socketTimeout else { return [] }
        return [
            "request-timeout=\(timeText(requestTimeout)) does not pass before socket-timeout=\(timeText(socketTimeout)) when the application is silent"
        ]
    }

    /// What httpd's Timeout, which stands for a missing socket-timeout=, takes from the options.
    public func conflicts(with exchange: ExchangeOptions, httpdTimeout: Int64) -> [String] {
        guard exchange.socketTimeout == nil, httpdTimeout > 0 else { return [] }
        let times = [("request-timeout", requestTimeout), ("queue-timeout", exchange.queueTimeout)]
        return times.compactMap { name, time in
            guard let time, time >= httpdTimeout else { return nil }
            return
                "\(name)=\(timeText(time)) does not pass before httpd's Timeout, \(timeText(httpdTimeout)), when the application is silent; raise Timeout or give socket-timeout="
        }
    }

    /// A time; nil for 0.
    private static func time(_ value: String, _ option: String, from least: TimeUnit) throws(Problem) -> Int64? {
        let time = try strictTime(value, in: least.rawValue...day, option: option)
        return time == 0 ? nil : time
    }
}
