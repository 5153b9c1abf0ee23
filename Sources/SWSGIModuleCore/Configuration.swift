public import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire

/// What is known of a virtual host, or of the main server.
public struct ServerFacts: Equatable, Sendable {
    /// Which server record this is.
    public var id: UInt
    /// Its ServerName.
    public var hostName: String
    /// Whether it is a virtual host.
    public var isVirtual: Bool

    /// Facts from their parts.
    public init(id: UInt, hostName: String, isVirtual: Bool) {
        self.id = id
        self.hostName = hostName
        self.isVirtual = isVirtual
    }
}

/// Where a directive stands.
public struct Place: Equatable, Sendable {
    /// The configuration file.
    public var file: String
    /// The line in it.
    public var line: Int
    /// The server it belongs to.
    public var server: ServerFacts

    /// A place from its parts.
    public init(file: String, line: Int, server: ServerFacts) {
        self.file = file
        self.line = line
        self.server = server
    }
}

/// A process group as configured.
public struct GroupDefinition: Equatable, Sendable {
    /// What its directive says.
    public var options: DaemonProcessOptions
    /// Where.
    public var place: Place
    /// Applications to load before its processes take work.
    public var applications: [ApplicationKey] = []

    /// Whether requests of `server` may use this group: those of its own virtual host, or of one with the same name, or all.
    public func isAccessible(from server: ServerFacts) -> Bool {
        !place.server.isVirtual || place.server.id == server.id
            || (!server.hostName.isEmpty && place.server.hostName == server.hostName)
    }
}

/// Who httpd is.
public struct HTTPDFacts: Equatable, Sendable {
    /// User id of its children.
    public var uid: UInt32
    /// Group id of its children.
    public var gid: UInt32
    /// User name of its children.
    public var userName: String
    /// Whether it can take other identities.
    public var isRoot: Bool
    /// The most children that it can have at once.
    public var children: Int
    /// The most that serve at once, and how many threads each of them has.
    public var liveChildren = 1, threadsPerChild = 1
    /// CoreDumpDirectory, when it is configured.
    public var dumpDirectory: String?

    /// Facts from their parts.
    public init(uid: UInt32, gid: UInt32, userName: String, isRoot: Bool, children: Int = 16) {
        self.uid = uid
        self.gid = gid
        self.userName = userName
        self.isRoot = isRoot
        self.children = children
    }
}

/// The directives of one reading of the configuration.
public struct Configuration: Sendable {
    /// The process groups, in the order of their directives.
    public private(set) var groups: [GroupDefinition] = []
    /// Where entry files are named.
    public private(set) var mounts: [Mount] = []
    private var indexes: [String: Int] = [:]
    /// WSGISlowRequests, in microseconds.
    public private(set) var slowRequests: Int64?
    /// What applications may not do in daemon processes: WSGIRestrictStdin, WSGIRestrictStdout, WSGIRestrictSignal.
    public var restrictions = RestrictionRules()
    /// What is meant for httpd's own children.
    public var embedded = EmbeddedPlan()
    private var uses: [(name: String, place: Place)] = []
    private var ignored: [(name: String, place: Place)] = []
    /// What WSGIImportScript names: in groups that may be defined after it.
    private var imports: [(entryFile: String, options: ImportScriptOptions, place: Place)] = []
    /// What WSGIHandlerScript and the like name, for the same reason.
    private var scripts: [(script: NamedScript, place: Place)] = []
    private var allowed: [(name: String, place: Place)] = []
    private var misrouted: [String: String] = [:]
    /// Whether a WSGICallableObject stands anywhere: which function a request calls is not known then.
    public var namesFunctions = false
    /// Whether a WSGIDispatchScript stands anywhere.
    private(set) var hasDispatch = false
    /// Whom WSGITrustedProxies and WSGITrustedProxyHeaders trust.
    public var proxies = ProxyTrust()

    /// An empty configuration.
    public init() {}

