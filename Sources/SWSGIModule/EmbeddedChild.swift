internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// Embedded mode in one child of httpd: the applications that it has loaded, for all of its threads.
///
/// A changed entry file is loaded beside what is there, by the request that finds the change; others go on with the former code
/// until then. Nothing is ever unloaded: a reload costs what the bundle takes in memory, until the child ends.
final class EmbeddedChild: @unchecked Sendable {  // `snapshots` is used under `loading` alone
    /// What to do with a request.
    enum Found {
        case run(Instance)
        case refuse(ExchangeOutcome)
    }

    private struct Application {
        var versions = EmbeddedVersions()
        var instance: Instance?
        var refusal = ExchangeOutcome.notLoaded
    }

    /// Seconds that the backtrace of a crash may take.
    private static let backtraceSeconds: UInt32 = 10

    private let snapshots: EmbeddedSnapshots
    private let facts: HostFacts
    private let ownership: Ownership
    private let showsOutput: Bool
    private let applications = Lock<[ApplicationKey: Application]>([:])
    /// Whether a bundle has been mapped, and with it a Swift runtime.
    private let loading = Lock(false)

    init(_ snapshots: EmbeddedSnapshots, _ facts: HostFacts, _ ownership: Ownership, showsOutput: Bool) {
        self.snapshots = snapshots
        self.facts = facts
        self.ownership = ownership
        self.showsOutput = showsOutput
    }

    /// The child ends.
    func end() { loading.withLock { _ in snapshots.remove() } }

    /// What runs a request; loads it where that is to be done.
    func find(_ key: ApplicationKey, seen: FileIdentity?) -> Found {
        while true {
            let decision = applications.withLock { applications in
                applications[key, default: Application()].versions.decide(seen: seen, now: Clock.monotonic)
            }
            switch decision {
            case .run, .refuse: return found(key)
            case .wait: loading.withLock { _ in }
            case .load:
                load(key)
                return found(key)
            }
        }
    }

    private func found(_ key: ApplicationKey) -> Found {
        applications.withLock { applications in
            guard let known = applications[key] else { return .refuse(.notLoaded) }
            return known.instance.map { .run($0) } ?? .refuse(known.refusal)
        }
    }

    private func load(_ key: ApplicationKey) {
        loading.withLock { hasRuntime in
            let current = FileIdentity(path: key.entryFile)
            let isNeeded = applications.withLock { applications in
                if applications[key]?.versions.needs(current) != false { return true }
                applications[key]?.versions.skipped(now: Clock.monotonic)
                return false
            }
            guard isNeeded else { return }
            var isMapped = false
            do throws(Problem) {
                let instance = try makeInstance(key, &hasRuntime, &isMapped)
                applications.withLock { applications in
                    applications[key]?.instance = instance
                    applications[key]?.versions.succeeded(instance.version.identity)
                }
                log(.info, "loaded \(key.entryFile) into application group '\(key.applicationGroup)' (\(instance.sdk))")
            } catch {
                log(error.code.level, error.description)
                snapshots.removeLast()
                failed(key, current ?? .none, error, isFinal: isMapped || error.code == .symbolMissing)
            }
        }
    }

    private func failed(_ key: ApplicationKey, _ identity: FileIdentity, _ problem: Problem, isFinal: Bool) {
        let hasFormer = applications.withLock { applications in
            applications[key]?.versions.failed(identity, now: Clock.monotonic, isFinal: isFinal)
            applications[key]?.refusal = problem.code.forbids ? .forbidden : .notLoaded
            return applications[key]?.instance != nil
        }
        guard hasFormer else { return }
        let what = "entry file \(key.entryFile) has changed and can't be loaded: the former code serves on"
        let problem = Problem(.embeddedReloadFailed, what)
        log(problem.code.level, problem.description)
    }

    private func makeInstance(
        _ key: ApplicationKey,
        _ hasRuntime: inout Bool,
        _ isMapped: inout Bool
    ) throws(Problem) -> Instance {
        let directory: String
        do throws(Errno) {
            directory = try snapshots.next()
        } catch {
            throw Problem(.snapshotFailed, "a directory for a snapshot can't be made: \(error)")
        }
        let isFirst = !hasRuntime
        var isOpen = isFirst
        if isFirst {
            if showsOutput { GuestProcess.showOutput() }
            GuestProcess.begin()
        }
        func close() {
            let (crash, exit) = (MessageCode.embeddedCrash.name, MessageCode.embeddedExit.name)
            if isOpen { GuestProcess.finish(code: crash, exitCode: exit, backtraceSeconds: Self.backtraceSeconds) }
            isOpen = false
        }
        // Also after a failure: a bundle may have been mapped by then.
        defer {
            close()
            hasRuntime = true
        }
        return try Instance(
            key: key,
            facts: facts,
            directory: directory,
            ownership: ownership,
            isGuest: true,
            whenMapped: {
                isMapped = true
                close()
            }
        ) { level, text in
            for line in text.split(separator: "\n") { EmbeddedChild.log(level, String(line)) }
        }
    }

    private func log(_ level: LogLevel, _ text: String) { Self.log(level, text) }

    private static func log(_ level: LogLevel, _ text: String) {
        guard let server = swsgi_main_server() else { return }
        swsgi_log_server(server, Int32(level.rawValue), text)
    }
}
