// Frames on the reply socket: type UInt8 | flags UInt8 | 0 UInt16 | length of the payload UInt32, then the payload.
// Host byte order: both ends are processes of one machine. Each end treats the other as hostile.

/// What a frame is.
public enum FrameKind: UInt8, Sendable {
    /// Daemon process: send up to this many bytes (UInt32) of the request body.
    case wantBody = 1
    /// Daemon process: status and headers of the response; see `ResponseHead`.
    case head = 2
    /// Daemon process: bytes of the response body.
    case data = 3
    /// Daemon process: the exchange has ended; outcome UInt8. The reply end is attached.
    case end = 4
    /// Daemon process: level UInt8, then text for the error log.
    case log = 5
    /// Daemon process: put the exchange on the queue again; UInt8: 0 for new code, 1 for code as old as it is.
    /// The reply end is attached.
    case retry = 6
    /// Daemon process: what has come is for the client now.
    case flush = 7
    /// Daemon process: a part of a file, for the body; see `FilePart`. The file is attached.
    case file = 8
    /// Daemon process: an interim response before the head; as `ResponseHead`, without reason and length.
    case interim = 9
    /// Daemon process: the fields after the body, once; as `ResponseHead`, with status 0 and without reason and length.
    case trailers = 10
    /// Daemon process: the application is about to run; only when the head asked for it. Int64: since when, in
    /// monotonic nanoseconds.
    case taken = 11
    /// httpd: bytes of the request body.
    case body = 65
    /// httpd: the request body has ended; UInt8: 0 completely, 1 it could not be read further.
    case bodyEnd = 66
    /// httpd: nobody may wait for the response any more; it can still be sent, and the request body still be read.
    case abort = 67
}

/// How an application ended an exchange.
public enum ExchangeOutcome: UInt8, Sendable {
    /// The response is complete.
    case complete = 0
    /// The application failed: nothing more will come.
    case failed = 1
    /// The entry file could not be loaded.
    case notLoaded = 2
    /// Nobody can answer now: the group has no process, or the time of this one is over.
    case unavailable = 3
    /// The entry file, or what it names, may not be loaded by this process group.
    case forbidden = 4
}

/// The header of a frame.
public struct FrameHeader: Equatable, Sendable {
    /// Bytes of a header.
    public static let size = 8
    /// Bytes that a payload may have.
    public static let payloadLimit = 1024 * 1024
    /// Bytes of the largest response head.
    public static let headLimit = 256 * 1024
    /// Bytes of the fields of one interim response, or of the trailers.
    public static let fieldsLimit = 16 * 1024
    /// Bytes of text in one log frame.
    public static let logLimit = 32 * 1024

    /// What the frame is.
    public var kind: FrameKind
    /// Bytes of the payload.
    public var length: Int

    /// A header.
    public init(_ kind: FrameKind, length: Int) {
        self.kind = kind
        self.length = length
    }

    /// Reads a header, or says what is wrong with it.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        guard bytes.count >= Self.size else { throw Malformed("frame header of \(bytes.count) bytes") }
        guard let kind = FrameKind(rawValue: bytes[0]) else { throw Malformed("unknown frame type \(bytes[0])") }
        guard bytes[1] == 0, bytes[2] == 0, bytes[3] == 0 else { throw Malformed("unknown frame flags") }
        let length = Int(bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let limit: ClosedRange<Int> =
            switch kind {
            case .wantBody: 4...4
            case .head: ResponseHead.fixedSize...Self.headLimit
            case .data, .body: 1...Self.payloadLimit
            case .file: FilePart.size...FilePart.size
            case .interim, .trailers: ResponseHead.fixedSize...Self.fieldsLimit
            case .end, .retry, .bodyEnd: 1...1
            case .taken: 8...8
            case .log: 1...Self.logLimit
            case .abort, .flush: 0...0
            }
        guard limit.contains(length) else { throw Malformed("\(kind) frame of \(length) bytes") }
        self.kind = kind
        self.length = length
    }

    /// Writes the header to the first bytes of `buffer`.
    public func write(to buffer: UnsafeMutableRawBufferPointer) {
        buffer.storeBytes(of: UInt32(kind.rawValue), as: UInt32.self)
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: length), toByteOffset: 4, as: UInt32.self)
    }
}

/// The payload of a FILE frame: offset Int64 | length Int64.
public struct FilePart: Equatable, Sendable {
    /// Bytes of the payload.
    public static let size = 16

    /// Where the part begins.
    public let offset: Int64
    /// How many bytes it has, at least one.
    public let length: Int64

    /// A part from its numbers.
    public init(offset: Int64, length: Int64) {
        self.offset = offset
        self.length = length
    }

    /// Where the part ends.
    public var end: Int64 { offset + length }

    /// Checks the payload of a FILE frame.
    public init(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ByteReader(payload)
        offset = try reader.read()
        length = try reader.read()
        try reader.finish()
        guard offset >= 0, length > 0, !offset.addingReportingOverflow(length).overflow else {
            throw Malformed("a file's part of \(length) bytes at \(offset)")
        }
    }
}

