// Names of groups and functions as directives write them: a literal, or one expansion.

private let expansions = ["%{GLOBAL}", "%{RESOURCE}", "%{SERVER}", "%{HOST}"]

/// Whether text is no literal name: a request decides what it is, or it is a mistake.
public func looksExpanded(_ text: String) -> Bool {
    zip(text.utf8, text.utf8.dropFirst()).contains { $0 == UInt8(ascii: "%") && $1 == UInt8(ascii: "{") }
}

/// Whether text is `%{ENV:NAME}`.
private func isVariable(_ text: String) -> Bool {
    text.hasPrefix("%{ENV:") && text.hasSuffix("}") && text.utf8.count > "%{ENV:}".utf8.count
        && !text.dropLast().contains("}")
}

/// Checks the name of a process group or application group: what is no expansion must not look like one.
public func groupName(_ text: String, directive: String) throws(Problem) -> String {
    guard !looksExpanded(text) || expansions.contains(text) || isVariable(text) else {
        throw Problem(
            .expansionUnknown,
            "\(directive): '\(text)' is neither a name nor one of \(expansions.joined(separator: ", ")) and %{ENV:NAME}"
        )
    }
    return text
}

/// Checks the name of an exported function, which a variable may give.
public func callableName(_ text: String, directive: String) throws(Problem) -> String {
    guard EntryFile.isSymbol(text) || isVariable(text) else {
        throw Problem(
            .textInvalid,
            "\(directive) must be the name of a C function, or %{ENV:NAME}, not '\(text)'"
        )
    }
    return text
}
