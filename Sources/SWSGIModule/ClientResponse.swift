internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// What becomes of a request whose exchange is over.
enum ExchangeResult {
    /// What the handler returns.
    case status(Int32)
    /// A request for another path of this server takes its place.
    case redirect(String)
    /// The answer to a question, which is no response.
    case answer(ScriptAnswer)
    /// The exchange goes back to the queue.
    case again(acceptsStale: Bool)
}

/// Who runs the application, for log lines.
enum ExchangeOrigin {
    case group(Generation, Int)
    case embedded

    /// "process group 'one'".
    var text: String {
        switch self {
        case .group(let generation, let index): "process group '\(generation.groups[index].name)'"
        case .embedded: "embedded mode"
        }
    }
}

/// The response of one exchange, from frames to httpd: what is checked and enforced whoever runs the application.
struct ClientResponse {
    let desk: ExchangeDesk
    let request: OpaquePointer
    let facts: swsgi_request_facts
    let origin: ExchangeOrigin
    /// What the group's directive says of requests.
    let options: ExchangeOptions
    let brigade: OpaquePointer
    var state: ResponseState
    /// The status for a request body that could not be read, or 0.
    var bodyStatus: Int32 = 0
    /// Bytes of the response that wait in the brigade for what comes with them: its end, perhaps.
    var added = 0
    /// Bytes that have been passed down the filters since the last flush.
    private(set) var unflushed = 0
    private var hasPassed = false
    private var hasFlushed = false
    private var contentType = ContentType(status: 200)
    private var hasContent = false
    private(set) var wantsFlush = false
    private(set) var clientHasGone = false
    var interimCount = 0
    var hasTrailers = false
    /// The client has its whole answer, though the exchange goes on.
    private(set) var isAnswered = false
    var hasFile = false
    /// A file has ended before the part of it that was to be sent.
    var fileHasShrunk = false
    /// The application has been told that nobody may wait any more.
    var isCancelled = false
    /// What httpd does in place of passing the application's response on.
    private(set) var replacement: ExchangeResult?
    /// Bytes of a body that nobody gets: a replaced one, one for HEAD, or what is longer than announced.
    private var discarded = 0
    /// Bytes of such a body that are read, to use the channel again; a longer one is not waited for.
    private static let discardLimit = 1 << 20

    init(
        desk: ExchangeDesk,
        request: OpaquePointer,
        facts: swsgi_request_facts,
        origin: ExchangeOrigin,
        options: ExchangeOptions
    ) {
        self.desk = desk
        self.request = request
        self.facts = facts
        self.origin = origin
        self.options = options
        brigade = swsgi_brigade(request)
        state = ResponseState(hasBody: facts.header_only == 0)
    }

    /// Writes a line that names group, request and entry file.
    func report(_ code: MessageCode, _ what: String) {
        let file = String(cString: facts.file_name)
        let asked = facts.question == nil ? "" : "asked '\(String(cString: facts.symbol))' "
        let text = "\(origin.text): \(what), \(asked)in \"\(String(cString: facts.line))\" of \(file)"
        log(Problem(code, text), request: request)
    }

    // MARK: Frames

    /// Takes a frame of the response that is neither bytes of the body nor its end.
    mutating func frame(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer) throws(Malformed) {
        switch kind {
        case .flush: try flush()
        case .interim: try interim(payload)
        case .trailers: try trailers(payload)
        case .head: try head(payload)
        default: throw Malformed("a \(kind) frame from a daemon process")
        }
    }