/// The payload of a HEAD frame: status UInt16 | headers UInt16 | reason length UInt32 | content length Int64 (-1: not known),
/// the reason, then for each header: name length UInt32 | value length UInt32 | name | value.
public enum ResponseHead {
    /// Bytes before the reason.
    public static let fixedSize = 16
    /// Bytes that a reason phrase may have.
    public static let reasonLimit = 256
    /// Headers that a response may have.
    public static let headerLimit = 1000
    /// Bytes of a body that travel together with the head, unless something is flushed before its end.
    public static let togetherLimit = 16 * 1024
    /// Interim responses that one exchange may have.
    public static let interimLimit = 100
}

/// A received response head: a checked view of bytes that must outlive it.
public struct ReceivedResponseHead {
    /// The status: 200 to 599 of a final response.
    public let status: Int
    /// The body's length that the daemon process knows, or nil.
    public let contentLength: Int64?
    /// Reason phrase; may be empty.
    public let reason: UnsafeRawBufferPointer
    /// How many headers follow.
    public let headerCount: Int
    private let headers: UnsafeRawBufferPointer

    /// Checks the payload of a HEAD frame: numbers, lengths, the form of the reason and of every name and value.
    public init(_ payload: UnsafeRawBufferPointer, statuses: ClosedRange<Int> = 200...599) throws(Malformed) {
        var reader = ByteReader(payload)
        status = Int(try reader.read(UInt16.self))
        guard statuses.contains(status) else { throw Malformed("status \(status)") }
        headerCount = Int(try reader.read(UInt16.self))
        guard headerCount <= ResponseHead.headerLimit else { throw Malformed("\(headerCount) headers") }
        let reasonLength = Int(try reader.read(UInt32.self))
        let length = try reader.read(Int64.self)
        guard length >= -1 else { throw Malformed("content length \(length)") }
        contentLength = length < 0 ? nil : length
        reason = try reader.read(count: reasonLength)
        guard HeaderSyntax.isReason(reason) else { throw Malformed("invalid reason phrase") }
        headers = UnsafeRawBufferPointer(rebasing: payload[(payload.count - reader.remaining)...])
        for _ in 0..<headerCount {
            let name = Int(try reader.read(UInt32.self))
            let value = Int(try reader.read(UInt32.self))
            let bytes = try reader.read(count: name)
            guard HeaderSyntax.isToken(bytes) else { throw Malformed("header name is not a token") }
            // Its number travels in a field of its own and is enforced: another would contradict it on the client's connection.
            guard !HeaderSyntax.isContentLength(bytes) else { throw Malformed("Content-Length among the headers") }
            guard HeaderSyntax.isValue(try reader.read(count: value)) else {
                throw Malformed("control character in a header value")
            }
        }
        try reader.finish()
    }

    /// Calls `body` with each name and value.
    public func forEachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        var offset = 0
        for _ in 0..<headerCount {
            let name = Int(headers.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let value = Int(headers.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let start = offset + 8
            body(
                UnsafeRawBufferPointer(rebasing: headers[start..<start + name]),
                UnsafeRawBufferPointer(rebasing: headers[start + name..<start + name + value])
            )
            offset = start + name + value
        }
    }
}

/// The grammar of header fields (RFC 9110, sections 5.5 and 5.6.2).
public enum HeaderSyntax {
    /// Whether bytes are a token: a header's name.
    public static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenByte)
    }

    /// Whether bytes may be a reason phrase: short ASCII without control characters, and no space at an end.
    public static func isReason(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count <= ResponseHead.reasonLimit && bytes.allSatisfy { (0x20..<0x7f).contains($0) }
            && bytes.first != 0x20 && bytes.last != 0x20
    }

    /// Whether a header's name is Content-Length, in any case.
    public static func isContentLength(_ name: UnsafeRawBufferPointer) -> Bool {
        let letters: StaticString = "content-length"
        guard name.count == letters.utf8CodeUnitCount else { return false }
        // With this bit the hyphen stays, letters become small, and no other byte of a token becomes one of these.
        return name.elementsEqual(UnsafeBufferPointer(start: letters.utf8Start, count: name.count)) { $0 | 0x20 == $1 }
    }

    /// Whether bytes may be a header's value: no control characters but the tab.
    public static func isValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }
    }

    /// Whether a field may come after the body (RFC 9110, section 6.5.1): none that says how to frame, route, authenticate,
    /// cache or read the message.
    public static func isTrailer(_ name: UnsafeRawBufferPointer) -> Bool {
        !forbiddenTrailers.contains { isEqual(name, $0) } && !hasPrefix(name, "if-") && !hasPrefix(name, "proxy-")
            && !hasPrefix(name, "content-")
    }

    private static let forbiddenTrailers: [StaticString] = [
        "transfer-encoding", "host", "connection", "keep-alive", "te", "trailer", "upgrade", "status", "cache-control",
        "expect", "max-forwards", "pragma", "range", "authorization", "www-authenticate", "cookie", "set-cookie", "age",
        "expires", "date", "location", "retry-after", "vary", "warning", "accept-ranges", "etag", "last-modified",
    ]

    /// Whether a header's name, which is a token, is this one, in any case.
    public static func isEqual(_ name: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
        name.count == lowercase.utf8CodeUnitCount && hasPrefix(name, lowercase)
    }

    private static func hasPrefix(_ name: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
        guard name.count >= lowercase.utf8CodeUnitCount else { return false }
        // Names are tokens: what this takes for a letter is one.
        return (0..<lowercase.utf8CodeUnitCount).allSatisfy { name[$0] | 0x20 == lowercase.utf8Start[$0] | 0x20 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
