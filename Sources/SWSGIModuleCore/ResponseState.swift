public import SWSGIWire

/// How far a response has come: which frames may follow, and how many bytes of the body.
///
/// A value: frames in, what to do out. httpd enforces what a daemon process announces.
public struct ResponseState: Equatable, Sendable {
    /// How far.
    public enum Phase: Equatable, Sendable {
        /// Nothing of the response has come.
        case waiting
        /// The head has come.
        case streaming
        /// The end has come.
        case ended
    }

    /// How the end is to be taken.
    public enum Ending: Equatable, Sendable {
        /// The response is complete.
        case complete
        /// The head has not come: httpd answers by itself.
        case withoutHead(ExchangeOutcome)
        /// The application failed after the head.
        case failed
        /// Fewer bytes than announced: how many are missing.
        case short(missing: Int64)
    }

    /// How far it has come.
    public private(set) var phase = Phase.waiting
    /// Bytes of the body that are still allowed; nil: not announced.
    public private(set) var rest: Int64?
    /// Whether bytes have been dropped as there were more than announced.
    public private(set) var isTooLong = false
    /// Whether bytes have been dropped as the status allows none.
    public private(set) var hasDroppedBody = false
    private let hasBody: Bool
    private var allowsBody = true

    /// The state of a response to a request; one without a body is that of HEAD.
    public init(hasBody: Bool) {
        self.hasBody = hasBody
    }

    /// The head has come.
    public mutating func head(status: Int = 200, contentLength: Int64?) throws(Malformed) {
        guard phase == .waiting else { throw Malformed("a second response head", isOutOfOrder: true) }
        phase = .streaming
        allowsBody = status != 204 && status != 205 && status != 304
        rest = allowsBody ? contentLength : nil
        // That of 304 is the length which 200 would have had.
        hasDroppedBody = !allowsBody && status != 304 && contentLength ?? 0 > 0
    }

    /// The length to announce: that of the application, or what the status calls for.
    public func announcedLength(status: Int, contentLength: Int64?) -> Int64? {
        allowsBody ? contentLength : status == 205 ? 0 : nil
    }

    /// Bytes of the body have come: how many of them are to be passed on.
    public mutating func data(_ count: Int) throws(Malformed) -> Int {
        guard phase == .streaming else { throw Malformed("a body without a head", isOutOfOrder: true) }
        guard hasBody else { return 0 }
        guard allowsBody else {
            hasDroppedBody = true
            return 0
        }
        guard let allowed = rest else { return count }
        let passed = min(Int64(count), allowed)
        rest = allowed - passed
        if passed < count { isTooLong = true }
        return Int(passed)
    }

    /// The end has come.
    public mutating func end(_ outcome: ExchangeOutcome) throws(Malformed) -> Ending {
        switch phase {
        case .ended: throw Malformed("a second end", isOutOfOrder: true)
        case .waiting:
            // Nothing has begun by that: httpd still answers by itself.
            guard outcome != .complete else { throw Malformed("an end without a head", isOutOfOrder: true) }
            phase = .ended
            return .withoutHead(outcome)
        case .streaming:
            phase = .ended
            guard outcome == .complete else { return .failed }
            if let rest, rest > 0, hasBody { return .short(missing: rest) }
            return .complete
        }
    }
}
