import CSWSGI

/// How far the head of a response has come.
enum Head {
    /// The application has not started the response.
    case none
    /// Started; the head leaves with the first content or the end, until when it may be replaced (PEP 3333).
    case kept(code: UInt32, reason: String, fields: [(String, String)])
    /// The host has it.
    case sent
}

extension Exchange {
    /// Checks and keeps the head of the response.
    ///
    /// For a caller that has taken the object. `error` is what makes a second start legal (PEP 3333, exc_info).
    func start(code: UInt32, reason: String, fields: [(String, String)], after error: (any Error)?) throws {
        guard pointer != nil else {
            throw ExchangeError(.completed, "startResponse() called after request completed")
        }
        switch (head, error) {
        case (.none, _), (.kept, .some): break
        case (.sent, .some(let error)): throw error
        case (.kept, .none), (.sent, .none):
            throw ExchangeError(.alreadyStarted, "startResponse() called more than once without an error")
        }
        try HeadRules.check(fields)
        head = .kept(code: code, reason: reason, fields: fields)
    }

    /// Adds bytes to the body; the first ones take the head with them.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard take() else { throw ExchangeError.inUse }
        defer { release() }
        try writeTaken(bytes)
    }

    private func writeTaken(_ bytes: UnsafeRawBufferPointer) throws {
        if let failure { throw failure }
        guard let pointer else { throw ExchangeError(.completed, "write() called after request completed") }
        guard !bytes.isEmpty else { return }
        try keepingFailure {
            try sendHead()
            try check(host.pointee.write(pointer, bytes.baseAddress, bytes.count))
        }
    }

    /// Sends what the host has kept back.
    func flush() throws {
        guard take() else { throw ExchangeError.inUse }
        defer { release() }
        try flushTaken()
    }

    private func flushTaken() throws {
        if let failure { throw failure }
        guard let pointer, case .sent = head else { return }
        try keepingFailure { try check(host.pointee.flush(pointer)) }
    }

    /// Writes the whole body and ends the response; whatever happens, the body's own end is called.
    ///
    /// Waits for a thread that writes beside it, against all rules, instead of failing.
    func send(_ body: Body) throws {
        defer { body.end?.run() }
        try checkFailure()
        switch body.content {
        case .chunks(let chunks):
            for chunk in chunks { try chunk.withChunkBytes(writeWhole) }
        case .generator(let next):
            while let chunk = try next() {
                try chunk.withChunkBytes(writeWhole)
                try afterOthers(flushTaken)
            }
        case .stream(let produce):
            try produce(ResponseWriter(exchange: self))
        case .file(let file, let offset, let length):
            try send(file, offset, length)
        }
        try checkFailure(sendingHead: true)
    }

    /// Writes for the body that was returned: it goes before what other threads may still want to write.
    private func writeWhole(_ bytes: UnsafeRawBufferPointer) throws {
        try afterOthers { try writeTaken(bytes) }
    }

    private func checkFailure(sendingHead: Bool = false) throws {
        try afterOthers {
            if let failure { throw failure }
            if sendingHead { try sendHead() }
        }
    }

    /// Lets the host send a part of a file, or reads it for a host that can't.
    private func send(_ file: OpenFile, _ offset: Int64, _ length: Int64) throws {
        guard let pointer else { throw ExchangeError(.completed, "a body was sent after request completed") }
        guard host.has(\.send_file) else { return try file.forEachPiece(from: offset, length: length, write) }
        try keepingFailure {
            try sendHead()
            try check(host.pointee.send_file(pointer, file.descriptor, offset, length))
        }
    }

    /// Gives the host the fields that follow the body; one that is too old sends none.
    func trailers(_ headers: Headers) throws {
        if let failure { throw failure }
        guard let pointer else { throw ExchangeError(.completed, "trailers were set after request completed") }
        for (name, value) in headers.fields { try HeadRules.check(name: name, value: value) }
        try keepingFailure {
            try sendHead()
            guard host.has(\.trailers) else { return }
            try check(withHeaders(headers.fields) { host.pointee.trailers(pointer, $0, $1) })
        }
    }

    /// Gives the head to the host if it has not got it yet.
    private func sendHead() throws(ExchangeError) {
        switch head {
        case .sent: return
        case .none:
            throw ExchangeError(.notStarted, "startResponse() must be called before response content is produced")
        case .kept(let code, let reason, let fields):
            head = .sent
            try check(give(code, reason, fields))
        }
    }

    private func give(_ code: UInt32, _ reason: String, _ fields: [(String, String)]) -> Int32 {
        guard let pointer else { return Int32(SWSGI_ERROR_CLIENT_GONE) }
        var reason = reason
        return reason.withUTF8 { utf8 in
            let start = UnsafeRawPointer(utf8.baseAddress)?.assumingMemoryBound(to: CChar.self)
            let phrase = swsgi_text(bytes: start, length: utf8.count)
            return withHeaders(fields) { host.pointee.start_response(pointer, code, phrase, $0, $1) }
        }
    }

    /// Calls `body` with fields as the host takes them, all texts in one piece of temporary memory.
    func withHeaders(
        _ fields: [(String, String)],
        _ body: (UnsafePointer<swsgi_header>?, Int) -> Int32
    ) -> Int32 {
        let bytes = fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count }
        return withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 1) { memory in
            withUnsafeTemporaryAllocation(of: swsgi_header.self, capacity: fields.count) { table in
                var free = memory[...]
                for (index, (name, value)) in fields.enumerated() {
                    let field = swsgi_header(name: place(name, &free), value: place(value, &free))
                    table.initializeElement(at: index, to: field)
                }
                return body(table.baseAddress, fields.count)
            }
        }
    }

    /// Copies text to the beginning of `free` and takes that part away from it.
    private func place(_ text: String, _ free: inout Slice<UnsafeMutableRawBufferPointer>) -> swsgi_text {
        let length = text.utf8.count
        guard length > 0 else { return swsgi_text(bytes: nil, length: 0) }
        let target = UnsafeMutableRawBufferPointer(rebasing: free.prefix(length))
        target.copyBytes(from: text.utf8)
        free = free.dropFirst(length)
        let start = target.baseAddress?.assumingMemoryBound(to: CChar.self)
        return swsgi_text(bytes: start, length: length)
    }

    /// Remembers an error, so that the response fails even if the application hides it.
    private func keepingFailure(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch {
            failure = error
            throw error
        }
    }

    /// Turns what a function of the host returns into an error.
    func check(_ result: Int32) throws(ExchangeError) {
        guard result < 0 else { return }
        throw switch Int(result) {
        case SWSGI_ERROR_CLIENT_GONE: ExchangeError(.clientGone, "client connection closed")
        case SWSGI_ERROR_STATUS: ExchangeError(.invalidStatus, "the host refused the status line")
        case SWSGI_ERROR_HEADER_NAME: ExchangeError(.invalidHeader, "the host refused a header name")
        case SWSGI_ERROR_HEADER_VALUE: ExchangeError(.invalidHeader, "the host refused a header value")
        case SWSGI_ERROR_CONTENT_LENGTH: ExchangeError(.invalidHeader, "invalid Content-Length header value")
        case SWSGI_ERROR_STARTED: ExchangeError(.alreadyStarted, "the response has been started before")
        case SWSGI_ERROR_NOT_STARTED: ExchangeError(.notStarted, "the response has not been started")
        case SWSGI_ERROR_TOO_LONG:
            ExchangeError(.contentTooLong, "Content length mismatch: content beyond Content-Length is not sent")
        case SWSGI_ERROR_HEAD_SIZE: ExchangeError(.headTooLarge, "the response's headers are too large")
        case SWSGI_ERROR_FILE: ExchangeError(.fileChanged, "a file became shorter, or unreadable, while it was sent")
        case SWSGI_ERROR_BODY: ExchangeError(.inputFailed, "request data read error")
        case SWSGI_ERROR_ENDED: ExchangeError(.completed, "the request is over")
        case SWSGI_ERROR_IN_USE: ExchangeError.inUse
        default: ExchangeError(.hostFailed, "the host failed with code \(result)")
        }
    }
}
