internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// One exchange, after its head has been put on the queue: relays both bodies until the end.
struct Relay {
    enum Result {
        /// What the handler returns.
        case status(Int32)
        /// The exchange goes back to the queue.
        case again(acceptsStale: Bool)
    }

    private static let badGateway: Int32 = 502
    private static let gatewayTimeout: Int32 = 504

    let desk: ExchangeDesk
    let request: OpaquePointer
    let facts: swsgi_request_facts
    let generation: Generation
    let group: Int

    private let brigade: OpaquePointer
    private var state: ResponseState
    /// Bytes of the request body that the daemon process is ready to take.
    private var credit = 0
    private var bodyHasEnded = false
    private var bodyStatus: Int32 = 0
    private var unflushed = false
    private var clientHasGone = false

    init(desk: ExchangeDesk, request: OpaquePointer, facts: swsgi_request_facts, generation: Generation, group: Int) {
        self.desk = desk
        self.request = request
        self.facts = facts
        self.generation = generation
        self.group = group
        brigade = swsgi_brigade(request)
        state = ResponseState(hasBody: facts.header_only == 0)
    }

    private var name: String { generation.groups[group].name }

    mutating func run(_ channel: inout ReplyChannel, _ reader: inout FrameReader) -> Result {
        do throws(Malformed) {
            while true {
                let waits = !unflushed && credit == 0
                switch try reader.next(channel.socket, waits: waits) {
                case .data(let bytes): try data(bytes, isLast: reader.isEmpty)
                case .frame(.end, let payload):
                    let result = try end(payload[0])
                    takeBack(&channel, &reader)
                    return result
                case .frame(.retry, let payload):
                    guard state.phase == .waiting else { throw Malformed("a retry after the head") }
                    let acceptsStale = payload[0] != 0
                    takeBack(&channel, &reader)
                    return .again(acceptsStale: acceptsStale)
                case .frame(let kind, let payload): try frame(kind, payload)
                case .nothing: idle(channel.socket)
                case .ended: return .status(died())
                case .timedOut: return .status(timedOut())
                }
                if clientHasGone { return .status(statusOK) }
            }
        } catch {
            log(Problem(.frameMalformed, "process group '\(name)': \(error)"), request: request)
            return .status(abort(else: Self.badGateway))
        }
    }

    private func takeBack(_ channel: inout ReplyChannel, _ reader: inout FrameReader) {
        let returned = reader.takeReturned()
        // With bytes left on either side the next exchange would read them as its own: then the channel is not used again.
        if returned >= 0, credit == 0, reader.isEmpty {
            channel.takeBack(returned)
        } else if returned >= 0 {
            close(returned)
        }
    }

    // MARK: Frames

    private mutating func frame(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer) throws(Malformed) {
        switch kind {
        case .wantBody:
            guard credit == 0 else { throw Malformed("more of the body is wanted before it has come") }
            credit = Int(payload.loadUnaligned(as: UInt32.self))
            guard (1...ExchangeDesk.bodyPiece).contains(credit) else { throw Malformed("\(credit) bytes are wanted") }
            if bodyHasEnded { throw Malformed("a body is wanted after its end") }
        case .head: try head(payload)
        case .log:
            let level = Int32(
                LogLevel(rawValue: max(payload[0], LogLevel.error.rawValue))?.rawValue ?? LogLevel.debug.rawValue
            )
            let text = String(decoding: payload.dropFirst(), as: UTF8.self)
            swsgi_log_request(request, level, "process group '\(name)': \(text)")
        default: throw Malformed("a \(kind) frame from a daemon process")
        }
    }

    private mutating func head(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        let head = try ReceivedResponseHead(payload)
        try state.head(contentLength: head.contentLength)
        let reason = head.reason.baseAddress?.assumingMemoryBound(to: CChar.self)
        swsgi_response_begin(request, Int32(head.status), reason, head.reason.count)
        head.forEachHeader { name, value in
            guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            let kept = swsgi_response_header(
                request,
                start,
                name.count,
                value.baseAddress?.assumingMemoryBound(to: CChar.self),
                value.count
            )
            if kept == 0 {
                let dropped = String(decoding: name, as: UTF8.self)
                log(
                    Problem(.headerDropped, "process group '\(self.name)': response header '\(dropped)' was dropped"),
                    request: request
                )
            }
        }
        if let length = head.contentLength { swsgi_response_length(request, length) }
    }

