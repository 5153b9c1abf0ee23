internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

// httpd's statuses that a handler returns.
let statusOK: Int32 = 0
let forbidden: Int32 = 403
private let notFound: Int32 = 404
let notModified: Int32 = 304
let requestTimeout: Int32 = 408
private let methodNotAllowed: Int32 = 405
private let lengthRequired: Int32 = 411
private let contentTooLarge: Int32 = 413
/// nginx's status for a client that has closed its connection: for the access log, as nothing is sent with it.
let clientClosed: Int32 = 499
let internalError: Int32 = 500
private let notImplemented: Int32 = 501
let badGateway: Int32 = 502
let unavailable: Int32 = 503
let gatewayTimeout: Int32 = 504

@c @implementation
func swsgi_handle(_ request: OpaquePointer) -> Int32 {
    do throws(Refusal) {
        let facts = try dispatched(request, swsgi_request_facts_get(request, nil))
        try check(facts, of: request)
        guard case .status(let status) = try serve(request, facts) else { return internalError }
        return status
    } catch {
        if let problem = error.problem { log(problem, request: request) }
        return error.status
    }
}

/// Runs an exchange where its facts say: in a process group, or here.
func serve(_ request: OpaquePointer, _ facts: swsgi_request_facts) throws(Refusal) -> ExchangeResult {
    if facts.process_group.pointee == 0 {
        let child = try embedded(facts)
        return withDesk { $0.serveEmbedded(request, facts, child) }
    }
    guard let generation = parent.generation else { throw Refusal(internalError, unknownGroup(facts)) }
    let index = try group(facts, generation)
    return withDesk { $0.serve(request, facts, generation, group: index) }
}

/// A request that is not given to any process.
struct Refusal: Error {
    let status: Int32
    /// For the log; nil: that has it already.
    let problem: Problem?

    init(_ status: Int32, _ problem: Problem? = nil) {
        self.status = status
        self.problem = problem
    }
}

func log(_ problem: Problem, request: OpaquePointer) {
    swsgi_log_request(request, Int32(problem.code.level.rawValue), problem.description)
}

/// WSGIDispatchScript: with the groups and the function that it chooses.
private func dispatched(
    _ request: OpaquePointer,
    _ facts: swsgi_request_facts
) throws(Refusal) -> swsgi_request_facts {
    guard let script = facts.dispatch_script else { return facts }
    var question = swsgi_question()
    question.kind = Int32(SWSGI_QUESTION_OF_DESTINATION)
    question.script = script
    guard case .destination(let chosen) = try ask(request, &question) else { throw Refusal(internalError) }
    var destination = swsgi_destination(
        process_group: chosen.processGroup.map { text($0, request) },
        application_group: chosen.applicationGroup.map { text($0, request) },
        symbol: chosen.symbol.map { text($0, request) }
    )
    return swsgi_request_facts_get(request, &destination)
}

/// The checks of mod_wsgi's handler, in its order.
private func check(_ facts: swsgi_request_facts, of request: OpaquePointer) throws(Refusal) {
    func file() -> String { String(cString: facts.file_name) }
    // Of a handler's script it is the server's own configuration that says so: there is nothing that a client could look for.
    guard facts.is_handler == 0 || facts.file_kind == 1 else {
        throw Refusal(
            internalError,
            Problem(
                .handlerScriptMissing,
                "entry file \(file()) of a WSGIHandlerScript is missing, or is not a regular file"
            )
        )
    }
    guard facts.is_alias != 0 || facts.may_execute != 0 else {
        throw Refusal(forbidden, Problem(.execCGIOff, "Options ExecCGI is off in the directory of \(file())"))
    }
    switch facts.file_kind {
    case 0: throw Refusal(notFound, Problem(.scriptMissing, "entry file \(file()) does not exist"))
    case 2: throw Refusal(forbidden, Problem(.scriptIsDirectory, "entry file \(file()) is a directory"))
    default: break
    }
    guard facts.refuses_path_info == 0 else {
        throw Refusal(notFound, Problem(.pathInfoRefused, "AcceptPathInfo is off for \(file())"))
    }
    guard facts.is_tunnel == 0 else {
        swsgi_allow_methods(request)
        throw Refusal(methodNotAllowed, Problem(.tunnelRefused, "CONNECT is no request for \(file())"))
    }
    guard facts.is_encoded == 0 else {
        throw Refusal(
            notImplemented,
            Problem(.encodingUnknown, "the Transfer-Encoding of the request for \(file()) is unknown")
        )
    }
    guard facts.refuses_chunks == 0 else {
        throw Refusal(lengthRequired, Problem(.chunksRefused, "WSGIChunkedRequest is off for \(file())"))
    }
    guard facts.is_too_large == 0 else {
        throw Refusal(
            contentTooLarge,
            Problem(.bodyTooLarge, "the request body for \(file()) is over LimitRequestBody")
        )
    }
    try checkNames(facts)
}

