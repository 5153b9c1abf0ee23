internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// The life of one process group: events in, actions out, no effects.
///
/// Processes are known by ticket, a number that only grows: "started before that moment" is then a comparison. Times are
/// monotonic nanoseconds. It asks for nothing but what it returns; `nextDeadline` says when it wants to be called again.
struct GroupMachine {
    /// What happened.
    enum Event {
        /// The supervisor is ready to start processes.
        case begin
        case processStarted(ticket: Int, pid: Int32)
        case startFailed(ticket: Int, reason: String)
        case ready(ticket: Int)
        case loading(ticket: Int, ApplicationVersion)
        case loaded(ticket: Int, ApplicationVersion)
        case notLoaded(ticket: Int, ApplicationVersion)
        case changed(ticket: Int, ApplicationVersion)
        /// It is to be replaced, and serves until then.
        case leaving(ticket: Int, _ reason: StopReason = .shutdownSignal)
        /// What it still runs though it has been cancelled.
        case running(ticket: Int, [String])
        /// Its last exchange has ended.
        case finished(ticket: Int)
        /// It has this many bytes of memory.
        case memory(ticket: Int, Int64)
        /// The group has this many exchanges, running or waiting.
        case load(outstanding: Int64)
        /// The supervisor was told to replace all processes.
        case replaceAll
        /// A request has come although the group is broken.
        case wanted
        /// It has seen that it is to drain.
        case stopped(ticket: Int)
        case crashing(ticket: Int, signal: Int32)
        /// It sent something that it can't mean.
        case misbehaved(ticket: Int, what: String)
        /// It closed its control socket.
        case silent(ticket: Int)
        /// It has no room for what it is told.
        case deaf(ticket: Int)
        /// It answers the question with this number.
        case answered(ticket: Int, UInt32)
        case ended(ticket: Int, ProcessEnd)
        case deadline
        /// The last sender of the queue is gone.
        case generationEnded
        /// httpd's parent is gone; its children may still work.
        case orphaned
        /// The supervisor was told to end.
        case stop
    }

    /// What is to be done.
    enum Action: Equatable {
        case start(Launch)
        case drain(ticket: Int, StopReason)
        /// Cancel what it still runs.
        case cancel(ticket: Int)
        case reloadFailed(ticket: Int, ApplicationVersion)
        case kill(ticket: Int)
        /// Ask the process for an answer with this number.
        case ask(ticket: Int, UInt32)
        /// Nobody serves, and will not before this time; nil: somebody does again.
        case broken(retryAt: Int64?)
        case log(MessageCode, String)
        case note(String)
    }

    /// A process to start.
    struct Launch: Equatable {
        var ticket: Int
        var preload: [ApplicationKey]
        var required: [ApplicationKey]
        var poisoned: [PoisonedApplication]
        /// What other processes serve.
        var kept: [ApplicationKey] = []
        var limits = WorkerLimits()
    }

    /// What the configuration says.
    struct Settings {
        var name: String
        var processes: Int
        var startupTimeout: Int64
        var shutdownTimeout: Int64
        var applications: [ApplicationKey]
        /// How long a process may leave a question without an answer; 0: for ever.
        var deadlockTimeout: Int64 = 0
        /// Request threads of each process.
        var threads = 1
        var recycling = RecyclingPlan()
        /// Whether its processes run a service, of which there are never more than configured.
        var isService = false
    }

    /// Where the group's own life stands.
    enum Phase: Equatable {
        case running
        /// Nothing is started any more; all processes end by themselves, or are killed at the time.
        case ending(killAt: Int64)
    }

    let settings: Settings
    var phase = Phase.running
    var processes: [Member] = []
    var nextTicket = 1
    var backoff = Backoff()
    var applications = ApplicationMemory()
    var rollout = Rollout()
    var stopAt: Int64?
    var lastStartFailure: String?
    var trouble = Trouble()
    /// What new processes could not load though others serve it, when that has been told.
    var missing: ApplicationVersion?
    var scaling: Scaling
    var actions: [Action] = []
    /// The time of the event that is being handled.
    private(set) var now: Int64 = 0
    var random: UInt32 = 0

    init(_ settings: Settings) {
        self.settings = settings
        scaling = Scaling(size: settings.processes)
    }

    /// Whether nothing is left to wait for.
    var isFinished: Bool { phase != .running && processes.isEmpty }

    /// Takes an event; `random` spreads delays.
    mutating func handle(_ event: Event, now: Int64, random: UInt32 = 0) -> [Action] {
        self.now = now
        self.random = random
        apply(event, now: now)
        settle(now: now)
        publish(now: now)
        defer { actions.removeAll() }
        return actions
    }

    private mutating func apply(_ event: Event, now: Int64) {
        switch event {
        case .begin: break
        case .processStarted(let ticket, let pid): started(ticket, pid)
        case .startFailed(let ticket, let reason): startFailed(ticket, reason, now: now)
        case .ready(let ticket): ready(ticket, now: now)
        case .loading(let ticket, let version): loading(ticket, version, now: now)
        case .loaded(let ticket, let version): loaded(ticket, version, now: now)
        case .notLoaded(let ticket, let version): notLoaded(ticket, version, now: now)
        case .changed(let ticket, let version): changed(ticket, version)
        case .leaving(let ticket, let reason):
            leaving(ticket, reason)
        case .running(let ticket, let lines): update(ticket) { $0.running = lines }
        case .finished(let ticket): finished(ticket, now: now)
        case .memory(let ticket, let bytes): measured(ticket, bytes, now: now)
        case .load(let outstanding): measuredLoad(outstanding, now: now)
        case .wanted: wanted(now: now)
        case .replaceAll: for member in processes { leaving(member.ticket, .gracefulSignal) }
        case .stopped(let ticket): update(ticket) { $0.hasStopped = true }
        case .crashing(let ticket, let signal): crashing(ticket, signal, now: now)
        case .misbehaved(let ticket, let what):
            killNow(ticket, .processMisbehaved, "sent \(what) and is killed", now: now)
        case .silent(let ticket): update(ticket) { $0.silentAt = $0.silentAt ?? now.adding(Delays.silence) }
        case .deaf(let ticket): killNow(ticket, .processKilled, "does not take its messages and is killed", now: now)
        case .answered(let ticket, let number): update(ticket) { $0.answers.answered(number, now: now) }
        case .ended(let ticket, let end): ended(ticket, end, now: now)
        case .deadline: deadlines(now: now)
        case .generationEnded: beginEnding(now: now)
        case .orphaned: stopAt = stopAt ?? now.adding(settings.shutdownTimeout)
        case .stop: stop(now: now)
        }
    }

