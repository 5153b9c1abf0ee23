internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// What a request is worked on with in embedded mode: kept for the next one.
///
/// No queue, no socket, no other thread: the application runs here, and what it passes goes to httpd's filters in its calls.
final class EmbeddedDesk {
    private static let threads = Atomic<Int32>(0)
    private static let options = ExchangeOptions()

    /// Of the request that is being served, for reports of crashes.
    private let number: Int
    private let exchange = Exchange()
    private var last: Instance?
    /// The same of questions, which come between the requests.
    private var lastAsked: Instance?
    private var request: OpaquePointer
    private var facts: swsgi_request_facts
    private var response: ClientResponse?
    private var result: ExchangeResult?
    private var environ: EmbeddedEnviron?
    private var input: OpaquePointer?
    private var bodyEnd: Int64?

    init(_ request: OpaquePointer, _ facts: swsgi_request_facts, number: Int) {
        self.number = number
        self.request = request
        self.facts = facts
    }

    /// The number of the calling thread, from 1.
    private static func threadNumber() -> Int {
        let place = swsgi_request_thread()
        if place.pointee == 0 {
            place.pointee = threads.add(1, ordering: .relaxed).newValue
            // A stack overflow is reported only from a stack of its own: 64 KiB of addresses for each thread.
            try? CrashHandlers.prepareThread()
        }
        return Int(place.pointee)
    }

    /// Runs the application on a request.
    func serve(
        _ request: OpaquePointer,
        _ facts: swsgi_request_facts,
        _ child: EmbeddedChild,
        _ desk: ExchangeDesk
    ) -> ExchangeResult {
        self.request = request
        self.facts = facts
        // Before anything of an application runs: loading it may be the first that does.
        let thread = Self.threadNumber()
        response = ClientResponse(
            desk: desk,
            request: request,
            facts: facts,
            origin: .embedded,
            options: Self.options
        )
        defer { forget() }
        // Loading runs code of the application, too.
        GuestProcess.began(number, log: swsgi_request_log(request), entryFile: facts.file_name, line: facts.line)
        defer { GuestProcess.ended(number) }
        guard let instance = instance(child) else { return result ?? .status(internalError) }
        exchange.run(instance, peer: self, thread: thread, requestStart: facts.start, hasBody: facts.has_body != 0)
        return result ?? .status(internalError)
    }

    private func forget() {
        response = nil
        result = nil
        environ = nil
        input = nil
        bodyEnd = nil
    }

    private func instance(_ child: EmbeddedChild) -> Instance? {
        let seen = facts.reloading != 0 ? facts.identity : nil
        let isQuestion = facts.question != nil
        let former = isQuestion ? lastAsked : last
        if let former, former.serves(facts.file_name, facts.application_group, facts.symbol, seen) { return former }
        let key = ApplicationKey(
            entryFile: String(cString: facts.file_name),
            applicationGroup: String(cString: facts.application_group),
            symbol: String(cString: facts.symbol)
        )
        switch child.find(key, seen: seen) {
        case .run(let instance):
            if isQuestion { lastAsked = instance } else { last = instance }
            return instance
        case .refuse(let outcome):
            result = try? response?.end(outcome)
            return nil
        }
    }
}

extension EmbeddedDesk: ExchangePeer {
    // MARK: Environ

    /// Made when the application looks for the first time: many never do.
    private func fields() -> EmbeddedEnviron {
        if let environ { return environ }
        let made = EmbeddedEnviron(request, facts)
        environ = made
        return made
    }

    var fieldCount: Int { fields().count }

    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? { fields().value(of: name) }

    func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        fields().field(at: index)
    }

    // MARK: Request body

    func read(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> Int64? {
        if facts.has_body == 0 { return 0 }
        if let bodyEnd { return bodyEnd }
        guard let start = buffer.baseAddress else { return 0 }
        // Not that of the response, which may hold something.
        let brigade = input ?? swsgi_brigade(request)
        input = brigade
        var status: Int32 = 0
        let got = swsgi_body_read(request, brigade, start, buffer.count, waits ? 1 : 0, &status)
        if got == Int64(SWSGI_BODY_WAIT) { return nil }
        if got == Int64(SWSGI_BODY_FAILED) { response?.bodyFailed(status) }
        if got <= 0 { bodyEnd = got == Int64(SWSGI_BODY_END) ? 0 : -1 }
        return bodyEnd ?? got
    }

    // MARK: Response

    func take(_ frames: UnsafeRawBufferPointer, _ more: UnsafeRawBufferPointer, file: Int32) -> Bool {
        var file = file
        defer { if file >= 0 { close(file) } }
        guard result == nil else { return false }
        do throws(Malformed) {
            var rest = frames
            while !rest.isEmpty {
                let header = try FrameHeader(rest)
                let end = min(FrameHeader.size + header.length, rest.count)
                let payload = UnsafeRawBufferPointer(rebasing: rest[FrameHeader.size..<end])
                rest = UnsafeRawBufferPointer(rebasing: rest[end...])
                switch header.kind {
                case .data:
                    if !payload.isEmpty { try response?.data(payload) }
                    if payload.count < header.length { try response?.data(more) }
                case .file:
                    let descriptor = file
                    file = -1
                    try response?.file(payload, descriptor)
                case .end: result = try ended(payload)
                default: try response?.frame(header.kind, payload)
                }
            }
        } catch {
            // Frames of the host's own code: nobody can make it send others.
            response?.report(.frameMalformed, "\(error)")
            result = response.map { _ in .status(internalError) }
        }
        return passed()
    }

    private func ended(_ payload: UnsafeRawBufferPointer) throws(Malformed) -> ExchangeResult? {
        let outcome = ExchangeOutcome(rawValue: payload[0]) ?? .failed
        if let replacement = response?.replacement(after: outcome) { return replacement }
        return try response?.end(outcome)
    }

    /// Lets httpd have what has been added: the bytes are there during the call only.
    private func passed() -> Bool {
        guard result == nil, let added = response?.added, let flushes = response?.wantsFlush else { return false }
        if added > 0 || flushes { response?.passAdded() }
        if response?.fileHasShrunk == true {
            result = response.map { _ in .status(statusOK) }
            if let status = response?.shrank() { result = .status(status) }
        } else if response?.clientHasGone == true {
            if let status = response?.takesNoMore() { result = .status(status) }
        } else if let cut = response?.cutOff() {
            result = cut
        }
        return result == nil
    }

    // MARK: Everything else

    func log(_ level: LogLevel, _ line: UnsafeRawBufferPointer) {
        LogRoom.log(request, level, String(decoding: line, as: UTF8.self))
    }

    /// One system call (poll) for each question.
    var isCancelled: Bool {
        guard result == nil else { return true }
        guard swsgi_connection_aborted(request) != 0 || ClientWatch.hasFinished(request) else { return false }
        response?.isCancelled = true
        return true
    }
}
