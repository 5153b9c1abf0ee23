/// The arguments of `WSGIImportScript entry-file process-group=NAME application-group=NAME`.
///
/// Source: mod_wsgi's directive of the same name.
public struct ImportScriptOptions: Equatable, Sendable {
    /// Name of the process group; empty for `%{GLOBAL}`: httpd's own children.
    public var processGroup: String
    /// Name of the application group; empty for `%{GLOBAL}`.
    public var applicationGroup: String

    /// The directive's name, for messages.
    public static let directive = "WSGIImportScript"
    private static let known = ["process-group", "application-group"]

    /// Reads what follows the path.
    public init(_ arguments: String) throws(Problem) {
        var names: [String: String] = [:]
        for word in try optionWords(arguments, directive: Self.directive) {
            guard case .option(let option, let value) = word else {
                throw Problem(.optionForm, "\(Self.directive): '\(word.text)' is not of the form name=value")
            }
            guard Self.known.contains(option) else {
                let hint = nearest(to: option, among: Self.known).map { "; did you mean '\($0)'?" } ?? ""
                throw Problem(.optionUnknown, "\(Self.directive): unknown option '\(option)'\(hint)")
            }
            guard names.updateValue(value, forKey: option) == nil else {
                throw Problem(.optionRepeated, "\(Self.directive): option '\(option)' is given twice")
            }
        }
        let process = try Self.name(names, "process-group")
        processGroup = process == "%{GLOBAL}" ? "" : process
        let application = try Self.name(names, "application-group")
        applicationGroup = application == "%{GLOBAL}" ? "" : application
        for name in [processGroup, applicationGroup] where name.hasPrefix("%{") {
            throw Problem(
                .importInvalid,
                "\(Self.directive): '\(name)' is known only when a request comes; name a process group or %{GLOBAL}, and an application group or %{GLOBAL}"
            )
        }
    }

    private static func name(_ names: [String: String], _ option: String) throws(Problem) -> String {
        guard let name = names[option], !name.isEmpty else {
            throw Problem(.nameMissing, "\(directive): \(option)= is missing, or has no name")
        }
        return name
    }
}
