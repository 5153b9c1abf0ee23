internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// One exchange, after its head has been put on the queue: relays both bodies until the end.
struct Relay {
    let desk: ExchangeDesk
    let request: OpaquePointer
    let facts: swsgi_request_facts
    let generation: Generation
    let group: Int
    /// What the group's directive says of requests.
    let options: ExchangeOptions
    /// Microseconds that the daemon process may say nothing.
    let timeout: Int64
    var response: ClientResponse
    /// Bytes of the request body that the daemon process is ready to take.
    private var credit = 0
    private(set) var bodyHasEnded = false
    /// Milliseconds without anything of the request body.
    private var bodySilence: Int32 = 0
    /// Milliseconds after which input filters are asked again: some of them have limits of their own, as mod_reqtimeout.
    private static let filterPause: Int32 = 500
    var client: ClientWatch

    init(desk: ExchangeDesk, request: OpaquePointer, facts: swsgi_request_facts, generation: Generation, group: Int) {
        self.desk = desk
        self.request = request
        self.facts = facts
        self.generation = generation
        self.group = group
        options = generation.groups[group].exchange
        timeout = options.socketTimeout ?? facts.timeout
        // What the client sends is not for a script that is asked about its request.
        bodyHasEnded = facts.question != nil
        client = ClientWatch(request)
        response = ClientResponse(
            desk: desk,
            request: request,
            facts: facts,
            origin: .group(generation, group),
            options: options
        )
    }

    mutating func run(_ channel: inout ReplyChannel, _ reader: inout FrameReader) -> ExchangeResult {
        do throws(Malformed) {
            while true {
                let left = response.timeLeft
                if left <= 0, !reader.hasMore { return .status(requestTimedOut()) }
                // A receive that would wait longer than that can't be told to end in time.
                let isLast = left < desk.patience * 1000
                let waits = response.unflushed == 0 && credit == 0
                switch try reader.next(channel.socket, waits: waits && !isLast) {
                case .data(let bytes): try response.data(bytes)
                case .frame(.end, let payload):
                    if generation.slowLimit != nil { desk.times.endedAt = Clock.monotonic }
                    let replacement = response.replacement(after: ExchangeOutcome(rawValue: payload[0]))
                    let result = if let replacement { replacement } else { try end(payload[0]) }
                    takeBack(&channel, &reader)
                    return result
                case .frame(.retry, let payload):
                    guard response.state.phase == .waiting else {
                        throw Malformed("a retry after the head", isOutOfOrder: true)
                    }
                    let acceptsStale = payload[0] != 0
                    takeBack(&channel, &reader)
                    return .again(acceptsStale: acceptsStale)
                case .frame(.file, let payload): try response.file(payload, reader.takeDescriptor())
                case .frame(let kind, let payload): try frame(kind, payload)
                case .nothing where waits: if let status = wait(&channel, timeout) { return .status(status) }
                case .nothing: idle(channel.socket)
                // A process ends when no thread comes back: also where this thread is late to see that its time is over.
                case .ended: return .status(response.timeLeft <= 0 ? requestTimedOut() : died())
                case .timedOut:
                    if let status = wait(&channel, max(0, timeout - desk.patience)) { return .status(status) }
                }
                if !reader.hasMore, response.added > 0 || response.wantsFlush { response.passAdded() }
                if response.fileHasShrunk { return .status(response.shrank()) }
                if response.clientHasGone {
                    return .status(response.timeLeft <= 0 ? requestTimedOut() : response.takesNoMore())
                }
                if let result = response.cutOff() { return result }
            }
        } catch {
            response.report(error.isOutOfOrder ? .frameOrder : .frameMalformed, "\(error)")
            return .status(response.abort(else: badGateway))
        }
    }

    private func takeBack(_ channel: inout ReplyChannel, _ reader: inout FrameReader) {
        let returned = reader.takeDescriptor()
        guard returned >= 0 else { return }
        // With bytes left on either side the next exchange would read them as its own: then the channel is not used again.
        if credit == 0, reader.isEmpty { channel.takeBack(returned) } else { close(returned) }
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
        case .head:
            // From a process that does not say that it has taken the exchange, this does.
            if desk.times.isLimited { desk.times.taken(now: Clock.monotonic) }
            try response.head(payload)
        case .taken:
            guard desk.times.takenAt == nil else { throw Malformed("it was taken already", isOutOfOrder: true) }
            desk.times.taken(at: payload.loadUnaligned(as: Int64.self), now: Clock.monotonic)
        case .log:
            let level = LogLevel(rawValue: max(payload[0], LogLevel.critical.rawValue)) ?? .debug
            let text = String(decoding: payload.dropFirst(), as: UTF8.self)
            let name = generation.groups[group].name
            LogRoom.log(request, level, "[group \(name)] \(text)")
        default: try response.frame(kind, payload)
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
            response.pass(SWSGI_PASS_FLUSH)
        }
    }

    /// Sends a piece of the request body; what was asked for always fits into the socket.
    private mutating func sendBody(_ socket: Int32) {
        let buffer = desk.body()
        guard let start = buffer.baseAddress?.advanced(by: FrameHeader.size) else { return }
        var status: Int32 = 0
        var got = swsgi_body_read(request, response.brigade, start, credit, 0, &status)
        if got == SWSGI_BODY_WAIT {
            let client = swsgi_connection_socket(request)
            let expectsContinue = swsgi_expects_continue(request) != 0
            if response.unflushed > 0 {
                // The client may wait for the beginning of the response before it sends more.
                let isSilent = client < 0 || expectsContinue
                if isSilent || !wait(for: (socket, client), milliseconds: flushDelay) {
                    response.pass(SWSGI_PASS_FLUSH)
                }
                return
            }
            if expectsContinue {
                // httpd says 100 Continue when a read is to wait.
                let limit = response.limitRead()
                got = swsgi_body_read(request, response.brigade, start, credit, 1, &status)
                if let limit { response.restoreClient(limit) }
            } else if waitForBody(socket, client) {
                // The application may answer before the client has sent everything: whoever has something comes next.
                return
            } else {
                got = Int64(SWSGI_BODY_FAILED)
                status = requestTimeout
            }
        }
        bodySilence = 0
        // Too late for the body too: what becomes of the request is said in one place.
        if got <= 0, got != Int64(SWSGI_BODY_END), response.timeLeft <= 0 { return }
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
        let limit = Int32(clamping: facts.timeout / 1000)
        // A stream of HTTP/2 has no socket of its own: it is looked at again, the later the longer it has been silent.
        let patience = client < 0 ? min(max(1, bodySilence / 8), 50) : Self.filterPause
        let left = min(Int64(max(1, limit - bodySilence)), response.timeLeft / 1_000_000 + 1)
        let pause = min(patience, Int32(clamping: max(1, left)))
        if wait(for: (socket, client), milliseconds: pause) { return true }
        bodySilence += pause
        return bodySilence < limit && response.timeLeft > 0
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
        if !isComplete { response.bodyFailed(status) }
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
