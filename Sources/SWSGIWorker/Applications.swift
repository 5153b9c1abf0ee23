internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// What a request thread does with an exchange.
enum Decision {
    /// Run this instance on it.
    case run(Instance)
    /// Answer that the application can't, or must not, be loaded.
    case refuse(ExchangeOutcome)
    /// The reply end has been kept, or sent back to the queue: nothing more to do, and not to be closed.
    case kept
}

/// The applications of a daemon process: loads them, and keeps the exchanges that wait for newer code.
///
/// An exchange whose entry file has changed is kept until the supervisor has replaced this process (then it goes back to the
/// queue, for the new code) or says that the new code can't be had (then it goes back for the old).
final class Applications: Sendable {
    private enum State {
        case loaded(Instance)
        case failed(FileIdentity, at: Int64, ExchangeOutcome)
        case poisoned(PoisonedApplication)

        var identity: FileIdentity {
            switch self {
            case .loaded(let instance): instance.version.identity
            case .failed(let identity, _, _): identity
            case .poisoned(let poisoned): poisoned.version.identity
            }
        }
    }

    private struct Waiting {
        var reply: Int32
        var version: ApplicationVersion
        var since: Int64
    }

    private struct Content {
        var states: [ApplicationKey: State] = [:]
        var waiting: [Waiting] = []
        /// The newest change of each application that the supervisor knows from us, or has given up.
        var reported: [ApplicationKey: FileIdentity] = [:]
        var isDraining = false
        var serial = 0
    }

    /// An application that could not be loaded is tried again after so many nanoseconds.
    private static let retryInterval: Int64 = 1_000_000_000
    /// Nanoseconds after which a waiting exchange is served by the old code, whatever the supervisor does.
    private static let waitingLimit: Int64 = 120_000_000_000

    private let plan: WorkerPlan
    private let channel: SupervisorChannel
    private let signals: SignalGuard
    private let main: MainThread
    private let content = Lock(Content())
    private let loading = Lock(())

    init(_ plan: WorkerPlan, _ channel: SupervisorChannel, _ signals: SignalGuard, _ main: MainThread) {
        self.signals = signals
        self.main = main
        self.plan = plan
        self.channel = channel
        content.withLock { content in
            for poisoned in plan.poisoned { content.states[poisoned.version.key] = .poisoned(poisoned) }
        }
    }

    // MARK: Loading

    /// Loads an application unless it is there, or not worth a try; false when it can't be had.
    @discardableResult
    func load(_ key: ApplicationKey) -> Bool {
        loading.withLock { _ in
            if let known = content.withLock({ $0.states[key] }), !isWorthATry(known, key) {
                if case .loaded = known { return true }
                return false
            }
            let identity = FileIdentity(path: key.entryFile) ?? .none
            let version = ApplicationVersion(key: key, identity: identity)
            channel.send(.loading(version))
            do throws(Problem) {
                // What a bundle is loaded with may install handlers: they go before it is called.
                defer { signals.check() }
                let instance = try makeInstanceOnMainThread(key)
                if let queue = instance.mainQueue { main.serve(queue) }
                content.withLock { $0.states[key] = .loaded(instance) }
                channel.send(.loaded(instance.version))
                channel.log(
                    .info,
                    "loaded \(key.entryFile) into application group '\(key.applicationGroup)' (\(instance.sdk))"
                )
                return true
            } catch {
                channel.log(error)
                let outcome: ExchangeOutcome = error.code.forbids ? .forbidden : .notLoaded
                content.withLock { $0.states[key] = .failed(identity, at: Clock.monotonic, outcome) }
                channel.send(.notLoaded(version))
                return false
            }
        }
    }

    private func isWorthATry(_ state: State, _ key: ApplicationKey) -> Bool {
        switch state {
        case .loaded: false
        case .failed(_, let at, _): Clock.monotonic - at > Self.retryInterval
        case .poisoned(let poisoned): FileIdentity(path: key.entryFile) != poisoned.version.identity
        }
    }

    private func makeInstanceOnMainThread(_ key: ApplicationKey) throws(Problem) -> Instance {
        final class Made: Sendable {
            let result = Lock<Result<Instance, Problem>?>(nil)
        }
        let made = Made()
        main.perform { [self] in
            do throws(Problem) {
                let instance = try makeInstance(key)
                made.result.withLock { $0 = .success(instance) }
            } catch {
                made.result.withLock { $0 = .failure(error) }
            }
        }
        guard let result = made.result.withLock({ $0 }) else {
            throw Problem(.loadFailed, "bundle of \(key.entryFile): the main thread has not loaded it")
        }
        return try result.get()
    }

