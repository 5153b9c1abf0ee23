/// Why a daemon process is to go; what applications are told, by the names of mod_wsgi.
public enum StopReason: UInt8, CaseIterable, Sendable {
    /// SIGTERM or SIGINT, or the end of the generation.
    case shutdownSignal = 1
    /// SIGUSR1, without an eviction-timeout of its own.
    case gracefulSignal
    /// SIGUSR1, with one.
    case evictionSignal
    /// It has run as many exchanges as it may.
    case maximumRequests
    /// It is as old as it may become.
    case restartInterval
    /// It has had nothing to do.
    case inactivityTimeout
    /// Exchanges of it have taken too long.
    case requestTimeout
    /// It has not become ready in time.
    case startupTimeout
    /// It has stopped answering.
    case deadlockTimeout
    /// It has used as much of the processor as it may.
    case cpuTimeLimit
    /// An entry file has changed.
    case scriptReload
    /// It has grown larger than it may; mod_wsgi has no such limit.
    case rssLimit
    /// The group needs fewer processes; mod_wsgi's groups never do.
    case idleGroup
    /// It has no descriptor left; mod_wsgi crashes then.
    case descriptorLimit

    /// The name, as in mod_wsgi's `shutdown_reason`.
    public var name: String {
        switch self {
        case .shutdownSignal: "shutdown_signal"
        case .gracefulSignal: "graceful_signal"
        case .evictionSignal: "eviction_signal"
        case .maximumRequests: "maximum_requests"
        case .restartInterval: "restart_interval"
        case .inactivityTimeout: "inactivity_timeout"
        case .requestTimeout: "request_timeout"
        case .startupTimeout: "startup_timeout"
        case .deadlockTimeout: "deadlock_timeout"
        case .cpuTimeLimit: "cpu_time_limit"
        case .scriptReload: "script_reload"
        case .rssLimit: "rss_limit"
        case .idleGroup: "idle_group"
        case .descriptorLimit: "descriptor_limit"
        }
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        let byte: UInt8 = try reader.read()
        guard let reason = StopReason(rawValue: byte) else { throw Malformed("unknown reason \(byte)") }
        self = reason
    }
}