/// The names that are made for the request: those that can't be, and process groups that WSGIRestrictProcess leaves out.
func checkNames(_ facts: swsgi_request_facts) throws(Refusal) {
    if let name = facts.undefined {
        let text = "variable '\(String(cString: name))', which names a group or function of"
        throw Refusal(
            internalError,
            Problem(.variableUndefined, "\(text) \(String(cString: facts.file_name)), is not defined")
        )
    }
    guard let allowed = facts.allowed_groups else { return }
    let names = UnsafeBufferPointer(start: allowed, count: Int(facts.allowed_group_count))
    guard names.contains(where: { strcmp($0, facts.process_group) == 0 }) else {
        let name = String(cString: facts.process_group)
        throw Refusal(
            internalError,
            Problem(
                .processGroupRestricted,
                "WSGIRestrictProcess does not allow process group '\(name.isEmpty ? "%{GLOBAL}" : name)' for \(String(cString: facts.file_name))"
            )
        )
    }
}

private func group(_ facts: swsgi_request_facts, _ generation: Generation) throws(Refusal) -> Int {
    guard let index = generation.index(of: facts.process_group) else {
        throw Refusal(internalError, unknownGroup(facts))
    }
    let queue = generation.groups[index]
    guard queue.takesRequests else {
        throw Refusal(
            internalError,
            Problem(
                .serviceAtRequest,
                "process group '\(queue.name)' has threads=0 and takes no requests"
            )
        )
    }
    guard queue.host == nil || queue.host == UInt(bitPattern: facts.server) || sharesName(queue, facts.server) else {
        throw Refusal(
            internalError,
            Problem(
                .groupForeignAtRequest,
                "process group '\(String(cString: facts.process_group))' belongs to another virtual host"
            )
        )
    }
    if let jail = queue.jail, jail.inside(facts.file_name) == nil {
        throw Refusal(
            internalError,
            Problem(
                .outsideRoot,
                "entry file \(String(cString: facts.file_name)) is outside the chroot of process group '\(queue.name)'"
            )
        )
    }
    return index
}

private func sharesName(_ queue: GroupQueue, _ server: OpaquePointer) -> Bool {
    let name = queue.definition.place.server.hostName
    return !name.isEmpty && name == ServerFacts(server).hostName
}

private func unknownGroup(_ facts: swsgi_request_facts) -> Problem {
    let name = String(cString: facts.process_group)
    return Problem(
        .groupUnknownAtRequest,
        "process group '\(name)', for \(String(cString: facts.file_name)), is not defined"
    )
}

extension swsgi_request_facts {
    /// Whether the administrator has said that a script runs in httpd's children: WSGIRestrictEmbedded is for applications.
    ///
    /// Neither what a request has chosen nor an .htaccess file counts.
    fileprivate var isAskedInHttpd: Bool {
        guard let script = question?.pointee.script?.pointee, script.is_override == 0 else { return false }
        return script.process_group.map { strcmp($0, "%{GLOBAL}") == 0 } ?? true
    }
}

/// What runs requests without a process group.
private func embedded(_ facts: swsgi_request_facts) throws(Refusal) -> EmbeddedChild {
    let isAllowed = !parent.embedded.isRestricted || facts.isAskedInHttpd
    if isAllowed, let child = parent.embedded.child { return child }
    let file = String(cString: facts.file_name)
    let problem =
        !isAllowed
        ? Problem(.embeddedRestricted, "WSGIRestrictEmbedded is On, and no process group is set for \(file)")
        : Problem(
            .embeddedUnavailable,
            "no process group is set for \(file), and this child has no place for snapshots"
        )
    throw Refusal(internalError, problem)
}
