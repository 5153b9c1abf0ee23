internal import CSWSGI
internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

/// The response of one exchange on its way to httpd: kept back while it is small, so that a whole small response is one message.
struct ResponseBuffer: ~Copyable {
    private static let capacity = 32 * 1024
    /// Room for the headers of a DATA, a FLUSH and an END frame.
    private static let slack = 4 * FrameHeader.size + FilePart.size

    private var reply: Int32 = -1
    /// What takes the frames in place of the reply socket, if anything.
    private var peer: (any ExchangePeer)?
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    private var count = 0
    /// Where the header of the DATA frame stands that is being filled, if any.
    private var openFrame: Int?
    /// Where the content length of an unsent head stands.
    private var lengthPlace: Int?
    /// The application's own Content-Length.
    private(set) var announced: Int64?
    private(set) var written: Int64 = 0
    /// The file of the FILE frame that is kept back, if any.
    private var file: Int32 = -1
    private(set) var isStarted = false
    private(set) var isGone = false
    var interimCount = 0
    var hasTrailers = false
    /// Whether the application has read on after it began to write.
    private var isInterleaved = false
    /// Whether something has been kept back or sent that no flush has followed.
    private(set) var hasPending = false

    deinit {
        buffer.deallocate()
        if file >= 0 { close(file) }
    }

    mutating func begin(_ reply: Int32, peer: (any ExchangePeer)? = nil) {
        self.reply = reply
        self.peer = peer
        closeFile()
        count = 0
        openFrame = nil
        lengthPlace = nil
        announced = nil
        written = 0
        isStarted = false
        isGone = false
        hasPending = false
        interimCount = 0
        hasTrailers = false
        isInterleaved = false
    }

    // MARK: Head

    mutating func start(
        status: UInt32,
        reason: UnsafeRawBufferPointer,
        headers: UnsafeBufferPointer<swsgi_header>
    ) -> Int32 {
        guard !isStarted else { return ABIResult.started }
        guard (200...599).contains(status), HeaderSyntax.isReason(reason) else { return ABIResult.status }
        guard headers.allSatisfy({ Self.isPlausible($0.name) && Self.isPlausible($0.value) }) else {
            return ABIResult.headSize
        }
        let size = Self.size(reason, headers)
        guard headers.count <= ResponseHead.headerLimit, size <= FrameHeader.headLimit else {
            return ABIResult.headSize
        }
        var length: Int64?
        for header in headers {
            guard HeaderSyntax.isToken(bytes(header.name)) else { return ABIResult.headerName }
            guard HeaderSyntax.isValue(bytes(header.value)) else { return ABIResult.headerValue }
            guard isContentLength(bytes(header.name)) else { continue }
            guard let number = decimal(bytes(header.value)), length == nil else {
                return ABIResult.contentLength
            }
            length = number
        }
        announced = length
        isStarted = true
        hasPending = true
        // httpd counts on it that so much of the body can come along.
        reserve(FrameHeader.size + size + ResponseHead.togetherLimit + Self.slack)
        append(.head, length: size)
        append(UInt16(status))
        append(UInt16(headers.count - headers.count { isContentLength(bytes($0.name)) }))
        append(UInt32(reason.count))
        lengthPlace = count
        append(length ?? -1)
        append(reason)
        for header in headers where !isContentLength(bytes(header.name)) { append(header) }
        return ABIResult.ok
    }

    /// Whether a length can be true: sums of such lengths don't overflow.
    private static func isPlausible(_ text: swsgi_text) -> Bool { (0...FrameHeader.headLimit).contains(text.length) }

    /// Bytes of the HEAD frame's payload; the content length travels in a field of its own.
    private static func size(_ reason: UnsafeRawBufferPointer, _ headers: UnsafeBufferPointer<swsgi_header>) -> Int {
        headers.reduce(ResponseHead.fixedSize + reason.count) { size, header in
            isContentLength(bytes(header.name))
                ? size : size + 8 + bytes(header.name).count + bytes(header.value).count
        }
    }

    // MARK: Body

    mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard isStarted else { return ABIResult.notStarted }
        guard !isGone else { return ABIResult.clientGone }
        var bytes = bytes
        var result = ABIResult.ok
        if let announced, Int64(bytes.count) > announced - written {
            // One byte too many goes on: httpd drops it, and says so in its log.
            bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(announced + 1 - written)))
            result = ABIResult.tooLong
        }
        guard !bytes.isEmpty else { return result }
        written += Int64(bytes.count)
        hasPending = true
        // Room for what may follow is always left, so that it can travel with the last bytes.
        if count + bytes.count + Self.slack <= buffer.count {
            if openFrame == nil {
                openFrame = count
                append(.data, length: 0)
            }
            append(bytes)
            return result
        }
        let sent = sendLarge(bytes)
        return sent == ABIResult.ok ? result : sent
    }

    private mutating func sendLarge(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(FrameHeader.payloadLimit))
            closeFrame()
            lengthPlace = nil
            reserve(FrameHeader.size)
            append(.data, length: piece.count)
            guard send(piece) else { return ABIResult.clientGone }
            rest = rest.dropFirst(piece.count)
        }
        return ABIResult.ok
    }

    /// Adds a part of an open file, which is closed once it has been sent; it travels with what is kept back.
    mutating func add(_ part: FilePart, of opened: Int32) -> Int32 {
        closeFrame()
        // One file to a message: the end may bring the reply end along.
        guard file < 0 || send(.init(start: nil, count: 0)) else {
            close(opened)
            return ABIResult.clientGone
        }
        reserve(FrameHeader.size + FilePart.size)
        append(.file, length: FilePart.size)
        append(part.offset)
        append(part.length)
        file = opened
        written += part.length
        hasPending = true
        return ABIResult.ok
    }

    private mutating func handOverFile() -> Int32 {
        defer { file = -1 }
        return file
    }

    private mutating func closeFile() {
        if file >= 0 { close(file) }
        file = -1
    }

    /// Sends what is kept back, for the client now; nothing when everything has gone to it already.
    mutating func flush() -> Int32 {
        guard !isGone else { return ABIResult.clientGone }
        guard hasPending else { return ABIResult.ok }
        hasPending = false
        closeFrame()
        lengthPlace = nil
        reserve(FrameHeader.size)
        append(.flush, length: 0)
        return send(.init(start: nil, count: 0)) ? ABIResult.ok : ABIResult.clientGone
    }

    /// The application reads on.
    ///
    /// Whether that flushes what it wrote depends on how fast the client sends; the response is one in pieces in any case.
    mutating func interleave() {
        if hasPending { isInterleaved = true }
    }

    /// Sends the rest and the end, with the reply end when httpd may use it again.
    mutating func end(_ outcome: ExchangeOutcome, returnsReply: Bool) {
        guard !isGone else { return }
        closeFrame()
        if outcome != .complete, lengthPlace != nil {
            count = 0  // nothing has been sent: httpd answers with an error of its own
            closeFile()
        } else if isInterleaved {
            reserve(FrameHeader.size)
            append(.flush, length: 0)
        } else if let place = lengthPlace, announced == nil {
            buffer.storeBytes(of: written, toByteOffset: place, as: Int64.self)
        }
        reserve(FrameHeader.size + 1)
        append(.end, length: 1)
        append(outcome.rawValue)
        let message = UnsafeRawBufferPointer(rebasing: buffer[0..<count])
        if let peer {
            isGone = !peer.take(message, .init(start: nil, count: 0), file: handOverFile())
        } else {
            // httpd may have given the exchange up: then there is nobody to tell.
            do throws(Errno) {
                let reply = returnsReply ? reply : -1
                try Socket.sendAll(self.reply, message, descriptors: file < 0 ? (reply, -1) : (file, reply))
            } catch {}
            closeFile()
        }
        count = 0
    }

    /// The application is over: nothing of the exchange is held any longer.
    mutating func forget() {
        peer = nil
        reply = -1
    }

    // MARK: Bytes

    mutating func send(_ more: UnsafeRawBufferPointer) -> Bool {
        let message = UnsafeRawBufferPointer(rebasing: buffer[0..<count])
        if let peer {
            isGone = !peer.take(message, more, file: handOverFile())
        } else {
            do throws(Errno) {
                try Socket.sendAll(reply, message, more, descriptors: (file, -1))
            } catch {
                isGone = true
            }
            closeFile()
        }
        lengthPlace = nil
        count = 0
        return !isGone
    }

    mutating func closeFrame() {
        guard let place = openFrame else { return }
        openFrame = nil
        FrameHeader(.data, length: count - place - FrameHeader.size)
            .write(to: UnsafeMutableRawBufferPointer(rebasing: buffer[place...]))
    }

    mutating func reserve(_ more: Int) {
        guard count + more + 3 * FrameHeader.size > buffer.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count + more + Self.capacity, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
        buffer.deallocate()
        buffer = larger
    }

    mutating func append(_ kind: FrameKind, length: Int) {
        FrameHeader(kind, length: length).write(to: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
        count += FrameHeader.size
    }

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        buffer.storeBytes(of: number, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    mutating func append(_ header: swsgi_header) {
        append(UInt32(bytes(header.name).count))
        append(UInt32(bytes(header.value).count))
        append(bytes(header.name))
        append(bytes(header.value))
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        buffer.baseAddress?.advanced(by: count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }
}

func isContentLength(_ name: UnsafeRawBufferPointer) -> Bool {
    let expected: StaticString = "content-length"
    guard name.count == expected.utf8CodeUnitCount, let start = name.baseAddress else { return false }
    let letters = UnsafeRawPointer(expected.utf8Start).assumingMemoryBound(to: CChar.self)
    return strncasecmp(start.assumingMemoryBound(to: CChar.self), letters, name.count) == 0
}

/// A decimal number of at most 18 digits, without sign or blanks.
private func decimal(_ text: UnsafeRawBufferPointer) -> Int64? {
    guard (1...18).contains(text.count) else { return nil }
    var number: Int64 = 0
    for byte in text {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        number = number * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return number
}
