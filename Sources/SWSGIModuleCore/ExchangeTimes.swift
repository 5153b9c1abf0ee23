/// When an exchange came, was taken by a daemon process and ended, by httpd's clock; monotonic nanoseconds.
public struct ExchangeTimes: Equatable, Sendable {
    /// When it came.
    public let begin: Int64
    /// When its time in the queue is over, however often it is put there; nil: never.
    public let queueEnd: Int64?
    /// When the application's time for it is over; nil: never, or it does not run yet.
    public private(set) var requestEnd: Int64?
    private let requestTimeout: Int64?
    /// When a daemon process began to run the application on it.
    public private(set) var takenAt: Int64?
    /// When the application had ended its response.
    public var endedAt: Int64?

    /// Times of an exchange that comes now; limits in microseconds.
    public init(now: Int64, queueTimeout: Int64? = nil, requestTimeout: Int64? = nil) {
        begin = now
        self.requestTimeout = requestTimeout
        queueEnd = queueTimeout.map { now + $0 * 1000 }
    }

    /// A daemon process runs it, since `time` by its own word.
    ///
    /// A process ends when its threads do not come back: httpd, which may hear late that it took the exchange, must not count
    /// from then. What a process says can only shorten the time of its own exchange.
    public mutating func taken(at time: Int64, now: Int64) {
        let time = max(begin, min(time, now))
        takenAt = takenAt ?? time
        requestEnd = requestEnd ?? requestTimeout.map { time + $0 * 1000 }
    }

    /// A daemon process runs it, since now as far as is known.
    public mutating func taken(now: Int64) { taken(at: now, now: now) }

    /// Whether it counts when a daemon process takes it.
    public var isLimited: Bool { queueEnd != nil || requestTimeout != nil }

    /// It goes back to the queue, where it has been before: its time goes on.
    public mutating func returned() {
        takenAt = nil
        requestEnd = nil
    }

    /// Nanoseconds of the application's time that are left; without a limit more than anybody waits.
    public func timeLeft(now: Int64) -> Int64 { requestEnd.map { $0 - now } ?? .max }

    /// Whether it has waited in the queue for too long.
    public func isOverdue(now: Int64) -> Bool { takenAt == nil && queueEnd.map { now >= $0 } ?? false }

    /// The end of a wait that would end at `time`: earlier when its time in the queue, or with the application, is over before.
    public func earlier(of time: Int64) -> Int64 {
        guard let end = takenAt == nil ? queueEnd : requestEnd else { return time }
        return min(time, end)
    }

    /// How long one receive may wait, in microseconds, of at most `limit`: never 0, which is for ever.
    public func patience(_ limit: Int64, now: Int64) -> Int64 {
        guard let queueEnd else { return limit }
        // At its beginning exactly what was configured: then a channel's socket has its limit already.
        let left = (queueEnd - (now - begin < 1_000_000 ? begin : now)) / 1000
        return max(1000, min(limit, left))
    }

    /// "2.150 s in all, 1.300 s in the queue, 0.840 s in the application".
    public func text(now: Int64) -> String {
        guard let takenAt else { return "\(Self.seconds(now - begin)) in all, never taken from the queue" }
        let inQueue = Self.seconds(takenAt - begin)
        let inApplication = Self.seconds((endedAt ?? now) - takenAt)
        return "\(Self.seconds(now - begin)) in all, \(inQueue) in the queue, \(inApplication) in the application"
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let milliseconds = max(0, nanoseconds) / 1_000_000
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(fraction) s"
    }
}
