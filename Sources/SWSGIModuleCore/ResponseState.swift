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
    /// Whether httpd still makes the head: its filters make that of HEAD from the body, too.
    private var makesHead = true
    /// Whether the content's length is known before its end.
    public private(set) var isLengthKnown = false
    /// Whether the application sends the content in pieces: it flushed, or it wrote more than goes together.
    ///
    /// What it did counts, and not how fast its pieces have come: one response has always the same framing.
    public private(set) var isInPieces = false
    /// Bytes of the body that came as bytes, and not as a file.
    private var written = 0

    /// The state of a response to a request; one without a body is that of HEAD.
    public init(hasBody: Bool) {
        self.hasBody = hasBody
    }

    /// Whether a status allows no content (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
    public static func forbidsContent(_ status: Int) -> Bool { status == 204 || status == 205 || status == 304 }

    /// The head has come.
    public mutating func head(status: Int = 200, contentLength: Int64?) throws(Malformed) {
        guard phase == .waiting else { throw Malformed("a second response head", isOutOfOrder: true) }
        phase = .streaming
        allowsBody = !Self.forbidsContent(status)
        isLengthKnown = contentLength != nil || !allowsBody
        isInPieces = !isLengthKnown
        rest = allowsBody ? contentLength : nil
        // That of 304 is the length which 200 would have had.
        hasDroppedBody = !allowsBody && status != 304 && contentLength ?? 0 > 0
    }

    /// The length to announce: that of the application, or what the status calls for.
    public func announcedLength(status: Int, contentLength: Int64?) -> Int64? {
        allowsBody ? contentLength : status == 205 ? 0 : nil
    }

    /// What has come is for the client now.
    public mutating func flush() throws(Malformed) {
        guard phase == .streaming else { throw Malformed("a flush without a head", isOutOfOrder: true) }
        if allowsBody { isInPieces = true }
    }

    /// httpd has sent the head.
    public mutating func headIsSent() { makesHead = false }

    /// Bytes of the body have come, perhaps of a file: how many of them are to be passed on.
    public mutating func data(_ count: Int, ofFile isFile: Bool = false) throws(Malformed) -> Int {
        guard phase == .streaming else { throw Malformed("a body without a head", isOutOfOrder: true) }
        if !isFile, allowsBody, !isInPieces {
            written += count
            isInPieces = written > ResponseHead.togetherLimit
        }
        guard hasBody || makesHead else { return 0 }
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