    /// Whether so much of a body that nobody gets has come that the application is cut off; gives what becomes of the request.
    mutating func cutOff() -> ExchangeResult? {
        guard discarded > Self.discardLimit else { return nil }
        if !isAnswered { report(.discardLimit, "the application was cut off in a body that nobody gets") }
        if facts.question != nil { return .status(internalError) }
        if let replacement { return replacement }
        pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END)
        return .status(statusOK)
    }

    mutating func head(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        let head = try ReceivedResponseHead(payload)
        try state.head(status: head.status, contentLength: head.contentLength)
        guard facts.question == nil else {
            replacement = answer(head)
            return
        }
        replacement = refusal(of: head) ?? replacement(for: head)
        guard replacement == nil else { return }
        contentType = ContentType(status: head.status)
        let reason = head.reason.baseAddress?.assumingMemoryBound(to: CChar.self)
        swsgi_response_begin(request, Int32(head.status), reason, head.reason.count)
        head.forEachHeader { name, value in
            guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            let text = value.baseAddress?.assumingMemoryBound(to: CChar.self)
            if ContentType.isName(name), let fault = contentType.field(value) {
                reportType(fault)
                guard fault == .repeated else { return }
            }
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

    private func answer(_ head: ReceivedResponseHead) -> ExchangeResult {
        do throws(Problem) {
            guard let question = (facts.question?.pointee.kind).flatMap({ Question(rawValue: $0) }) else {
                return .status(internalError)
            }
            return .answer(try ScriptAnswer(head, to: question))
        } catch {
            report(error.code, error.what)
            return .status(internalError)
        }
    }

    /// What takes the response's place, at the end of an exchange with this outcome.
    mutating func replacement(after outcome: ExchangeOutcome?) -> ExchangeResult? {
        // An answer counts when its script has come to the end of it.
        guard case .answer = replacement, outcome != .complete else { return replacement }
        report(.applicationFailed, "the script failed after its answer")
        return .status(internalError)
    }

    /// Lets httpd answer a conditional request; the application never knows.
    private mutating func checkConditions() {
        let status = swsgi_response_condition(request)
        guard status != 0 else { return }
        isAnswered = status == notModified
        if isAnswered {
            pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END)
            // httpd drops what stands beside the end of a response without a body: without this the client would wait.
            pass(SWSGI_PASS_FLUSH)
        }
        replacement = .status(isAnswered ? statusOK : status)
    }

    /// header-buffer-size: what httpd does with a head that has a longer header.
    private func refusal(of head: ReceivedResponseHead) -> ExchangeResult? {
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
    private func replacement(for head: ReceivedResponseHead) -> ExchangeResult? {
        if overrides(head.status) {
            let reason = head.reason.baseAddress?.assumingMemoryBound(to: CChar.self)
            swsgi_error_begin(request, Int32(head.status), reason, head.reason.count)
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

    mutating func data(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        let passed = try state.data(bytes.count)
        discarded += replacement == nil ? bytes.count - passed : bytes.count
        guard passed > 0, replacement == nil else { return }
        beginContent()
        swsgi_response_add(request, brigade, bytes.baseAddress, passed)
        added += passed
    }

    private mutating func flush() throws(Malformed) {
        try state.flush()
        guard replacement == nil else { return }
        // Flushes that have come together are one: a storm of them costs no more than its bytes.
        wantsFlush = true
    }

    /// Content is added: the first says whether its type is missing.
    mutating func beginContent() {
        guard !hasContent else { return }
        hasContent = true
        if let fault = contentType.faultOfContent { reportType(fault) }
    }

    /// Passes content that came in pieces before its end: what comes together with the end, httpd counts, to announce its length.
    mutating func passPieces() {
        guard state.isInPieces, replacement == nil else { return }
        // A filter that changes the content may keep all of it until it is flushed.
        let isKept = swsgi_response_is_filtered(request) != 0
        let isDue = isKept ? !hasFlushed : !hasPassed && !state.isLengthKnown
        if isDue { pass(isKept || added == 0 ? SWSGI_PASS_FLUSH : 0) }
    }

    /// Passes what has been added down the output filters, with a flush where one is due.
    mutating func passAdded() {
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
        hasPassed = true
        if flags & SWSGI_PASS_FLUSH != 0 {
            hasFlushed = true
            state.headIsSent()
        }
        switch result {
        case SWSGI_PASSED: break
        case SWSGI_FILE_ENDED where hasFile: fileHasShrunk = true
        default: clientHasGone = true
        }
    }
}
