internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// Entry files with the headers of theirs that have been dropped.
private let droppedHeaders = Lock<Set<String>>([])

/// One exchange, after its head has been put on the queue: relays both bodies until the end.
struct Relay {
    enum Result {
        /// What the handler returns.
        case status(Int32)
        /// A request for another path of this server takes its place.
        case redirect(String)
        /// The exchange goes back to the queue.
        case again(acceptsStale: Bool)
    }

    let desk: ExchangeDesk
    let request: OpaquePointer
    let facts: swsgi_request_facts
    let generation: Generation
    let group: Int
    /// What the group's directive says of requests.
    let options: ExchangeOptions
    /// Microseconds that the daemon process may say nothing.
    let timeout: Int64
    let brigade: OpaquePointer
    var state: ResponseState
    /// The status for a request body that could not be read, or 0.
    private(set) var bodyStatus: Int32 = 0
    /// Bytes of the request body that the daemon process is ready to take.
    private var credit = 0
    private(set) var bodyHasEnded = false
    /// Milliseconds without anything of the request body, where they are counted.
    private var streamSilence: Int32 = 0
    /// Bytes of the response that wait in the brigade for what comes with them: its end, perhaps.
    var added = 0
    /// Bytes that have been passed down the filters since the last flush.
    private var unflushed = 0
    private var wantsFlush = false
    private var clientHasGone = false
    var interimCount = 0
    var hasTrailers = false
    /// The client has its whole answer, though the exchange goes on.
    private(set) var isAnswered = false
    var hasFile = false
    /// A file has ended before the part of it that was to be sent.
    var fileHasShrunk = false
    var client: ClientWatch
    /// The daemon process has been told that nobody may wait any more.
    var isCancelled = false
    /// What httpd does in place of passing the application's response on.
    private(set) var replacement: Result?
    /// Bytes of a body that nobody gets: a replaced one, one for HEAD, or what is longer than announced.
    private var discarded = 0
    /// Bytes of such a body that are read, to use the channel again; a longer one is not waited for.
    private static let discardLimit = 1 << 20

    init(desk: ExchangeDesk, request: OpaquePointer, facts: swsgi_request_facts, generation: Generation, group: Int) {
        self.desk = desk
        self.request = request
        self.facts = facts
        self.generation = generation
        self.group = group
        options = generation.groups[group].definition.options.exchange
        timeout = options.socketTimeout ?? facts.timeout
        brigade = swsgi_brigade(request)
        client = ClientWatch(request)
        state = ResponseState(hasBody: facts.header_only == 0)
    }

