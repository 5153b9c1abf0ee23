/// Which responses of an application give way to httpd's own error pages.
///
/// Source: mod_wsgi's directive `WSGIErrorOverride`; the list of statuses is an addition.
public enum ErrorOverride: Equatable, Sendable {
    /// None.
    case none
    /// Those with status 400 and above.
    case errors
    /// Those with one of these statuses.
    case listed(Set<Int>)

    /// The directive's name, for messages.
    public static let directive = "WSGIErrorOverride"

    /// Reads `On`, `Off`, or statuses from 400 to 599.
    public init(_ arguments: String) throws(Problem) {
        let words = arguments.split { $0 == " " || $0 == "\t" }
        switch (words.count, words.first?.lowercased()) {
        case (1, "on"): self = .errors
        case (1, "off"): self = .none
        default:
            var statuses: Set<Int> = []
            for word in words {
                guard word.utf8.count == 3, let status = Int(word), (400...599).contains(status) else {
                    throw Self.problem(arguments)
                }
                statuses.insert(status)
            }
            guard !statuses.isEmpty else { throw Self.problem(arguments) }
            self = .listed(statuses)
        }
    }

    private static func problem(_ arguments: String) -> Problem {
        Problem(.overrideInvalid, "\(directive) must be On, Off, or statuses from 400 to 599, not '\(arguments)'")
    }
}

/// When applications see a HEAD request as GET.
///
/// Source: mod_wsgi's directive `WSGIMapHEADToGET`.
public enum HeadMapping: Int32, Sendable {
    /// Never.
    case off = 0
    /// Always.
    case on = 1
    /// When an output filter wants the whole body.
    case auto = 2

    /// Reads On, Off or Auto, in any case.
    public init(_ text: String) throws(Problem) {
        switch text.lowercased() {
        case "off": self = .off
        case "on": self = .on
        case "auto": self = .auto
        default: throw Problem(.flagInvalid, "WSGIMapHEADToGET must be Off, On or Auto, not '\(text)'")
        }
    }
}
