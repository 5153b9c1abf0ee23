/// Where directives may stand.
public struct DirectiveContexts: OptionSet, Hashable, Sendable {
    /// One bit for each.
    public let rawValue: UInt8

    /// From its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The main server, outside of all sections.
    public static let server = DirectiveContexts(rawValue: 1)
    /// `<VirtualHost>`.
    public static let virtualHost = DirectiveContexts(rawValue: 2)
    /// `<Directory>`, `<Location>` and `<Files>`.
    public static let directory = DirectiveContexts(rawValue: 4)
    /// `.htaccess` with `AllowOverride FileInfo`.
    public static let fileInfo = DirectiveContexts(rawValue: 8)
    /// `.htaccess` with `AllowOverride AuthConfig`.
    public static let authConfig = DirectiveContexts(rawValue: 16)
    /// `<WSGIInterpreterOptions>`.
    public static let section = DirectiveContexts(rawValue: 32)

    /// The main server and virtual hosts.
    static let servers: DirectiveContexts = [.server, .virtualHost]
    /// Servers and sections.
    static let sections: DirectiveContexts = [.server, .virtualHost, .directory]
    /// What httpd calls FileInfo.
    static let everywhere: DirectiveContexts = [.server, .virtualHost, .directory, .fileInfo]

    /// As the manual writes it.
    public var description: String {
        let words: [(DirectiveContexts, String)] = [
            (.server, "server"), (.virtualHost, "virtual host"), (.directory, "<Directory>, <Location>, <Files>"),
            (.fileInfo, ".htaccess (AllowOverride FileInfo)"), (.authConfig, ".htaccess (AllowOverride AuthConfig)"),
            (.section, "<WSGIInterpreterOptions>"),
        ]
        return words.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// A directive of the module: what its page in the manual says of it, and what httpd's table of commands must agree with.
public struct Directive: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// Its arguments, in plain text.
    public let arguments: String
    /// Where it may stand.
    public let contexts: DirectiveContexts
    /// What holds without it, in plain text.
    public let fallback: String
    /// What it does, in a sentence; of those without effect: what it was for.
    public let summary: String
    /// Whether it does anything; otherwise it is accepted for mod_wsgi's configurations.
    public let hasEffect: Bool
    /// Whether it is a section.
    public let isSection: Bool

    init(
        _ name: String,
        _ arguments: String,
        _ contexts: DirectiveContexts,
        default fallback: String = "none",
        isSection: Bool = false,
        _ summary: String
    ) {
        self.name = name
        self.arguments = arguments
        self.contexts = contexts
        self.fallback = fallback
        self.summary = summary
        self.isSection = isSection
        hasEffect = true
    }

    /// One without effect.
    init(ignored name: String, in contexts: DirectiveContexts = .sections, _ purpose: String) {
        self.name = name
        self.contexts = contexts
        arguments = "..."
        fallback = "none"
        summary = purpose
        isSection = false
        hasEffect = false
    }

    /// The line that the manual shows as its syntax, in plain text.
    public var syntax: String {
        isSection ? "<\(name) \(arguments)> ... </\(name)>" : "\(name) \(arguments)"
    }

    /// The directive of this name, whose case does not count.
    public static func named(_ name: String) -> Directive? {
        let name = name.lowercased()
        return all.first { $0.name.lowercased() == name }
    }
}