    private func makeInstance(_ key: ApplicationKey) throws(Problem) -> Instance {
        let serial = content.withLock { content in
            content.serial += 1
            return content.serial
        }
        // Two levels below: a library in '$ORIGIN/../lib' has its place inside this bundle's part.
        var directory = plan.snapshots
        for name in [String(serial), "bundle", "bin"] {
            directory += "/" + name
            guard mkdir(directory, 0o700) == 0 else {
                throw Problem(.snapshotFailed, "directory \(directory) can't be made: \(Errno.last)")
            }
        }
        let facts = HostFacts(
            processGroup: plan.group,
            threads: plan.threads,
            processes: plan.processes,
            isMultiprocess: plan.isMultiprocess,
            isRunOnce: plan.limits.isRunOnce
        )
        let ownership = plan.surroundings.ownership
        return try Instance(key: key, facts: facts, directory: directory, ownership: ownership) {
            [channel] level, text in
            for line in text.split(separator: "\n") { channel.log(level, String(line)) }
        }
    }

    // MARK: Exchanges

    /// Decides on an exchange that is not for `cached`, or whose entry file may be newer.
    ///
    /// Keeps `reply`, which thread `slot` has received, when it says so.
    func decide(_ head: ReceivedHead, reply: Int32, slot: Int) -> Decision {
        let key = ApplicationKey(
            entryFile: String(decoding: head.entryFile, as: UTF8.self),
            applicationGroup: String(decoding: head.applicationGroup, as: UTF8.self),
            symbol: String(decoding: head.symbol, as: UTF8.self)
        )
        if let known = content.withLock({ $0.states[key] }), keep(reply, slot, head, key, known) { return .kept }
        load(key)
        switch content.withLock({ $0.states[key] }) {
        case .loaded(let instance): return .run(instance)
        case .failed(_, _, let outcome): return .refuse(outcome)
        case .poisoned, nil: return .refuse(.notLoaded)
        }
    }

    /// Keeps an exchange whose entry file is newer than what is known here.
    private func keep(
        _ reply: Int32,
        _ slot: Int,
        _ head: ReceivedHead,
        _ key: ApplicationKey,
        _ known: State
    ) -> Bool {
        guard head.flags.contains(.reloading), !head.flags.contains(.staleAccepted), head.identity != known.identity,
            // httpd may have looked before the change that was loaded here: only what stands there now counts.
            let now = FileIdentity(path: key.entryFile), now != known.identity
        else { return false }
        let version = ApplicationVersion(key: key, identity: now)
        switch place(version, reply, slot, isFresh: head.flags.contains(.fresh)) {
        case .none: return false
        case .sentBack: sendBack(reply, stale: false)
        case .waits, .ended: break
        case .waitsForNews: channel.send(.changed(version))
        }
        return true
    }

    private enum Place {
        case none
        case sentBack
        /// By the crash handler.
        case ended
        case waits
        case waitsForNews
    }

    private func place(_ version: ApplicationVersion, _ reply: Int32, _ slot: Int, isFresh: Bool) -> Place {
        content.withLock { content in
            let isNews = content.reported[version.key] != version.identity
            // Requests that come while the replacement is under way are served by the old code.
            guard content.isDraining || isFresh || isNews else { return .none }
            // From here any thread may send it back.
            guard CrashHandlers.handOver(slot: slot) else { return .ended }
            if content.isDraining { return .sentBack }
            content.reported[version.key] = version.identity
            content.waiting.append(Waiting(reply: reply, version: version, since: Clock.monotonic))
            return isNews ? .waitsForNews : .waits
        }
    }

    /// The supervisor can't get this new code: exchanges that wait for it are served by the old.
    func giveUp(_ version: ApplicationVersion) {
        content.withLock { $0.reported[version.key] = version.identity }
        for waiting in take(where: { $0.version.key == version.key }) { sendBack(waiting.reply, stale: true) }
    }

    /// From now on nothing waits here: the new code is there.
    func drain() {
        content.withLock { $0.isDraining = true }
        for waiting in take(where: { _ in true }) { sendBack(waiting.reply, stale: false) }
    }

    /// Lets go of exchanges that have waited too long.
    func expire() {
        let limit = Clock.monotonic - Self.waitingLimit
        for waiting in take(where: { $0.since < limit }) { sendBack(waiting.reply, stale: true) }
    }

    private func take(where chosen: (Waiting) -> Bool) -> [Waiting] {
        content.withLock { content in
            let found = content.waiting.filter(chosen)
            content.waiting.removeAll(where: chosen)
            return found
        }
    }

    private func sendBack(_ reply: Int32, stale: Bool) {
        Exchange.retry(reply, acceptsStale: stale)
        close(reply)
    }

    private var instances: [Instance] {
        content.withLock { content in
            content.states.values.compactMap { state -> Instance? in
                if case .loaded(let instance) = state { instance } else { nil }
            }
        }
    }

    /// Tells every application what happens to the process.
    func tell(_ event: ProcessEvent) {
        for instance in instances { instance.tell(event) }
    }

    /// Tells every application that the process is about to end.
    func stop(_ reason: StopReason) {
        for instance in instances {
            instance.tell(.stopping(reason))
            instance.stop()
        }
    }
}
