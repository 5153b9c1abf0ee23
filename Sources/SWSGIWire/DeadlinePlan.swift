/// How long requests of a group, and processes that don't answer, may take; microseconds, 0 is no limit.
public struct DeadlinePlan: Equatable, Sendable {
    /// How long the application may run on one request.
    public var requestTimeout: Int64 = 0
    /// How long a process keeps a request thread that is over that time.
    public var interruptTimeout: Int64 = 0
    /// How long a process may leave its supervisor without an answer.
    public var deadlockTimeout: Int64 = 0

    /// No limits.
    public init() {}

    /// Limits from their numbers.
    public init(requestTimeout: Int64, interruptTimeout: Int64, deadlockTimeout: Int64) {
        self.requestTimeout = requestTimeout
        self.interruptTimeout = interruptTimeout
        self.deadlockTimeout = deadlockTimeout
    }

    func write(to writer: inout ByteWriter) {
        writer.write(requestTimeout)
        writer.write(interruptTimeout)
        writer.write(deadlockTimeout)
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        requestTimeout = try reader.read()
        interruptTimeout = try reader.read()
        deadlockTimeout = try reader.read()
        // A day at most, as the configuration has it: sums of such times don't overflow.
        guard [requestTimeout, interruptTimeout, deadlockTimeout].allSatisfy({ (0...86_400_000_000).contains($0) })
        else {
            throw Malformed("a deadline out of range")
        }
    }
}
