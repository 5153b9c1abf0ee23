/// The arguments of `<WSGIInterpreterOptions [process-group=NAME] [application-group=NAME]>`: what its lines are for.
///
/// Source: mod_wsgi's section of the same name.
public struct InterpreterSection: Equatable, Sendable {
    /// Name of the process group, or `%{GLOBAL}` for httpd's own processes; nil: any.
    public var processGroup: String?
    /// The application group, as written; nil: any.
    public var applicationGroup: String?

    private static let directive = "<WSGIInterpreterOptions>"
    private static let options = ["process-group", "application-group"]
    private static let allowed = [
        "WSGIRestrictStdin", "WSGIRestrictStdout", "WSGIRestrictSignal", "WSGIPythonPath", "WSGISwitchInterval",
        "WSGIPerInterpreterGIL", "WSGIFreeThreading",
    ]

    /// Reads the arguments, without the `>` behind them.
    public init(_ arguments: String) throws(Problem) {
        for word in try optionWords(arguments, directive: Self.directive) {
            guard case .option(let option, let value) = word else {
                throw Problem(.optionForm, "\(Self.directive): '\(word.text)' is not of the form name=value")
            }
            guard !value.isEmpty else { throw Problem(.nameMissing, "\(Self.directive): \(option) needs a name") }
            switch option {
            case "process-group": try Self.set(&processGroup, value, option)
            case "application-group": try Self.set(&applicationGroup, value, option)
            default:
                let hint = nearest(to: option, among: Self.options).map { "; did you mean '\($0)'?" } ?? ""
                throw Problem(.optionUnknown, "\(Self.directive): unknown option '\(option)'\(hint)")
            }
        }
        guard processGroup.map({ $0 == "%{GLOBAL}" || !looksExpanded($0) }) ?? true else {
            throw Problem(
                .sectionInvalid,
                "\(Self.directive): process-group must be the name of a process group or %{GLOBAL}, not '\(processGroup ?? "")'"
            )
        }
    }

    private static func set(_ name: inout String?, _ value: String, _ option: String) throws(Problem) {
        guard name == nil else { throw Problem(.optionRepeated, "\(directive): option '\(option)' is given twice") }
        name = value
    }

    /// Checks that a directive may stand in the section.
    public static func check(_ name: String) throws(Problem) {
        guard allowed.contains(where: { $0.lowercased() == name.lowercased() }) else {
            throw Problem(
                .sectionInvalid,
                "\(name) can't stand in \(directive): only \(allowed.joined(separator: ", ")) can"
            )
        }
    }
}
