public import SWSGIConfiguration
internal import SWSGIWire

/// What a directive says of an entry file that no URL path is mapped to: WSGIHandlerScript, WSGIAccessScript and the like.
public struct NamedScript: Equatable, Sendable {
    /// Which directive it is of.
    public var kind: ScriptAliasOptions.Kind
    /// Absolute path.
    public var entryFile: String
    /// `process-group=`, as written.
    public var processGroup: String?
    /// `application-group=`, as written.
    public var applicationGroup: String?

    /// A script from its parts.
    public init(
        _ kind: ScriptAliasOptions.Kind,
        entryFile: String,
        processGroup: String?,
        applicationGroup: String?
    ) {
        self.kind = kind
        self.entryFile = entryFile
        self.processGroup = processGroup
        self.applicationGroup = applicationGroup
    }

    /// The application, when the directive alone says which it is.
    var key: ApplicationKey? {
        guard let applicationGroup, let symbol = kind.fixedSymbol,
            applicationGroup == "%{GLOBAL}" || !looksExpanded(applicationGroup)
        else { return nil }
        return ApplicationKey(
            entryFile: entryFile,
            applicationGroup: applicationGroup == "%{GLOBAL}" ? "" : applicationGroup,
            symbol: symbol
        )
    }
}
