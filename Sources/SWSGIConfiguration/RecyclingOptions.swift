/// The options of `WSGIDaemonProcess` that say when a process is replaced, and how long the old one may take to go.
///
/// Times are microseconds, sizes bytes; 0: never.
public struct RecyclingOptions: Equatable, Sendable {
    /// How long a process that drains may go on before its exchanges are cancelled; nil: as long as they take.
    public var gracefulTimeout: Int64?
    /// The same after SIGUSR1; nil: as `gracefulTimeout`.
    public var evictionTimeout: Int64?
    /// Exchanges after which a process is replaced.
    public var maximumRequests: UInt32 = 0
    /// How many more each process may run, by its own lot.
    public var maximumRequestsJitter: UInt32 = 0
    /// Age at which a process is replaced.
    public var restartInterval: Int64 = 0
    /// How much older each process may become, by its own lot.
    public var restartIntervalJitter: Int64 = 0
    /// Seconds of processor time after which a process is replaced.
    public var cpuTimeLimit: UInt32 = 0
    /// Resident memory above which a process is replaced.
    public var rssLimit: Int64 = 0

    private static let day = 24 * TimeUnit.hours.rawValue
    private static let month = 30 * day
    private static let second = TimeUnit.seconds.rawValue
    private static let directive = DaemonProcessOptions.directive

    /// The defaults.
    public init() {}

    /// Takes an option; false: it is none of these.
    mutating func set(_ option: String, _ value: String) throws(Problem) -> Bool {
        switch option {
        case "graceful-timeout": gracefulTimeout = try strictTime(value, in: 1000...Self.day, option: option)
        case "eviction-timeout":
            let time = try strictTime(value, in: 1000...Self.day, option: option)
            evictionTimeout = time == 0 ? nil : time
        case "maximum-requests": maximumRequests = try Self.count(value, option)
        case "maximum-requests-jitter": maximumRequestsJitter = try Self.count(value, option)
        case "restart-interval": restartInterval = try strictTime(value, in: Self.second...Self.month, option: option)
        case "restart-interval-jitter":
            restartIntervalJitter = try strictTime(value, in: 1000...Self.month, option: option)
        case "cpu-time-limit":
            let time = try strictTime(value, in: Self.second...Self.month, option: option)
            cpuTimeLimit = UInt32((time + Self.second - 1) / Self.second)
        case "rss-limit": rssLimit = try strictBytes(value, in: 1 << 20...1 << 50, option: option)
        default: return false
        }
        return true
    }

    private static func count(_ value: String, _ option: String) throws(Problem) -> UInt32 {
        try strictNumber(value, in: 0...1_000_000_000, option: option, directive: directive)
    }

    /// Options that take the effect from others.
    func conflicts(with options: DaemonProcessOptions) -> [String] {
        var found = options.threads == 0 ? conflictsOfService(options) : []
        let inactivityTimeout = options.exchange.inactivityTimeout
        if maximumRequestsJitter > 0, maximumRequests == 0 {
            found.append("maximum-requests-jitter= has no effect without maximum-requests=")
        }
        if restartIntervalJitter > 0, restartInterval == 0 {
            found.append("restart-interval-jitter= has no effect without restart-interval=")
        }
        if let inactivityTimeout, restartInterval > 0, inactivityTimeout >= restartInterval + restartIntervalJitter {
            found.append(
                "inactivity-timeout=\(timeText(inactivityTimeout)) never passes before restart-interval=\(timeText(restartInterval))"
            )
        }
        if let gracefulTimeout, restartInterval > 0, gracefulTimeout > restartInterval {
            found.append(
                "with graceful-timeout=\(timeText(gracefulTimeout)) old processes may go on while restart-interval=\(timeText(restartInterval)) replaces the next ones"
            )
        }
        return found
    }

    private func conflictsOfService(_ options: DaemonProcessOptions) -> [String] {
        var found: [String] = []
        if options.processesMax > options.processes {
            found.append("with threads=0 there are always \(options.processes) processes, as no requests wait")
        }
        for (name, isSet) in [
            ("maximum-requests=", maximumRequests > 0), ("graceful-timeout=", gracefulTimeout != nil),
            ("eviction-timeout=", evictionTimeout != nil),
        ] where isSet {
            found.append("\(name) has no effect with threads=0, as there are no requests")
        }
        return found
    }
}
