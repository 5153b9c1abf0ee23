/// The arguments of the directives that name an entry file for requests: `WSGIScriptAlias URL-path entry-file [option=value] ...`,
/// `WSGIScriptAliasMatch` and `WSGIHandlerScript`; or for questions about them: `WSGIAccessScript entry-file [option=value] ...`,
/// `WSGIAuthUserScript`, `WSGIAuthGroupScript` and `WSGIDispatchScript`.
///
/// Source: mod_wsgi's directives of the same names.
public struct ScriptAliasOptions: Equatable, Sendable {
    /// Which of the directives.
    public enum Kind: Sendable {
        /// `WSGIScriptAlias`: a URL path.
        case path
        /// `WSGIScriptAliasMatch`: a regular expression.
        case match
        /// `WSGIHandlerScript`: the name of a handler.
        case handler
        /// `WSGIAccessScript`: nothing but the entry file, as with those that follow.
        case access
        /// `WSGIAuthUserScript`.
        case user
        /// `WSGIAuthGroupScript`.
        case group
        /// `WSGIDispatchScript`.
        case dispatch

        /// The directive's name, for messages.
        public var directive: String {
            switch self {
            case .path: "WSGIScriptAlias"
            case .match: "WSGIScriptAliasMatch"
            case .handler: "WSGIHandlerScript"
            case .access: "WSGIAccessScript"
            case .user: "WSGIAuthUserScript"
            case .group: "WSGIAuthGroupScript"
            case .dispatch: "WSGIDispatchScript"
            }
        }

        fileprivate var needs: String {
            switch self {
            case .path: "a URL path and the path of an entry file"
            case .match: "a regular expression and the path of an entry file"
            case .handler: "the name of a handler and the path of an entry file"
            case .access, .user, .group, .dispatch: "the path of an entry file"
            }
        }

        fileprivate var known: [String] {
            let groups = ["process-group", "application-group"]
            switch self {
            case .path, .match: return groups + ["pass-authorization", "callable-object"]
            case .handler: return groups + ["pass-authorization"]
            case .access, .user, .group, .dispatch: return groups
            }
        }

        /// Whether httpd asks the entry file about requests; otherwise it serves those that the first argument says.
        public var isQuestion: Bool {
            switch self {
            case .path, .match, .handler: false
            case .access, .user, .group, .dispatch: true
            }
        }

        /// The function that is called whatever else says; nil: there is a choice.
        public var fixedSymbol: String? {
            switch self {
            case .path, .match, .user: nil
            case .handler: "handle_request"
            case .access: Question.access.symbol
            case .group: Question.groups.symbol
            case .dispatch: Question.destination.symbol
            }
        }
    }

    /// URL path, beginning with `/`; a regular expression; the name of a handler; or empty, where there is none.
    public var location: String
    /// Path of the entry file, or of a directory of entry files.
    public var target: String
    /// `process-group=`, as written.
    public var processGroup: String?
    /// `application-group=`, as written.
    public var applicationGroup: String?
    /// `callable-object=`: name of the exported function, or an expansion that gives it.
    public var symbol: String?
    /// `pass-authorization=`.
    public var passAuthorization: Bool?

    /// Handlers that need no directive.
    private static let ownHandlers = ["wsgi-script", "application/x-httpd-wsgi"]

    /// Reads the directive's arguments.
    public init(_ arguments: String, _ kind: Kind = .path) throws(Problem) {
        let directive = kind.directive
        let words = try optionWords(arguments, directive: directive)
        let named = kind.isQuestion ? 1 : 2
        guard words.count >= named, !words[named - 1].text.isEmpty else {
            throw Problem(.aliasArguments, "\(directive) needs \(kind.needs)")
        }
        location = kind.isQuestion ? "" : words[0].text
        target = words[named - 1].text
        try Self.check(location, kind)
        var seen: Set<String> = []
        for word in words[named...] {
            guard case .option(let option, let value) = word else {
                throw Problem(.optionForm, "\(directive): '\(word.text)' is not of the form name=value")
            }
            guard seen.insert(option).inserted else {
                throw Problem(.optionRepeated, "\(directive): option '\(option)' is given twice")
            }
            guard kind.known.contains(option) else {
                let hint = nearest(to: option, among: kind.known).map { "; did you mean '\($0)'?" } ?? ""
                throw Problem(.optionUnknown, "\(directive): unknown option '\(option)'\(hint)")
            }
            try set(option, value, directive)
        }
        symbol = kind.fixedSymbol ?? symbol
        // As with mod_wsgi: what one script keeps is there for every request that asks it.
        if kind.isQuestion { applicationGroup = applicationGroup ?? "%{GLOBAL}" }
    }

    private static func check(_ location: String, _ kind: Kind) throws(Problem) {
        let directive = kind.directive
        switch kind {
        case .path:
            guard location.hasPrefix("/") else {
                throw Problem(.aliasArguments, "\(directive): the URL path must begin with '/', not '\(location)'")
            }
        case .match:
            guard !location.isEmpty else { throw Problem(.aliasArguments, "\(directive) needs \(kind.needs)") }
        case .handler:
            guard !location.isEmpty, !ownHandlers.contains(location) else {
                throw Problem(
                    .handlerNameInvalid,
                    "\(directive): '\(location)' can't be the name of a handler: choose one for AddHandler or SetHandler, such as 'my-handler'"
                )
            }
        case .access, .user, .group, .dispatch: break
        }
    }

    private mutating func set(_ option: String, _ value: String, _ directive: String) throws(Problem) {
        switch option {
        case "process-group": processGroup = try Self.name(value, option, directive)
        case "application-group": applicationGroup = try Self.name(value, option, directive)
        case "callable-object": symbol = try callableName(value, directive: "\(directive): \(option)")
        default: passAuthorization = try flag(value, directive: "\(directive): \(option)")
        }
    }

    private static func name(_ value: String, _ option: String, _ directive: String) throws(Problem) -> String {
        guard !value.isEmpty else { throw Problem(.nameMissing, "\(directive): \(option) needs a name") }
        return try groupName(value, directive: "\(directive): \(option)")
    }
}

/// Reads On or Off, in any case.
public func flag(_ text: String, directive: String) throws(Problem) -> Bool {
    switch text.lowercased() {
    case "on": return true
    case "off": return false
    default: throw Problem(.flagInvalid, "\(directive) must be On or Off, not '\(text)'")
    }
}
