internal import SWSGIConfiguration
internal import SWSGIWire

/// What a WSGIHandlerScript says of its entry file.
public struct HandlerScript: Equatable, Sendable {
    /// Absolute path.
    public var entryFile: String
    /// `process-group=`, as written.
    public var processGroup: String?
    /// `application-group=`, as written.
    public var applicationGroup: String?

    /// A script from its parts.
    public init(entryFile: String, processGroup: String?, applicationGroup: String?) {
        self.entryFile = entryFile
        self.processGroup = processGroup
        self.applicationGroup = applicationGroup
    }

    /// The application, when the directive alone says which it is.
    var key: ApplicationKey? {
        guard let applicationGroup, applicationGroup == "%{GLOBAL}" || !looksExpanded(applicationGroup) else {
            return nil
        }
        return ApplicationKey(
            entryFile: entryFile,
            applicationGroup: applicationGroup == "%{GLOBAL}" ? "" : applicationGroup,
            symbol: ScriptAliasOptions.handlerSymbol
        )
    }
}