    // MARK: Processes that come

    private mutating func started(_ ticket: Int, _ pid: Int32) {
        lastStartFailure = nil
        let begin = now
        update(ticket) { member in
            member.pid = pid
            member.progressAt = begin
        }
        actions.append(.note("group '\(settings.name)': process \(pid) started"))
    }

    private mutating func startFailed(_ ticket: Int, _ reason: String, now: Int64) {
        guard let member = remove(ticket) else { return }
        if lastStartFailure != reason {
            actions.append(.log(.startFailed, "group '\(settings.name)': a process could not be started: \(reason)"))
        }
        lastStartFailure = reason
        trouble.cause = "a process could not be started: \(reason)"
        delay(after: member, limit: Delays.restartMax, now: now)
        replacementLost(member, failed: false)
    }

    private mutating func ready(_ ticket: Int, now: Int64) {
        var isFirst = false
        let replaceAt = age(of: ticket).map { now.adding($0) }
        update(ticket) { member in
            isFirst = member.readyAt == nil
            member.readyAt = member.readyAt ?? now
            member.replaceAt = member.replaceAt ?? replaceAt
        }
        if isFirst { replacementReady(ticket) }
    }

    private mutating func loading(_ ticket: Int, _ version: ApplicationVersion, now: Int64) {
        update(ticket) { $0.startedLoading(version, now: now) }
    }

    private mutating func loaded(_ ticket: Int, _ version: ApplicationVersion, now: Int64) {
        update(ticket) { member in
            member.finishedLoading(version, now: now)
            member.serves(version.key)
        }
        if missing?.key == version.key { missing = nil }
        applications.loaded(version, configured: settings.applications)
    }

    // MARK: Helpers

    /// The group's place for a process, if it is still known.
    func member(_ ticket: Int) -> Member? { processes.first { $0.ticket == ticket } }

    mutating func update(_ ticket: Int, _ change: (inout Member) -> Void) {
        guard let index = processes.firstIndex(where: { $0.ticket == ticket }) else { return }
        change(&processes[index])
    }

    mutating func remove(_ ticket: Int) -> Member? {
        guard let index = processes.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return processes.remove(at: index)
    }

    mutating func start(required: [ApplicationKey], now: Int64) -> Int {
        let ticket = nextTicket
        nextTicket += 1
        let kept = servedByOthers.filter { !required.contains($0) }
        var member = Member(ticket: ticket, startedAt: now)
        member.isBound = !kept.isEmpty
        processes.append(member)
        let preload = applications.preload(configured: settings.applications)
        actions.append(
            .start(
                Launch(
                    ticket: ticket,
                    preload: preload,
                    required: required,
                    poisoned: applications.poisoned,
                    kept: kept,
                    limits: limits(of: ticket)
                )
            )
        )
        return ticket
    }

    mutating func drain(_ ticket: Int, _ reason: StopReason) {
        // What has not been started can't be told to end: its start is given up.
        guard member(ticket)?.pid != nil else {
            _ = remove(ticket)
            return
        }
        let limit = now.adding(Delays.silence)
        let cancelAt = patience(with: reason).map { now.adding($0) }
        update(ticket) { member in
            member.isDraining = true
            member.stopsBy = limit
            member.cancelAt = cancelAt
        }
        actions.append(.drain(ticket: ticket, reason))
    }

    func who(_ member: Member) -> String {
        "group '\(settings.name)': process \(member.pid.map(String.init) ?? "(not started)")"
    }
}

/// Times that the configuration does not set.
enum Delays {
    static let second: Int64 = 1_000_000_000
    /// The backtrace itself is limited to 10 s.
    static let backtrace = 15 * second
    static let silence = second
    /// Between two looks at memory and load, where these are looked at.
    static let memoryLooks = second
    static let loadLooks = second / 4
    /// A group grows when requests wait for so long, and shrinks when it has had little to do for so long.
    static let growth = second / 2
    static let shrinking = 30 * second
    /// No process is replaced for its memory before it has served so long.
    static let memoryAge = 5 * second
    static let restartFirst = second / 10
    static let restartMax = 30 * second
    /// A process that this time has shown to work.
    static let stable = 10 * second
    /// For processes that somebody keeps killing from outside.
    static let restartKilledMax = second
    /// Processes that were ready may end so many times in a row, each within a second, before there is a delay.
    static let earlyEnds = 5
    /// A replacement is tried so many times when it does not fail for the new code.
    static let replacementTries = 3
    /// Signals from outside, which say nothing about what was being loaded, poison at this time in a row.
    static let interruptedLoads = 3
    /// The same change may be reported again by processes that were started after it, so many times in a row.
    static let repeatedRounds = 3
}

extension Int64 {
    /// The sum, or the largest number.
    func adding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
