internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// Embedded mode, from the parent's making of its directory to the children's loading of bundles.
struct EmbeddedMode {
    /// Where this generation's children keep their snapshots.
    private var home: EmbeddedHome?
    /// The same of generations that have children still.
    private var retired: [EmbeddedHome] = []
    private var plan = EmbeddedPlan()
    /// The Swift runtime's backtrace program, when it is there.
    private var backtrace: String?
    private var isRoot = false
    /// In a child: what it has loaded.
    private(set) var child: EmbeddedChild?

    /// Whether requests without a process group are refused by configuration.
    var isRestricted: Bool { plan.isRestricted }

    // MARK: In the parent

    /// A generation begins: one directory is made, which costs nothing more until a child has something to put there.
    mutating func begin(_ plan: EmbeddedPlan, _ server: OpaquePointer) {
        leave()
        self.plan = plan
        guard plan.isNeeded else { return }
        let httpd = httpdFacts()
        isRoot = httpd.isRoot
        do {
            let paths = try paths()
            backtrace = paths.backtrace
            home = try EmbeddedHome(base: paths.snapshots, program: paths.program, uid: httpd.uid, gid: httpd.gid)
        } catch {
            let reason = (error as? Errno).map(Capability.chown.explain) ?? "\(error)"
            log(Problem(.embeddedPlace, "embedded mode has no place for snapshots: \(reason)"), server)
        }
    }

    /// The generation ends: its children may have requests still.
    mutating func leave() {
        if let home {
            home.leave()
            retired.append(home)
        }
        home = nil
        turn()
    }

    /// Removes the directories that no child needs any more: two or three system calls for each, and nothing to do usually.
    mutating func turn() {
        retired.removeAll { home in
            let result = home.retire()
            if let sweeper = result.sweeper { swsgi_watch(sweeper) }
            return result.isDone
        }
    }

    // MARK: In a child

    /// Before the child's threads start.
    mutating func becomeChild(_ configuration: Configuration) {
        retired = []
        guard let home else { return }
        // For the runtimes of bundles, which read it when they are mapped; nothing else of httpd's does.
        setenv("SWIFT_BACKTRACE", backtraceSettings(backtrace), 1)
        let facts = swsgi_child_facts_get()
        var ownership = Ownership()
        // Everybody's files are nobody's code, where the user is none of its own.
        ownership.refusesWritable = isRoot
        do throws(Errno) {
            child = EmbeddedChild(
                try EmbeddedSnapshots(home: home.path),
                HostFacts(
                    processGroup: "",
                    threads: UInt32(clamping: facts.threads),
                    processes: UInt32(clamping: facts.children),
                    isMultiprocess: facts.children > 1
                ),
                ownership,
                showsOutput: !configuration.restrictions.restrictions(of: "").contains(.output)
            )
        } catch {
            guard let server = swsgi_main_server() else { return }
            log(Problem(.embeddedPlace, "embedded mode has no place for snapshots in \(home.path): \(error)"), server)
        }
        // In a process that an application forks nothing of ours works; without memory for that, as before.
        if child != nil { try? ForkedProcess.watch() }
        for key in configuration.embedded.preloads { _ = child?.find(key, seen: nil) }
    }
}
