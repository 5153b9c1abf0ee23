internal import CSWSGI
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire
internal import Synchronization

/// One exchange after the other, of one request thread: what the application reaches through the host's table.
///
/// Used by one thread at a time; all its memory is kept from exchange to exchange.
public final class Exchange {
    private var reply: Int32 = -1
    private var head: ReceivedHead?
    /// httpd itself, where it runs the application in its own process.
    private var peer: (any ExchangePeer)?
    private var constants: ConstantFields?
    private var own = OwnFields()
    private var output: ResponseBuffer
    private var input: BodyReader
    private let thread: Int
    /// Whether the application may still find something of the request body.
    private var isBodyOpen = false
    /// What the application gets instead of this object.
    private let handle = ExchangeHandle.make()

    /// The working memory of request thread number `thread`, counted from 1; 0 where several threads use it by turns.
    public init(thread: Int = 0) {
        self.thread = thread
        output = ResponseBuffer()
        input = BodyReader()
    }

    deinit { handle.giveBack() }

    /// Runs the application on one exchange and ends it.
    ///
    /// `reply` stays the caller's to close. Before it goes back to httpd, with the end, `handOver` is asked whether it may.
    public func run(_ instance: Instance, head: ReceivedHead, reply: Int32, handOver: () -> Bool) {
        self.head = head
        self.reply = reply
        own.begin(thread: thread, requestStart: head.requestStart, queueStart: head.queueStart)
        isBodyOpen = head.flags.contains(.body)
        output.begin(reply)
        input.begin(reply, hasBody: head.flags.contains(.body))
        defer { self.head = nil }
        run(instance, handOver: handOver)
    }

    /// Runs the application on an exchange of its own process, in thread number `thread`: no queue, no socket.
    public func run(
        _ instance: Instance,
        peer: any ExchangePeer,
        thread: Int,
        requestStart: Int64,
        hasBody: Bool
    ) {
        self.peer = peer
        isBodyOpen = hasBody
        own.begin(thread: thread, requestStart: requestStart, queueStart: 0)
        output.begin(-1, peer: peer)
        input.begin(-1, hasBody: false)
        defer {
            self.peer = nil
            output.forget()
        }
        run(instance, handOver: { false })
    }

    private func run(_ instance: Instance, handOver: () -> Bool) {
        constants = instance.constants
        let application = instance.application.pointee
        let result = application.respond(application.context, instance.host, handle.open(for: self))
        // Only the first of the two may answer the request, and take the next one.
        ForkReturn.end(from: head.map { "\"\(LogText.escaped($0.line))\"" } ?? "a request")
        handle.close()
        if result == 0, !output.isStarted, !isCancelled {
            log(.error, "the application ended without starting a response")
        }
        let failure = Self.areAllCancelled.load(ordering: .relaxed) ? ExchangeOutcome.unavailable : .failed
        output.end(result == 0 && output.isStarted ? .complete : failure, returnsReply: input.isIdle && handOver())
    }

    /// Whether an exchange runs that counts for inactivity-timeout.
    public var isActivity: Bool { head.map { !$0.flags.contains(.isNoActivity) } ?? false }

