// What the command `swsgi` prints.

extension MessageCode {
    /// The code that a text names: "SWSGI4022", "swsgi4022" or "4022", as it stands in a log line.
    public static func named(_ text: String) -> MessageCode? {
        let name = text.hasSuffix(":") ? text.dropLast() : text[...]
        let digits = name.lowercased().hasPrefix("swsgi") ? name.dropFirst(5) : name
        guard digits.utf8.count == 4, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(digits).flatMap { numbered($0) }
    }

    /// Code, level, meaning, cause and cure, over several lines.
    public var explanation: String {
        """
        \(name) (\(level.name))
            \(meaning)
        Cause
            \(cause)
        What to do
            \(cure)
        """
    }
}

extension Directive {
    /// Syntax, contexts, default and summary, over several lines.
    public var explanation: String {
        guard hasEffect else {
            return """
                \(name)
                    Accepted for mod_wsgi's configurations, without effect. It is for: \(plainSummary)
                Context  \(contexts.description)
                """
        }
        return """
            \(syntax)
                \(summary)
            Context  \(contexts.description)
            Default  \(fallback)
            """
    }

    /// The summary without the manual's links: `<doc:Page>` is Page.
    private var plainSummary: String {
        var text = ""
        var rest = summary[...]
        while let start = rest.firstIndex(of: "<"), rest[start...].hasPrefix("<doc:") {
            text += rest[..<start]
            rest = rest[start...].dropFirst(5)
            let end = rest.firstIndex(of: ">") ?? rest.endIndex
            text += rest[..<end]
            rest = rest[end...].dropFirst()
        }
        return text + rest
    }
}
