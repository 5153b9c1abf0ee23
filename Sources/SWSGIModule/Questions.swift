internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore

// What httpd asks of scripts: each question is an exchange of its own, and its response does not go to the client.
//
// It fails closed: without an answer to this very question the request is refused.

@c @implementation
func swsgi_ask(
    _ request: OpaquePointer,
    _ question: UnsafePointer<swsgi_question>,
    _ answer: UnsafeMutablePointer<swsgi_answer>
) -> Int32 {
    answer.pointee = swsgi_answer(status: internalError, text: nil)
    do throws(Refusal) {
        switch try ask(request, question) {
        case .allowed, .granted(nil): return Int32(SWSGI_ANSWER_YES)
        case .granted(let user?), .hash(let user): answer.pointee.text = text(user, request)
        case .groups(let names): answer.pointee.text = text(names.map { "\($0)\n" }.joined(), request)
        case .undecided: return Int32(SWSGI_ANSWER_NONE)
        case .refused:
            answer.pointee.status = forbidden
            return Int32(SWSGI_ANSWER_NO)
        // Of WSGIDispatchScript, which the handler asks itself.
        case .destination: return Int32(SWSGI_ANSWER_FAILED)
        }
        return Int32(SWSGI_ANSWER_YES)
    } catch {
        if let problem = error.problem { log(problem, request: request) }
        answer.pointee.status = error.status
        return Int32(SWSGI_ANSWER_FAILED)
    }
}

@c @implementation
func swsgi_no_script(_ request: OpaquePointer, _ directive: UnsafePointer<CChar>) {
    let line = String(cString: swsgi_request_facts_get(request, nil).line)
    let what = "httpd is configured to ask a script, and no \(String(cString: directive)) says which one"
    log(Problem(.questionScriptMissing, "\(what), for \"\(line)\""), request: request)
}

@c @implementation
func swsgi_lists(_ names: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>) -> Int32 {
    let wanted = strlen(name)
    var line = names
    while let end = strchr(line, Int32(UInt8(ascii: "\n"))) {
        if end - UnsafeMutablePointer(mutating: line) == wanted, memcmp(line, name, wanted) == 0 { return 1 }
        line = UnsafePointer(end + 1)
    }
    return 0
}

/// Asks a script, and logs a refusal of access: httpd itself has lines for wrong passwords and groups alone.
func ask(_ request: OpaquePointer, _ question: UnsafePointer<swsgi_question>) throws(Refusal) -> ScriptAnswer {
    guard let kind = Question(rawValue: question.pointee.kind) else { throw Refusal(internalError) }
    let facts = swsgi_question_facts_get(request, question, text(kind.symbol, request))
    switch try exchange(request, facts) {
    case .answer(let answer):
        if kind == .access, answer == .refused {
            let script = question.pointee.script.map { String(cString: $0.pointee.target) } ?? ""
            let line = String(cString: facts.line)
            log(Problem(.accessDenied, "access denied by \(script), for \"\(line)\""), request: request)
        }
        return answer
    // Whatever the script's response was, it is not the client's: OK would be taken for leave to go on.
    case .status where swsgi_connection_aborted(request) != 0: throw Refusal(clientClosed)
    case .status(let status): throw Refusal(status >= internalError ? status : internalError)
    case .redirect, .again: throw Refusal(internalError)
    }
}

private func exchange(_ request: OpaquePointer, _ facts: swsgi_request_facts) throws(Refusal) -> ExchangeResult {
    guard facts.file_kind == 1 else {
        let (file, function) = (String(cString: facts.file_name), String(cString: facts.symbol))
        throw Refusal(
            internalError,
            Problem(
                .questionScriptMissing,
                "entry file \(file), which should export '\(function)', is missing, or is not a regular file"
            )
        )
    }
    try checkNames(facts)
    return try serve(request, facts)
}

/// A copy that lives as long as the request.
func text(_ text: String, _ request: OpaquePointer) -> UnsafePointer<CChar> {
    text.withCString { swsgi_request_text(request, $0) }
}
