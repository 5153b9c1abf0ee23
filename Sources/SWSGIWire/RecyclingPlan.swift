/// When the processes of a group are replaced, how long the old ones may take to go, and how many there may be.
///
/// Times are microseconds, sizes bytes; 0: never, or no limit.
public struct RecyclingPlan: Equatable, Sendable {
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
    /// The most processes; 0: as many as the group has at least.
    public var processesMax: UInt32 = 0

    /// A plan that replaces nothing and waits for ever.
    public init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(gracefulTimeout ?? -1)
        writer.write(evictionTimeout ?? -1)
        writer.write(maximumRequests)
        writer.write(maximumRequestsJitter)
        writer.write(restartInterval)
        writer.write(restartIntervalJitter)
        writer.write(cpuTimeLimit)
        writer.write(rssLimit)
        writer.write(processesMax)
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        func optional(_ time: Int64) -> Int64? { time < 0 ? nil : time }
        gracefulTimeout = optional(try reader.read())
        evictionTimeout = optional(try reader.read())
        maximumRequests = try reader.read()
        maximumRequestsJitter = try reader.read()
        restartInterval = try reader.read()
        restartIntervalJitter = try reader.read()
        cpuTimeLimit = try reader.read()
        rssLimit = try reader.read()
        processesMax = try reader.read()
    }
}

/// What one daemon process may use before it asks to be replaced.
public struct WorkerLimits: Equatable, Sendable {
    /// Exchanges; 0: any number.
    public var requests: UInt32 = 0
    /// Seconds of processor time: at the first it asks, at the second the kernel kills it; 0: no limit.
    public var cpuTime: UInt32 = 0
    /// See `cpuTime`.
    public var cpuTimeMax: UInt32 = 0
    /// Whether the application is told that it is called once in this process.
    public var isRunOnce = false

    /// No limits.
    public init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(requests)
        writer.write(cpuTime)
        writer.write(cpuTimeMax)
        writer.write(UInt8(isRunOnce ? 1 : 0))
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        requests = try reader.read()
        cpuTime = try reader.read()
        cpuTimeMax = try reader.read()
        isRunOnce = try reader.read(UInt8.self) != 0
    }
}
