public import SWSGIConfiguration
public import SWSGIWire

/// What a script has answered.
///
/// Whatever is not exactly an answer to the question is none: who asked refuses then.
public enum ScriptAnswer: Equatable, Sendable {
    /// Access is allowed.
    case allowed
    /// Access, or the password, is refused.
    case refused
    /// The script leaves it to others: of users, it does not know this one.
    case undecided
    /// The password is right; the name is what REMOTE_USER becomes, when that is another.
    case granted(user: String?)
    /// 32 hex digits.
    case hash(String)
    /// The names of groups.
    case groups([String])
    /// Where the request goes.
    case destination(Destination)

    /// Reads the head of the script's response.
    public init(_ head: ReceivedResponseHead, to question: Question) throws(Problem) {
        var verdicts: [String] = []
        var values: [String] = []
        head.forEachHeader { name, value in
            if HeaderSyntax.isEqual(name, "swsgi-answer") { verdicts.append(String(decoding: value, as: UTF8.self)) }
            if HeaderSyntax.isEqual(name, "swsgi-value") { values.append(String(decoding: value, as: UTF8.self)) }
        }
        guard head.status == 200, verdicts.count == 1 else {
            let what = verdicts.count > 1 ? "several answers" : "status \(head.status) without an answer"
            throw Problem(.answerInvalid, "'\(question.symbol)' gave \(what)")
        }
        self = try Self.answer(question, verdicts[0], values)
    }

    private static func answer(_ question: Question, _ verdict: String, _ values: [String]) throws(Problem) -> Self {
        switch (question, verdict, values.count) {
        case (.access, "yes", 0): return .allowed
        case (.access, "no", 0), (.password, "no", 0): return .refused
        case (.access, "none", 0), (.password, "none", 0), (.realmHash, "none", 0): return .undecided
        case (.password, "yes", 0): return .granted(user: nil)
        case (.password, "yes", 1) where !values[0].isEmpty: return .granted(user: values[0])
        case (.realmHash, "yes", 1):
            guard values[0].utf8.count == 32, values[0].utf8.allSatisfy(isHexDigit) else {
                throw Problem(.realmHashInvalid, "'\(question.symbol)' gave a hash that is not 32 hex digits")
            }
            return .hash(values[0])
        case (.groups, "yes", _): return .groups(values)
        case (.destination, "yes", _): return .destination(try Destination(values))
        default:
            let text = "'\(question.symbol)' gave the answer '\(verdict.prefix(20))' with \(values.count) values"
            throw Problem(.answerInvalid, text)
        }
    }
}

/// The part of a request's way that a dispatch script has chosen.
public struct Destination: Equatable, Sendable {
    /// Name of a process group, or `%{GLOBAL}`; nil: as configured.
    public private(set) var processGroup: String?
    /// Name of an application group, or `%{GLOBAL}`; nil: as configured.
    public private(set) var applicationGroup: String?
    /// Name of an exported function; nil: as configured.
    public private(set) var symbol: String?

    /// Reads `name=value` texts.
    init(_ values: [String]) throws(Problem) {
        for value in values {
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "process-group" where processGroup == nil && Self.isName(name): processGroup = name
            case "application-group" where applicationGroup == nil && Self.isName(name): applicationGroup = name
            case "callable-object" where symbol == nil && EntryFile.isSymbol(name): symbol = name
            default: throw Problem(.destinationInvalid, "'dispatch_request' chose '\(value.prefix(200))'")
            }
        }
    }

    /// A literal name: what the directives' expansions are for, the script can do itself.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && (text == "%{GLOBAL}" || !looksExpanded(text))
    }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
}