    private mutating func data(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(Malformed) {
        let passed = try state.data(bytes.count)
        guard passed > 0 else { return }
        unflushed = true
        pass(UnsafeRawBufferPointer(rebasing: bytes.prefix(passed)), 0)
    }

    private mutating func pass(_ bytes: UnsafeRawBufferPointer, _ flags: Int) {
        guard !clientHasGone else { return }
        clientHasGone = swsgi_response_pass(request, brigade, bytes.baseAddress, bytes.count, Int32(flags)) == 0
    }

    /// Nothing has come from the daemon process for the moment.
    private mutating func idle(_ socket: Int32) {
        if unflushed {
            // The application pauses: the client gets what there is.
            unflushed = false
            pass(.init(start: nil, count: 0), SWSGI_PASS_FLUSH)
        } else if credit > 0 {
            sendBody(socket)
        }
    }

    /// Sends a piece of the request body; what was asked for always fits into the socket.
    private mutating func sendBody(_ socket: Int32) {
        let buffer = desk.body()
        var status: Int32 = 0
        guard let start = buffer.baseAddress?.advanced(by: FrameHeader.size) else { return }
        let got = swsgi_body_read(request, brigade, start, credit, 1, &status)
        if got > 0 {
            FrameHeader(.body, length: Int(got)).write(to: buffer)
            credit -= Int(got)
            send(socket, UnsafeRawBufferPointer(rebasing: buffer[0..<FrameHeader.size + Int(got)]))
            return
        }
        if got == SWSGI_BODY_FAILED {
            bodyStatus = status
            log(Problem(.bodyUnreadable, "the request body can't be read further (\(status))"), request: request)
        }
        FrameHeader(.bodyEnd, length: 1).write(to: buffer)
        buffer[FrameHeader.size] = got == SWSGI_BODY_END ? 0 : 1
        credit = 0
        bodyHasEnded = true
        send(socket, UnsafeRawBufferPointer(rebasing: buffer[0..<FrameHeader.size + 1]))
    }

    private func send(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) {
        // A process that has gone is seen by the next receive.
        _ = try? Socket.send(socket, bytes)
    }

    // MARK: Ends

    private mutating func end(_ byte: UInt8) throws(Malformed) -> Result {
        guard let outcome = ExchangeOutcome(rawValue: byte) else { throw Malformed("unknown outcome \(byte)") }
        switch try state.end(outcome) {
        case .complete:
            if state.isTooLong {
                log(
                    Problem(
                        .responseLong,
                        "process group '\(name)': more bytes than the Content-Length; the rest was dropped"
                    ),
                    request: request
                )
            }
            // The client has its answer before httpd does its book-keeping, and its next request may be there before that is done.
            pass(.init(start: nil, count: 0), SWSGI_PASS_FLUSH | SWSGI_PASS_END)
            return .status(statusOK)
        case .withoutHead(.notLoaded):
            log(
                Problem(
                    .applicationNotLoaded,
                    "process group '\(name)' can't load \(String(cString: facts.file_name))"
                ),
                request: request
            )
            return .status(internalError)
        case .withoutHead:
            if bodyStatus != 0 { return .status(bodyStatus) }
            log(
                Problem(.applicationFailed, "process group '\(name)': the application failed without an answer"),
                request: request
            )
            return .status(internalError)
        case .failed:
            if bodyStatus == 0 {
                log(
                    Problem(
                        .responseCut,
                        "process group '\(name)': the application failed in the middle of its response"
                    ),
                    request: request
                )
            }
            return .status(abort(else: internalError))
        case .short(let missing):
            log(
                Problem(.responseShort, "process group '\(name)': \(missing) bytes less than the Content-Length"),
                request: request
            )
            return .status(abort(else: internalError))
        }
    }

    /// Makes sure that the client does not take what it has for the whole response.
    private mutating func abort(else status: Int32) -> Int32 {
        guard state.phase != .waiting else { return status }
        pass(.init(start: nil, count: 0), SWSGI_PASS_ABORT | SWSGI_PASS_END)
        return statusOK
    }

    private mutating func died() -> Int32 {
        let notice = DeathNotice(
            group: group,
            time: Clock.monotonic,
            entryFile: String(cString: facts.file_name),
            line: String(cString: facts.line),
            hadBegun: state.phase != .waiting
        )
        // The log line waits for the supervisor to say which process it was; the client does not.
        swsgi_report_later(request, Unmanaged.passRetained(notice).toOpaque())
        return abort(else: Self.badGateway)
    }

    private mutating func timedOut() -> Int32 {
        log(
            Problem(
                .answerTimeout,
                "process group '\(name)' did not answer within \(facts.timeout / 1_000_000) seconds for \(String(cString: facts.file_name))"
            ),
            request: request
        )
        return abort(else: Self.gatewayTimeout)
    }
}
