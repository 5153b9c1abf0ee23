internal import CSWSGI

// Scripts: what httpd asks of a bundle about a request, before it is served. Each is an application of its own to the host
// (`swsgi.h`), and answers nothing but its question.

/// What an access script says of a request.
public enum AccessDecision: Sendable, Equatable {
    /// The client may come; further rules of httpd hold all the same.
    case allow
    /// The client is answered 403.
    case deny
    /// Others decide: as if the script were not there.
    case decline
}

/// Exports an access script: the function `allow_access`, which `WSGIAccessScript` asks before each request.
///
///     @c public func allow_access() -> ExportedApplication {
///         exportAccess { request, host in
///             blocked.contains(request.remoteAddress) ? .deny : .decline
///         }
///     }
///
/// `host` is the client's name, if httpd looks names up, and otherwise its address. The request has no body. An error that the
/// closure throws is logged, and access is refused.
public func exportAccess(
    _ decide: @escaping @Sendable (_ request: Request, _ host: String) throws -> AccessDecision
) -> ExportedApplication {
    exportAnswers(to: "allow_access") { request in
        switch try decide(request, request.environ[SWSGI_QUESTION_HOST, default: ""]) {
        case .allow: Answer("yes")
        case .deny: Answer("no")
        case .decline: Answer("none")
        }
    }
}

/// What an authentication script says of a user's password.
public enum PasswordDecision: Sendable, Equatable {
    /// It is right.
    case granted
    /// It is right, and `REMOTE_USER` becomes this name.
    case grantedAs(String)
    /// It is wrong.
    case denied
    /// The script does not know the user: httpd asks its next provider.
    case unknownUser
}

/// Exports an authentication script for `AuthType Basic`: the function `check_password`, which `AuthBasicProvider wsgi` asks.
///
///     @c public func check_password() -> ExportedApplication {
///         exportPasswords { request, user, password in
///             guard let account = accounts[user] else { return .unknownUser }
///             return account.accepts(password) ? .granted : .denied
///         }
///     }
///
/// It is asked for every request of the user. An error that the closure throws is logged, and the client gets 500.
public func exportPasswords(
    _ check: @escaping @Sendable (_ request: Request, _ user: String, _ password: String) throws -> PasswordDecision
) -> ExportedApplication {
    exportAnswers(to: "check_password") { request in
        let environ = request.environ
        let user = environ[SWSGI_QUESTION_USER, default: ""]
        switch try check(request, user, environ[SWSGI_QUESTION_PASSWORD, default: ""]) {
        case .granted: return Answer("yes")
        case .grantedAs(let name): return Answer("yes", [name])
        case .denied: return Answer("no")
        case .unknownUser: return Answer("none")
        }
    }
}

/// Exports an authentication script for `AuthType Digest`: the function `get_realm_hash`, which `AuthDigestProvider wsgi` asks.
///
/// The closure gives the MD5 hash of "user:realm:password", as 32 lower-case hex digits, or nil for a user that it does not know.
/// An error that it throws is logged, and the client gets 500.
public func exportRealmHashes(
    _ find: @escaping @Sendable (_ request: Request, _ user: String, _ realm: String) throws -> String?
) -> ExportedApplication {
    exportAnswers(to: "get_realm_hash") { request in
        let environ = request.environ
        let user = environ[SWSGI_QUESTION_USER, default: ""]
        let hash = try find(request, user, environ[SWSGI_QUESTION_REALM, default: ""])
        return hash.map { Answer("yes", [$0]) } ?? Answer("none")
    }
}

/// Exports a group script: the function `groups_for_user`, which `Require wsgi-group` asks, once for each request.
///
///     @c public func groups_for_user() -> ExportedApplication {
///         exportGroups { request, user in memberships[user, default: []] }
///     }
///
/// The closure gives the names of the groups that the user is in. An error that it throws is logged, and the client gets 500.
public func exportGroups(
    _ find: @escaping @Sendable (_ request: Request, _ user: String) throws -> [String]
) -> ExportedApplication {
    exportAnswers(to: "groups_for_user") { request in
        Answer("yes", try find(request, request.environ[SWSGI_QUESTION_USER, default: ""]))
    }
}

/// Where a dispatch script sends a request.
///
/// What is nil stays as it is configured; "%{GLOBAL}" is embedded mode, or the first application group.
public struct Destination: Sendable, Equatable {
    /// Name of a process group.
    public var processGroup: String?
    /// Name of an application group.
    public var applicationGroup: String?
    /// Name of the exported function.
    public var callableObject: String?

    /// A destination from its parts.
    public init(processGroup: String? = nil, applicationGroup: String? = nil, callableObject: String? = nil) {
        self.processGroup = processGroup
        self.applicationGroup = applicationGroup
        self.callableObject = callableObject
    }
}

/// Exports a dispatch script: the function `dispatch_request`, which `WSGIDispatchScript` asks before each request.
///
///     @c public func dispatch_request() -> ExportedApplication {
///         exportDispatch { request in
///             request.headers["X-Canary"] == nil ? Destination() : Destination(processGroup: "canary")
///         }
///     }
///
/// An error that the closure throws is logged, and the client gets 500.
public func exportDispatch(
    _ choose: @escaping @Sendable (_ request: Request) throws -> Destination
) -> ExportedApplication {
    exportAnswers(to: "dispatch_request") { request in
        let destination = try choose(request)
        let parts = [
            ("process-group", destination.processGroup), ("application-group", destination.applicationGroup),
            ("callable-object", destination.callableObject),
        ]
        return Answer("yes", parts.compactMap { part in part.1.map { "\(part.0)=\($0)" } })
    }
}

/// What the host reads in the response.
private struct Answer {
    let verdict: String
    let values: [String]

    init(_ verdict: String, _ values: [String] = []) {
        self.verdict = verdict
        self.values = values
    }
}

/// The function was called for something else than its question: by a client's request, perhaps.
private struct NotAsked: Error, CustomStringConvertible {
    let question: String

    var description: String { "'\(question)' is asked by httpd, and serves no requests" }
}

private func exportAnswers(
    to question: String,
    _ answer: @escaping @Sendable (Request) throws -> Answer
) -> ExportedApplication {
    makeTable(
        Exported(stopping: {}, observe: { _ in }) { exchange in
            let request = Request(exchange: exchange)
            guard request.environ[SWSGI_QUESTION] == question else { throw NotAsked(question: question) }
            let answer = try answer(request)
            var headers: Headers = [SWSGI_ANSWER: answer.verdict]
            for value in answer.values { headers.add(SWSGI_VALUE, value) }
            try exchange.start(Response(headers: headers))
            return Body()
        }
    )
}