    /// The thread that runs the application on an exchange has ended, and will not come back: httpd answers for it.
    ///
    /// `isOwn`: the reply socket is this process's to use still.
    public func abandon(isOwn: Bool) {
        guard head != nil else { return }
        head = nil
        guard isOwn else { return }
        // Ended in the middle of a call of the host's, it may have sent a part of a frame.
        guard handle.tryClose() else {
            shutdown(reply, Int32(SHUT_RDWR))
            return
        }
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.size + 1, alignment: 8) { frame in
            FrameHeader(.end, length: 1).write(to: frame)
            frame[FrameHeader.size] = ExchangeOutcome.failed.rawValue
            // Without the descriptor: the socket is not used again.
            try? Socket.sendAll(reply, UnsafeRawBufferPointer(frame))
        }
        Glibc.close(reply)
    }

    /// Ends an exchange that no application may run.
    public static func refuse(_ reply: Int32, _ outcome: ExchangeOutcome) {
        sendLast(reply, .end, outcome.rawValue)
    }

    /// Sends an exchange back to the queue: for new code, or for code as old as it is.
    public static func retry(_ reply: Int32, acceptsStale: Bool) {
        sendLast(reply, .retry, acceptsStale ? 1 : 0)
    }

    /// Microseconds in the queue after which a look is taken whether anybody still waits.
    private static let usualWait: Int64 = 100_000

    /// Says that the application runs from `now`, monotonic nanoseconds, if httpd asked for that; false: httpd has given the
    /// exchange up.
    public static func begins(_ reply: Int32, _ head: ReceivedHead, now: Int64) -> Bool {
        guard head.flags.contains(.announced) else {
            return Clock.wall - head.queueStart < usualWait || !Socket.hasHungUp(reply)
        }
        return withUnsafeTemporaryAllocation(byteCount: FrameHeader.size + 8, alignment: 8) { frame in
            FrameHeader(.taken, length: 8).write(to: frame)
            frame.storeBytes(of: now, toByteOffset: FrameHeader.size, as: Int64.self)
            return (try? Socket.sendAll(reply, UnsafeRawBufferPointer(frame))) != nil
        }
    }

    private static func sendLast(_ reply: Int32, _ kind: FrameKind, _ byte: UInt8) {
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.size + 1, alignment: 8) { frame in
            FrameHeader(kind, length: 1).write(to: frame)
            frame[FrameHeader.size] = byte
            // The far end may be gone: then there is nobody to tell.
            try? Socket.sendAll(reply, UnsafeRawBufferPointer(frame), descriptors: (reply, -1))
        }
    }

    // MARK: What the host's table calls

    private var fieldCount: Int { peer?.fieldCount ?? head?.fieldCount ?? 0 }

    var environCount: Int { fieldCount + (constants?.count ?? 0) + OwnFields.count }

    func environValue(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let ofRequest = if let peer { peer.value(of: name) } else { head?.value(of: name) }
        return ofRequest ?? constants?.value(of: name) ?? own.value(of: name)
    }

    func environField(_ index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard let constants else { return nil }
        let place = index - fieldCount
        if place < 0 { return if let peer { peer.field(at: index) } else { head?.field(at: index) } }
        return place < constants.count ? constants.field(at: place) : own.field(at: place - constants.count)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int64 {
        if isBodyOpen { output.interleave() }
        let count = readNext(into: buffer)
        if count == 0, !buffer.isEmpty { isBodyOpen = false }
        return count
    }

    private func readNext(into buffer: UnsafeMutableRawBufferPointer) -> Int64 {
        if let peer { return read(from: peer, into: buffer) }
        if input.mustWait, output.hasPending {
            // A client may wait for the beginning of the response before it sends more of the request.
            let sent = output.flush()
            if sent != ABIResult.ok { return Int64(sent) }
        }
        return input.read(into: buffer)
    }

    private func read(from peer: any ExchangePeer, into buffer: UnsafeMutableRawBufferPointer) -> Int64 {
        guard !buffer.isEmpty else { return 0 }
        var got: Int64?
        if output.hasPending {
            got = peer.read(into: buffer, waits: false)
            if got == nil {
                // A client may wait for the beginning of the response before it sends more of the request.
                let sent = output.flush()
                if sent != ABIResult.ok { return Int64(sent) }
            }
        }
        let count = got ?? peer.read(into: buffer, waits: true) ?? -1
        return count < 0 ? Int64(SWSGI_ERROR_BODY) : count
    }

    func startResponse(
        status: UInt32,
        reason: UnsafeRawBufferPointer,
        headers: UnsafeBufferPointer<swsgi_header>
    ) -> Int32 {
        let result = output.start(status: status, reason: reason, headers: headers)
        return result == ABIResult.headSize ? refuseHead(of: headers.count) : result
    }

    /// Says in the log that a head is too large.
    func refuseHead(of count: Int) -> Int32 {
        let limits = "at most \(ResponseHead.headerLimit), and \(FrameHeader.headLimit) bytes in all, are taken"
        var text = Problem(.headersTooMany, "the response has \(count) headers; \(limits)").description
        text.withUTF8 { log(.error, UnsafeRawBufferPointer($0)) { _ in } }
        return ABIResult.headSize
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Int32 { output.write(bytes) }

    func flush() -> Int32 { output.flush() }

    func interim(_ status: UInt32, _ headers: UnsafeBufferPointer<swsgi_header>) -> Int32 {
        output.interim(status, headers)
    }

    func trailers(_ headers: UnsafeBufferPointer<swsgi_header>) -> Int32 { output.trailers(headers) }

    func sendFile(_ descriptor: Int32, offset: Int64, length: Int64) -> Int32 {
        output.sendFile(descriptor, offset: offset, length: length)
    }

    var isCancelled: Bool {
        if let peer { return peer.isCancelled }
        return Self.areAllCancelled.load(ordering: .relaxed) || input.seesAbort()
    }

    private static let areAllCancelled = Atomic<Bool>(false)

    /// Tells the applications that the time of this process is over: every exchange is cancelled, from now on.
    public static func cancelAll() { areAllCancelled.store(true, ordering: .relaxed) }

    /// Sends a line for each line of the text, which says which process it comes from.
    ///
    /// Gives what could not be sent, as httpd has given the exchange up, to `instead`.
    func log(_ level: LogLevel, _ text: UnsafeRawBufferPointer, instead: (UnsafeRawBufferPointer) -> Void) {
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            let line = UnsafeRawBufferPointer(rebasing: line)
            let kept = LoggedLine.prefix(of: line)
            guard kept.count < line.count else {
                send(level, line, instead)
                continue
            }
            var cut = [UInt8](kept) + LoggedLine.remark(cutOff: line.count - kept.count)
            cut.withUnsafeMutableBytes { send(level, UnsafeRawBufferPointer($0), instead) }
        }
    }

    private func send(
        _ level: LogLevel,
        _ line: UnsafeRawBufferPointer,
        _ instead: (UnsafeRawBufferPointer) -> Void
    ) {
        if let peer { return peer.log(level, line) }
        let start = FrameHeader.size + 1
        withUnsafeTemporaryAllocation(byteCount: start + Self.origin.count, alignment: 8) { frame in
            FrameHeader(.log, length: 1 + Self.origin.count + line.count).write(to: frame)
            frame[FrameHeader.size] = level.rawValue
            UnsafeMutableRawBufferPointer(rebasing: frame[start...]).copyBytes(from: Self.origin)
            if (try? Socket.sendAll(reply, UnsafeRawBufferPointer(frame), line)) == nil { instead(line) }
        }
    }

    private static let origin = Array("[pid \(getpid())] ".utf8)

    private func log(_ level: LogLevel, _ text: StaticString) {
        log(level, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)) { _ in }
    }
}