    mutating func run(_ channel: inout ReplyChannel, _ reader: inout FrameReader) -> Result {
        do throws(Malformed) {
            while true {
                let left = timeLeft
                if left <= 0, !reader.hasMore { return .status(requestTimedOut()) }
                // A receive that would wait longer than that can't be told to end in time.
                let isLast = left < desk.patience * 1000
                let waits = unflushed == 0 && credit == 0
                switch try reader.next(channel.socket, waits: waits && !isLast) {
                case .data(let bytes): try data(bytes)
                case .frame(.end, let payload):
                    if generation.slowLimit != nil { desk.times.endedAt = Clock.monotonic }
                    let result = if let replacement { replacement } else { try end(payload[0]) }
                    takeBack(&channel, &reader)
                    return result
                case .frame(.retry, let payload):
                    guard state.phase == .waiting else { throw Malformed("a retry after the head", isOutOfOrder: true) }
                    let acceptsStale = payload[0] != 0
                    takeBack(&channel, &reader)
                    return .again(acceptsStale: acceptsStale)
                case .frame(.file, let payload): try file(payload, reader.takeDescriptor())
                case .frame(let kind, let payload): try frame(kind, payload)
                case .nothing where waits: if let status = wait(&channel, timeout) { return .status(status) }
                case .nothing: idle(channel.socket)
                case .ended: return .status(died())
                case .timedOut:
                    if let status = wait(&channel, max(0, timeout - desk.patience)) { return .status(status) }
                }
                if !reader.hasMore, added > 0 || wantsFlush { passAdded() }
                if fileHasShrunk { return .status(shrank()) }
                if clientHasGone { return .status(timeLeft <= 0 ? requestTimedOut() : statusOK) }
                if discarded > Self.discardLimit {
                    if !isAnswered { report(.discardLimit, "the application was cut off in a body that nobody gets") }
                    if let replacement { return replacement }
                    pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END)
                    return .status(statusOK)
                }
            }
        } catch {
            report(error.isOutOfOrder ? .frameOrder : .frameMalformed, "\(error)")
            return .status(abort(else: badGateway))
        }
    }

    private func takeBack(_ channel: inout ReplyChannel, _ reader: inout FrameReader) {
        let returned = reader.takeDescriptor()
        guard returned >= 0 else { return }
        // With bytes left on either side the next exchange would read them as its own: then the channel is not used again.
        if credit == 0, reader.isEmpty { channel.takeBack(returned) } else { close(returned) }
    }

    /// Writes a line that names group, request and entry file.
    func report(_ code: MessageCode, _ what: String) {
        let name = generation.groups[group].name
        let file = String(cString: facts.file_name)
        let text = "process group '\(name)': \(what), in \"\(String(cString: facts.line))\" of \(file)"
        log(Problem(code, text), request: request)
    }

    // MARK: Frames

    private mutating func frame(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer) throws(Malformed) {
        switch kind {
        case .wantBody:
            guard credit == 0, !bodyHasEnded else {
                throw Malformed("more of the body is wanted than there can be", isOutOfOrder: true)
            }
            credit = Int(payload.loadUnaligned(as: UInt32.self))
            guard (1...ExchangeDesk.bodyPiece).contains(credit) else { throw Malformed("\(credit) bytes are wanted") }
        case .flush: try flush()
        case .interim: try interim(payload)
        case .trailers: try trailers(payload)
        case .head:
            // From a process that does not say that it has taken the exchange, this does.
            if desk.times.isLimited { desk.times.taken(now: Clock.monotonic) }
            try head(payload)
        case .taken:
            guard desk.times.takenAt == nil else { throw Malformed("it was taken already", isOutOfOrder: true) }
            desk.times.taken(now: Clock.monotonic)
        case .log:
            let level = LogLevel(rawValue: max(payload[0], LogLevel.critical.rawValue)) ?? .debug
            let text = String(decoding: payload.dropFirst(), as: UTF8.self)
            let name = generation.groups[group].name
            LogRoom.log(request, level, "[group \(name)] \(text)")
        default: throw Malformed("a \(kind) frame from a daemon process")
        }
    }

    private mutating func head(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        let head = try ReceivedResponseHead(payload)
        try state.head(status: head.status, contentLength: head.contentLength)
        replacement = refusal(of: head) ?? replacement(for: head)
        guard replacement == nil else { return }
        let reason = head.reason.baseAddress?.assumingMemoryBound(to: CChar.self)
        swsgi_response_begin(request, Int32(head.status), reason, head.reason.count)
        head.forEachHeader { name, value in
            guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            let text = value.baseAddress?.assumingMemoryBound(to: CChar.self)
            switch Int(swsgi_response_header(request, start, name.count, text, value.count)) {
            case SWSGI_HEADER_TAKEN: break
            case SWSGI_HEADER_NO_DATE: reportDropped(name, .dateInvalid, "as it is no date")
            default: reportDropped(name, .headerDropped, "as it belongs to the server")
            }
        }
        if let length = state.announcedLength(status: head.status, contentLength: head.contentLength) {
            swsgi_response_length(request, length)
        }
        checkConditions()
    }

    /// Lets httpd answer a conditional request; the application never knows.
    private mutating func checkConditions() {
        let status = swsgi_response_condition(request)
        guard status != 0 else { return }
        isAnswered = status == notModified
        if isAnswered { pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END) }
        replacement = .status(isAnswered ? statusOK : status)
    }

    /// header-buffer-size: what httpd does with a head that has a longer header.
    private func refusal(of head: ReceivedResponseHead) -> Result? {
        var isRefused = false
        head.forEachHeader { name, value in
            let size = name.count + 2 + value.count
            guard size > options.headerBuffer, !isRefused else { return }
            isRefused = true
            let header = String(decoding: name.prefix(100), as: UTF8.self)
            report(.headerTooLong, "header '\(header)' is \(size) bytes, limit \(options.headerBuffer)")
        }
        return isRefused ? .status(internalError) : nil
    }

    /// WSGIErrorOverride and WSGILocalRedirect.
    private func replacement(for head: ReceivedResponseHead) -> Result? {
        if overrides(head.status) {
            head.forEachHeader { name, value in
                guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
                let text = value.baseAddress?.assumingMemoryBound(to: CChar.self)
                swsgi_error_header(request, start, name.count, text, value.count)
            }
            return .status(Int32(head.status))
        }
        guard facts.local_redirect != 0, head.status == 200 else { return nil }
        var location: String?
        head.forEachHeader { name, value in
            guard name.count == 8, let start = name.baseAddress, strncasecmp(start, "Location", 8) == 0 else { return }
            if value.first == UInt8(ascii: "/") { location = String(decoding: value, as: UTF8.self) }
        }
        return location.map { .redirect($0) }
    }

    private func overrides(_ status: Int) -> Bool {
        switch Int(facts.error_override) {
        case SWSGI_OVERRIDE_ERRORS: return status >= 400
        case SWSGI_OVERRIDE_LISTED:
            return facts.error_statuses.map { $0[status / 8] & (1 << UInt8(status % 8)) != 0 } ?? false
        default: return false
        }
    }

    /// Says once for each entry file and header what every response of it would repeat.
    private func reportDropped(_ name: UnsafeRawBufferPointer, _ code: MessageCode, _ reason: String) {
        let header = String(decoding: name, as: UTF8.self)
        let key = "\(String(cString: facts.file_name)) \(header)"
        let isNew = droppedHeaders.withLock { $0.count < 1000 && $0.insert(key).inserted }
        if isNew { report(code, "response header '\(header)' is dropped, \(reason)") }
    }

    private mutating func data(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        let passed = try state.data(bytes.count)
        discarded += replacement == nil ? bytes.count - passed : bytes.count
        guard passed > 0, replacement == nil else { return }
        swsgi_response_add(request, brigade, bytes.baseAddress, passed)
        added += passed
    }

    private mutating func flush() throws(Malformed) {
        guard state.phase == .streaming else { throw Malformed("a flush without a head", isOutOfOrder: true) }
        guard replacement == nil else { return }
        // Flushes that have come together are one: a storm of them costs no more than its bytes.
        wantsFlush = true
    }

    /// Passes what has been added down the output filters, with a flush where one is due.
    private mutating func passAdded() {
        pass(wantsFlush || Int64(unflushed + added) >= options.responseBuffer ? SWSGI_PASS_FLUSH : 0)
    }

    /// Passes what has been added down the output filters, with a flush or what ends the response.
    mutating func pass(_ flags: Int) {
        unflushed = flags & SWSGI_PASS_FLUSH == 0 ? unflushed + added : 0
        added = 0
        wantsFlush = false
        guard !clientHasGone else { return }
        let limit = limitClient()
        let result = Int(swsgi_response_pass(request, brigade, Int32(flags)))
        if let limit { restoreClient(limit) }
        switch result {
        case SWSGI_PASSED: break
        case SWSGI_FILE_ENDED where hasFile: fileHasShrunk = true
        default: clientHasGone = true
        }
    }

    // MARK: While nothing comes from the daemon process

    /// Milliseconds that the application may pause before the client gets what there is.
    private var flushDelay: Int32 { Int32(clamping: options.responseFlushDelay / 1000) }

    private mutating func idle(_ socket: Int32) {
        if credit > 0 {
            sendBody(socket)
        } else if !wait(for: (socket, -1), milliseconds: flushDelay) {
            // The application pauses: the client gets what there is.
            pass(SWSGI_PASS_FLUSH)
        }
    }

    /// Sends a piece of the request body; what was asked for always fits into the socket.
    private mutating func sendBody(_ socket: Int32) {
        let buffer = desk.body()
        guard let start = buffer.baseAddress?.advanced(by: FrameHeader.size) else { return }
        var status: Int32 = 0
        var got = swsgi_body_read(request, brigade, start, credit, 0, &status)
        if got == SWSGI_BODY_WAIT {
            let client = swsgi_connection_socket(request)
            let expectsContinue = swsgi_expects_continue(request) != 0
            if unflushed > 0 {
                // The client may wait for the beginning of the response before it sends more.
                let isSilent = client < 0 || expectsContinue
                if isSilent || !wait(for: (socket, client), milliseconds: flushDelay) { pass(SWSGI_PASS_FLUSH) }
                return
            }
            if expectsContinue {
                // httpd says 100 Continue when a read is to wait.
                let limit = limitRead()
                got = swsgi_body_read(request, brigade, start, credit, 1, &status)
                if let limit { restoreClient(limit) }
            } else if waitForBody(socket, client) {
                // The application may answer before the client has sent everything: whoever has something comes next.
                return
            } else {
                got = Int64(SWSGI_BODY_FAILED)
                status = requestTimeout
            }
        }
        streamSilence = 0
        // Too late for the body too: what becomes of the request is said in one place.
        if got <= 0, got != Int64(SWSGI_BODY_END), timeLeft <= 0 { return }
        if got > 0 {
            FrameHeader(.body, length: Int(got)).write(to: buffer)
            credit -= Int(got)
            send(socket, UnsafeRawBufferPointer(rebasing: buffer[0..<FrameHeader.size + Int(got)]))
        } else {
            endBody(socket, isComplete: got == SWSGI_BODY_END, status)
        }
    }

    /// Waits for more of the request body, or for the daemon process; false: the client's time is over.
    private mutating func waitForBody(_ socket: Int32, _ client: Int32) -> Bool {
        let limit = Int32(clamping: min(facts.timeout / 1000, timeLeft / 1_000_000 + 1))
        guard client < 0 else { return wait(for: (socket, client), milliseconds: limit) }
        // A stream of HTTP/2 has no socket of its own: it is looked at again, the later the longer it has been silent.
        let pause = min(max(1, streamSilence / 8), 50)
        if wait(for: (socket, -1), milliseconds: pause) { return true }
        streamSilence += pause
        return streamSilence < limit
    }

    /// Waits until one of them has something to read; one of them may be -1.
    private func wait(for sockets: (Int32, Int32), milliseconds: Int32) -> Bool {
        var polled = (
            pollfd(fd: sockets.0, events: Int16(POLLIN), revents: 0),
            pollfd(fd: sockets.1, events: Int16(POLLIN), revents: 0)
        )
        return withUnsafeMutableBytes(of: &polled) { bytes in
            while true {
                let ready = poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, milliseconds)
                if ready >= 0 || errno != EINTR { return ready > 0 }
            }
        }
    }

    private mutating func endBody(_ socket: Int32, isComplete: Bool, _ status: Int32) {
        if !isComplete {
            bodyStatus = status
            // Below 0: a filter has answered the client already, and written its own line.
            let reason = status > 0 ? "answered \(status)" : "refused by an input filter of httpd"
            report(.bodyUnreadable, "the request body can't be read further: \(reason)")
        }
        credit = 0
        bodyHasEnded = true
        let buffer = desk.body()
        FrameHeader(.bodyEnd, length: 1).write(to: buffer)
        buffer[FrameHeader.size] = isComplete ? 0 : 1
        send(socket, UnsafeRawBufferPointer(rebasing: buffer[0..<FrameHeader.size + 1]))
    }

    private func send(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) {
        // A process that has gone is seen by the next receive.
        try? Socket.sendAll(socket, bytes)
    }
}
