internal import Glibc
internal import SWSGIConfiguration
public import SWSGIWire

/// What the configuration says of embedded mode: requests without a process group, in httpd's own children.
public struct EmbeddedPlan: Sendable {
    /// WSGIRestrictEmbedded.
    public var isRestricted = false
    /// Applications that each child loads when it starts: those with `%{GLOBAL}` and a literal application group.
    public private(set) var preloads: [ApplicationKey] = []
    /// The first entry file of an alias without a process group, and all of them.
    private var first: String?
    private var entryFiles: Set<String> = []
    /// Whether some group's name is made of the request: who is used by whom is not known then.
    private var hasExpansions = false

    /// Access scripts and the like without a process group: the places of their directives.
    private var scripts: [String] = []

    /// Whether a child may have to load a bundle.
    public var isNeeded: Bool { !isRestricted || !scripts.isEmpty }

    /// Embedded mode is allowed, and no directive has named it.
    public init() {}

    /// A process group is named; false: the name is no literal.
    mutating func notes(_ name: String) -> Bool {
        guard strstr(name, "%{") != nil else { return true }
        if name != "%{GLOBAL}" { hasExpansions = true }
        return false
    }

    /// An alias has no process group.
    public mutating func add(_ entryFile: String) {
        first = first ?? entryFile
        entryFiles.insert(entryFile)
    }

    /// A script without a process group is named here.
    mutating func ask(_ directive: String) { scripts.append(directive) }

    /// Adds what each child loads when it starts.
    public mutating func preload(_ key: ApplicationKey) {
        guard !preloads.contains(key), preloads.count < ControlLimits.applications else { return }
        preloads.append(key)
    }

    /// What is doubtful; `unused` has the groups that nothing names.
    ///
    /// Where a dispatch script chooses, an alias without a group is no sign of embedded mode.
    func remarks(unused: [GroupDefinition], hasDispatch: Bool) -> [Problem] {
        (hasDispatch ? [] : applicationRemarks(unused)) + (isRestricted ? scriptRemarks : [])
    }

    private var scriptRemarks: [Problem] {
        scripts.map { Problem(.scriptInHttpd, "\($0) without process-group= runs in httpd's children all the same") }
    }

    private func applicationRemarks(_ unused: [GroupDefinition]) -> [Problem] {
        guard let file = first else { return [] }
        if isRestricted {
            let others = entryFiles.count > 1 ? ", and \(entryFiles.count - 1) others" : ""
            return [
                Problem(
                    .embeddedConflict,
                    "entry file \(file)\(others): no process group, and WSGIRestrictEmbedded is On: requests are answered 500"
                )
            ]
        }
        guard !hasExpansions else { return [] }
        return unused.map { group in
            Problem(
                .groupUnused,
                "\(group.place.file):\(group.place.line): nothing names process group '\(group.options.name)', and \(file) has none: it runs in httpd's children, as their user and without limits"
            )
        }
    }
}
