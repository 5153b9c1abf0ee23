/// The arguments of `WSGIScriptAlias URL-path entry-file [option=value] ...`.
///
/// Source: mod_wsgi's directive of the same name.
public struct ScriptAliasOptions: Equatable, Sendable {
    /// URL path, beginning with `/`.
    public var location: String
    /// Path of the entry file, or of a directory of entry files.
    public var target: String
    /// `process-group=`, as written.
    public var processGroup: String?
    /// `application-group=`, as written.
    public var applicationGroup: String?
    /// `callable-object=`: name of the exported function.
    public var symbol: String?
    /// `pass-authorization=`.
    public var passAuthorization: Bool?

    /// The directive's name, for messages.
    public static let directive = "WSGIScriptAlias"
    private static let known = ["process-group", "application-group", "callable-object", "pass-authorization"]

    /// Reads the directive's arguments.
    public init(_ arguments: String) throws(Problem) {
        let words = try optionWords(arguments, directive: Self.directive)
        guard words.count >= 2 else {
            throw Problem(.aliasArguments, "\(Self.directive) needs a URL path and the path of an entry file")
        }
        location = words[0].text
        target = words[1].text
        guard location.hasPrefix("/") else {
            throw Problem(.aliasArguments, "\(Self.directive): the URL path must begin with '/', not '\(location)'")
        }
        guard !target.isEmpty else {
            throw Problem(.aliasArguments, "\(Self.directive) needs the path of an entry file")
        }
        var seen: Set<String> = []
        for word in words[2...] {
            guard case .option(let option, let value) = word else {
                throw Problem(.optionForm, "\(Self.directive): '\(word.text)' is not of the form name=value")
            }
            guard seen.insert(option).inserted else {
                throw Problem(.optionRepeated, "\(Self.directive): option '\(option)' is given twice")
            }
            try set(option, value)
        }
    }

    private mutating func set(_ option: String, _ value: String) throws(Problem) {
        switch option {
        case "process-group": processGroup = try Self.name(value, option)
        case "application-group": applicationGroup = try Self.name(value, option)
        case "callable-object":
            guard EntryFile.isSymbol(value) else {
                throw Problem(
                    .textInvalid,
                    "\(Self.directive): \(option) must be the name of a C function, not '\(value)'"
                )
            }
            symbol = value
        case "pass-authorization": passAuthorization = try flag(value, directive: "\(Self.directive): \(option)")
        default:
            let hint = nearest(to: option, among: Self.known).map { "; did you mean '\($0)'?" } ?? ""
            throw Problem(.optionUnknown, "\(Self.directive): unknown option '\(option)'\(hint)")
        }
    }

    private static func name(_ value: String, _ option: String) throws(Problem) -> String {
        guard !value.isEmpty else { throw Problem(.nameMissing, "\(directive): \(option) needs a name") }
        return value
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
