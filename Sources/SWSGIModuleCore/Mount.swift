public import SWSGIConfiguration
public import SWSGIWire

/// Where an entry file is named: by an alias, by WSGIImportScript or by WSGIHandlerScript.
public struct Mount: Equatable, Sendable {
    /// Where the directive stands.
    public var place: Place
    /// The server whose requests it maps; that of a virtual host that inherits it, too.
    public var server: ServerFacts
    /// URL path, or the expression for it; nil: it is no alias.
    public var location: String?
    /// Entry file, or a directory of entry files.
    public var target: String
    /// Process group as written; nil: none is configured for it.
    public var processGroup: String?
    /// Application group as written; nil: the default.
    public var applicationGroup: String?
    /// Exported function, if the directive names it.
    public var symbol: String?
    /// What it is named for; nil: to be loaded alone, by WSGIImportScript.
    public var kind: ScriptAliasOptions.Kind?
    /// The section whose `Require all denied` refuses all its requests, as far as that is known now.
    public var denier: String?

    /// A mount from its parts; slashes at the target's end say nothing, as the rest of the URL follows them.
    public init(
        place: Place,
        server: ServerFacts,
        location: String?,
        target: String,
        processGroup: String?,
        applicationGroup: String?,
        symbol: String?,
        kind: ScriptAliasOptions.Kind? = .path
    ) {
        self.place = place
        self.server = server
        self.location = location
        self.target = Self.withoutLastSlashes(target)
        self.processGroup = processGroup
        self.applicationGroup = applicationGroup
        self.symbol = symbol
        self.kind = kind
    }

    /// A path without slashes at its end.
    public static func withoutLastSlashes(_ path: String) -> String {
        var path = path[...]
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        return String(path)
    }
}

extension CheckPlan {
    private struct Key: Hashable {
        var path: String
        var reader: Int
        var isEmbedded: Bool
        var function: String?
    }

    /// What is to be looked at of a configuration that has been read.
    public init(_ configuration: Configuration, httpd: HTTPDFacts, purpose: Purpose, logLevel: UInt8) {
        let readers = configuration.groups.map { Reader($0, httpd: httpd) }
        self.init(purpose: purpose, logLevel: logLevel, readers: [Reader(httpd)] + readers, entries: [])
        var seen: Set<Key> = []
        for mount in configuration.mounts {
            let index = mount.processGroup.flatMap { configuration.index(of: $0, for: mount.server) }
            let isEmbedded = configuration.embeds(mount)
            let group = index.map { configuration.groups[$0] }
            let function = configuration.function(of: mount, group)
            let key = Key(path: mount.target, reader: index ?? -1, isEmbedded: isEmbedded, function: function)
            guard seen.insert(key).inserted else { continue }
            let jail = group?.options.surroundings.chroot.map { Jail($0) }
            // Outside of its root directory: that has been said already.
            guard let inside = jail.map({ $0.inside(mount.target) }) ?? mount.target else { continue }
            entries.append(
                Entry(
                    place: mount.place.text,
                    path: mount.target,
                    reader: UInt32(truncatingIfNeeded: (index ?? -1) + 1),
                    inside: inside,
                    mayBeDirectory: mount.location != nil,
                    isLoaded: (group?.applications ?? (isEmbedded ? configuration.embedded.preloads : [])).contains {
                        $0.entryFile == mount.target
                    },
                    isEmbedded: isEmbedded,
                    function: function
                )
            )
        }
    }
}

extension Configuration {
    /// The function that requests call, as far as it is known now.
    fileprivate func function(of mount: Mount, _ group: GroupDefinition?) -> String? {
        if mount.isQuestion { return mount.symbol }
        if hasDispatch { return nil }
        if let symbol = mount.symbol { return looksExpanded(symbol) ? nil : symbol }
        // A service is another function than an application.
        return namesFunctions || group?.options.threads == 0 ? nil : ""
    }
}

extension CheckPlan.Reader {
    fileprivate init(_ httpd: HTTPDFacts) {
        self.init(
            title: "httpd: ",
            changesIdentity: httpd.isRoot,
            uid: httpd.uid,
            gid: httpd.gid,
            groups: httpd.isRoot ? IdentityResolver.groups(uid: httpd.uid, gid: httpd.gid) : []
        )
    }

    fileprivate init(_ group: GroupDefinition, httpd: HTTPDFacts) {
        let plan = IdentityResolver.plan(group, httpd: httpd, logLevel: 0)
        let root = plan.surroundings.root
        self.init(
            place: group.place.text,
            title: "process group '\(plan.name)'\(root.map { " (chroot \($0))" } ?? ""): ",
            changesIdentity: plan.changesIdentity,
            uid: plan.uid,
            gid: plan.gid,
            groups: plan.groups,
            directory: plan.surroundings.directoryInRoot ?? plan.directory,
            root: root,
            ownership: plan.surroundings.ownership
        )
    }
}
