internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGISystem
internal import SWSGIWire

/// What the control thread does: follows the supervisor and signals until every request thread has ended.
struct Attendant: Sendable {
    /// Milliseconds between looks at what no event tells.
    private enum Pause {
        /// While threads may miss that they are to stop.
        static let idle: Int32 = 2
        /// While the last exchanges run.
        static let draining: Int32 = 100
    }

    /// Nanoseconds after which threads that wait, and do not hear that they are to stop, are left behind.
    private static let deafLimit: Int64 = 1_000_000_000
    /// Nanoseconds that applications may take over an event when nobody is there to end the process.
    private static let eventLimit: Int64 = 5_000_000_000

    private let channel: SupervisorChannel
    private let applications: Applications
    private let threads: RequestThreads
    private let signals: SignalGuard
    private let main: MainThread
    private let events: ApplicationEvents
    /// Why no more work is taken.
    private var drainReason: StopReason?
    private var drainedAt: Int64?
    private var hasAsked = false
    private var isSupervised = true
    private var isCancelled = false
    private var toldRunning: [String]?

    init(
        _ channel: SupervisorChannel,
        _ applications: Applications,
        _ threads: RequestThreads,
        _ signals: SignalGuard,
        _ main: MainThread
    ) {
        self.main = main
        self.signals = signals
        self.channel = channel
        self.applications = applications
        self.threads = threads
        events = ApplicationEvents(applications)
    }

    /// Follows them to the end of the process; false: another thread is to go on with it, as the main thread is wanted.
    mutating func attend() -> Bool {
        while !threads.haveEnded, !areDeaf {
            if main.isWanted { return false }
            turn(pause())
        }
        applications.drain()
        channel.send(.finished)
        // Whoever takes longer is killed by the supervisor, if there is one.
        let limit = Clock.monotonic + Self.eventLimit
        while !events.areTold, isSupervised || Clock.monotonic < limit { turn(Pause.draining) }
        applications.stop(drainReason ?? .shutdownSignal)
        return true
    }

    /// Whether only threads are left that can't be interrupted, as the application has blocked all signals in them.
    private var areDeaf: Bool { hasWaitedForThreads && threads.areAllIdle }

    private var hasWaitedForThreads: Bool { drainedAt.map { Clock.monotonic - $0 > Self.deafLimit } ?? false }

    private mutating func pause() -> Int32 {
        guard drainReason != nil else { return threads.nextLook }
        // Threads that were about to wait are interrupted again until they have seen it.
        let isShort = threads.drain() && !hasWaitedForThreads
        return isShort ? Pause.idle : min(Pause.draining, threads.nextLook)
    }

    private mutating func turn(_ milliseconds: Int32) {
        if drainReason == nil, threads.areInactive() {
            channel.log(.info, "nothing to do for the time of inactivity-timeout; asks to be replaced")
            channel.send(.leaving(.inactivityTimeout))
        }
        if threads.lookForLateThreads() { ask(.requestTimeout) }
        endIfOnlyStuckThreadsAreLeft()
        switch ControlThread.wait(isSupervised ? channel.socket : -1, milliseconds: milliseconds) {
        case .signal(let number): signal(Int32(number))
        case .nothing:
            applications.expire()
            signals.check()
        case .readable: message()
        }
        if isCancelled { tellRunning() }
    }

    private mutating func signal(_ number: Int32) {
        switch number {
        case SIGHUP, SIGUSR2: events.post(.signal(signalName(number)))
        case SIGUSR1: ask(.gracefulSignal)
        case SIGXCPU: ask(.cpuTimeLimit)
        default: ask(.shutdownSignal)
        }
    }

    /// Asks to be replaced, once: SIGXCPU comes every second.
    private mutating func ask(_ reason: StopReason) {
        guard !hasAsked, drainReason == nil else { return }
        hasAsked = true
        channel.send(.leaving(reason))
    }

    private mutating func message() {
        switch try? channel.receive() {
        case .drain(let reason): drain(reason)
        case .cancel:
            isCancelled = true
            Exchange.cancelAll()
        case .signal(let number): signal(Int32(number))
        case .reloadFailed(let version): applications.giveUp(version)
        case .ask(let number): channel.send(.answer(number))
        // The supervisor has gone, or makes no sense: a new one has processes of its own.
        case .configure, nil:
            isSupervised = false
            drain(.shutdownSignal)
        }
    }

    private mutating func drain(_ reason: StopReason) {
        guard drainReason == nil else { return }
        drainReason = reason
        drainedAt = Clock.monotonic
        applications.drain()
        channel.send(.stopped)
        events.post(.draining(reason))
    }

    /// A thread can't be ended: with nothing else to wait for the process ends at once, and calls nothing that might wait for it.
    private func endIfOnlyStuckThreadsAreLeft() {
        let rest = threads.stuckRest
        guard rest > 0 else { return }
        let text = "process \(getpid()) ends with \(rest) request threads that have not come back"
        channel.log(Problem(.endsWithStuckThreads, text))
        _exit(WorkerExit.done)
    }

    /// Says what still runs though it has been cancelled, when that has changed.
    private mutating func tellRunning() {
        let running = threads.running
        guard running != toldRunning else { return }
        toldRunning = running
        channel.send(.running(running))
    }
}