    /// Adds a process group.
    public mutating func define(_ arguments: String, at place: Place, isRoot: Bool) throws(Problem) {
        let options = try DaemonProcessOptions(arguments)
        if let other = indexes[options.name].map({ groups[$0] }) {
            throw Problem(
                .groupDuplicate,
                "\(DaemonProcessOptions.directive): process group '\(options.name)' is already defined at \(other.place.file):\(other.place.line)"
            )
        }
        try IdentityResolver.check(options, isRoot: isRoot)
        indexes[options.name] = groups.count
        groups.append(GroupDefinition(options: options, place: place))
    }

    /// The group of a name that requests of a server may use.
    func index(of name: String, for server: ServerFacts) -> Int? {
        guard let index = indexes[name], groups[index].isAccessible(from: server) else { return nil }
        return index
    }

    /// Remembers that a group is named.
    public mutating func use(_ name: String, at place: Place) {
        if embedded.notes(name) { uses.append((name, place)) }
    }

    /// Remembers a directive of mod_wsgi that has no effect: one place of each is enough.
    public mutating func ignore(_ name: String, at place: Place) {
        if !ignored.contains(where: { $0.name == name }) { ignored.append((name, place)) }
    }

    /// WSGISlowRequests; the last one counts, as with httpd's own directives.
    public mutating func setSlowRequests(_ text: String) throws(Problem) {
        slowRequests = try slowRequestTime(text)
    }

    /// Remembers where an entry file is named.
    public mutating func add(_ mount: Mount) {
        mounts.append(mount)
    }

    /// Adds an application to the group that will serve it, when it is this server's to use.
    public mutating func preload(_ key: ApplicationKey, group name: String, server: ServerFacts) {
        guard let index = index(of: name, for: server) else { return }
        guard groups[index].options.threads > 0 else {
            misrouted[name] = key.entryFile
            return
        }
        load(key, in: index)
    }

    private mutating func load(_ key: ApplicationKey, in index: Int) {
        guard
            !groups[index].applications.contains(key),
            groups[index].applications.count < ControlLimits.applications
        else { return }
        groups[index].applications.append(key)
    }

    /// Takes what is known of servers now: a ServerName may stand behind the directives of its host.
    public mutating func updateServers(_ facts: (ServerFacts) -> ServerFacts) {
        for index in groups.indices { groups[index].place.server = facts(groups[index].place.server) }
        for index in uses.indices { uses[index].place.server = facts(uses[index].place.server) }
        for index in scripts.indices { scripts[index].place.server = facts(scripts[index].place.server) }
        for index in mounts.indices { mounts[index].server = facts(mounts[index].server) }
    }

    /// What is wrong now that everything has been read.
    public func problems() -> [Problem] {
        useProblems() + serviceProblems()
    }

    private func useProblems() -> [Problem] {
        uses.compactMap { use in
            let place = "\(use.place.file):\(use.place.line)"
            guard let group = indexes[use.name].map({ groups[$0] }) else {
                return Problem(
                    .processGroupUndefined,
                    "\(place): process group '\(use.name)' is not defined by any WSGIDaemonProcess"
                )
            }
            // A use in the main server is inherited by virtual hosts: whose requests use it shows at request time.
            guard !use.place.server.isVirtual || group.isAccessible(from: use.place.server) else {
                return Problem(
                    .processGroupForeign,
                    "\(place): process group '\(use.name)' belongs to another virtual host, defined at \(group.place.file):\(group.place.line)"
                )
            }
            return nil
        }
    }

    /// WSGIImportScript.
    public mutating func addImport(_ entryFile: String, _ arguments: String, at place: Place) throws(Problem) {
        let options = try ImportScriptOptions(arguments)
        add(
            Mount(
                place: place,
                server: place.server,
                location: nil,
                target: entryFile,
                processGroup: options.processGroup.isEmpty ? nil : options.processGroup,
                applicationGroup: options.applicationGroup,
                symbol: nil,
                kind: nil
            )
        )
        guard !options.processGroup.isEmpty else {
            let group = options.applicationGroup
            return embedded.preload(ApplicationKey(entryFile: entryFile, applicationGroup: group, symbol: ""))
        }
        imports.append((entryFile, options, place))
        use(options.processGroup, at: place)
    }

    /// Gives every group what WSGIImportScript says; to be called when all groups are known.
    public mutating func resolveImports() {
        for one in imports {
            let name = one.options.processGroup
            guard let index = indexes[name] else { continue }
            let application = one.options.applicationGroup
            load(ApplicationKey(entryFile: one.entryFile, applicationGroup: application, symbol: ""), in: index)
        }
        for one in scripts {
            guard let group = one.script.processGroup, let key = one.script.key else { continue }
            preload(key, group: group, server: one.place.server)
        }
    }

    /// WSGIHandlerScript, WSGIAccessScript, WSGIAuthUserScript, WSGIAuthGroupScript, WSGIDispatchScript.
    public mutating func add(_ script: NamedScript, at place: Place) {
        let mount = Mount(
            place: place,
            server: place.server,
            location: nil,
            target: script.entryFile,
            processGroup: script.processGroup,
            applicationGroup: script.applicationGroup,
            symbol: script.kind.fixedSymbol,
            kind: script.kind
        )
        add(mount)
        if script.kind == .dispatch { hasDispatch = true }
        if let group = script.processGroup, !looksExpanded(group) { use(group, at: place) }
        if mount.isQuestion, mount.isEmbedded { embedded.ask("\(place.text): \(script.kind.directive)") }
        scripts.append((script, place))
    }

    /// A name that WSGIRestrictProcess allows.
    public mutating func allow(_ name: String, at place: Place) {
        allowed.append((name, place))
    }

    /// A variable may hold what a client has sent.
    private var choiceRemarks: [Problem] {
        guard allowed.isEmpty else { return [] }
        var seen: Set<String> = []
        return mounts.compactMap { mount in
            guard let name = mount.processGroup, name.hasPrefix("%{ENV:"), seen.insert(name).inserted else {
                return nil
            }
            return Problem(
                .groupUnrestricted,
                "\(mount.place.text): \(name) chooses the process group, and no WSGIRestrictProcess says which ones it may"
            )
        }
    }

    private func allowedRemarks() -> [Problem] {
        allowed.filter { one in !looksExpanded(one.name) && indexes[one.name] == nil }.map {
            Problem(
                .allowedGroupUndefined,
                "\($0.place.file):\($0.place.line): WSGIRestrictProcess allows process group '\($0.name)', which no WSGIDaemonProcess defines"
            )
        }
    }

    private func serviceProblems() -> [Problem] {
        groups.filter { $0.options.threads == 0 }.flatMap { group in
            let place = "\(group.place.file):\(group.place.line): process group '\(group.options.name)'"
            var found: [Problem] = []
            if group.applications.count != 1 {
                found.append(
                    Problem(
                        .serviceCount,
                        "\(place) has threads=0 and \(group.applications.count) services; it needs one WSGIImportScript"
                    )
                )
            }
            if let file = misrouted[group.options.name] {
                found.append(
                    Problem(.serviceTakesNoRequests, "\(place) has threads=0, and takes no requests for \(file)")
                )
            }
            return found
        }
    }

    /// Options that have no effect, and other things worth a line; `httpdUID` is that of httpd's children.
    public func remarks(httpdUID: UInt32? = nil) -> [Problem] {
        let directives = ignored.map {
            Problem(.directiveWithoutEffect, "\($0.place.file):\($0.place.line): directive \($0.name) has no effect")
        }
        let used = Set(uses.map(\.name) + allowed.map(\.name))
        let unused = groups.filter { $0.options.threads > 0 && !used.contains($0.options.name) }
        return directives + proxies.remarks + choiceRemarks + denialRemarks + allowedRemarks() + restrictions.remarks
            + embedded.remarks(unused: unused, hasDispatch: hasDispatch) + restrictedRemarks
            + groups.flatMap { group in
                group.options.withoutEffect.map { option in
                    Problem(
                        .optionWithoutEffect,
                        "\(group.place.file):\(group.place.line): option '\(option)' of process group '\(group.options.name)' has no effect"
                    )
                }
                    + group.options.conflicts.map {
                        Problem(
                            .optionsConflict,
                            "\(group.place.file):\(group.place.line): process group '\(group.options.name)': \($0)"
                        )
                    } + IdentityResolver.remarks(group)
            } + IdentityResolver.systemRemarks(groups, httpdUID: httpdUID) + SurroundingsResolver.sharedUsers(groups)
    }
}
