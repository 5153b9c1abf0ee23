internal import SWSGIWire

/// What the group knows of one of its processes.
struct Member {
    /// One application that a process is loading.
    struct Loading {
        var version: ApplicationVersion
        var since: Int64
    }

    let ticket: Int
    let startedAt: Int64
    var pid: Int32?
    var readyAt: Int64?
    /// When it last got on with coming up.
    var progressAt: Int64
    var loading: [Loading] = []
    /// Applications that it has loaded.
    var served: [ApplicationKey] = []
    /// Whether it was not to take work without what others serve.
    var isBound = false
    /// What it could not load last.
    var refused: ApplicationVersion?
    /// Changes it reported and may hold exchanges for.
    var reported: [ApplicationVersion] = []
    /// Why it is to be replaced, if it is.
    var leaving: StopReason?
    /// When it is to be replaced for its age.
    var replaceAt: Int64?
    var isDraining = false
    /// When what it still runs is cancelled.
    var cancelAt: Int64?
    /// When it is killed with what it still runs.
    var lostAt: Int64?
    /// What that was when it last said so.
    var running: [String] = []
    /// Whether its last exchange has ended.
    var hasFinished = false
    /// Whether it has seen that it is to drain.
    var hasStopped = false
    /// When it is taken to have seen that: a process that was stopped itself says nothing.
    var stopsBy: Int64?
    /// Told to end by SIGKILL.
    var isKilled = false
    /// Its end has been counted for the delay of the next start.
    var isCounted = false
    /// The fatal signal it reported: it takes no more work, and ends when its backtrace has been written.
    var crashSignal: Int32?
    var killAt: Int64?
    var silentAt: Int64?
    /// What it has been asked, for deadlock-timeout.
    var answers = AnswerWatch()

    init(ticket: Int, startedAt: Int64) {
        self.ticket = ticket
        self.startedAt = startedAt
        progressAt = startedAt
    }

    /// Whether it may still answer with the code it has, though told to drain.
    func mayStillAnswer(now: Int64) -> Bool {
        isDraining && !hasStopped && (stopsBy ?? .min) > now
    }

    var isCrashing: Bool { crashSignal != nil }

    var isLeaving: Bool { leaving != nil }

    /// Whether it is one of those that serve, or will.
    var isActive: Bool { !isDraining && !isKilled && !isCrashing }

    mutating func startedLoading(_ version: ApplicationVersion, now: Int64) {
        loading.removeAll { $0.version.key == version.key }
        if loading.count == ControlLimits.applications { loading.removeFirst() }
        loading.append(Loading(version: version, since: now))
        progressAt = now
    }

    mutating func finishedLoading(_ version: ApplicationVersion, now: Int64) {
        loading.removeAll { $0.version.key == version.key }
        progressAt = now
    }

    mutating func serves(_ key: ApplicationKey) {
        guard !served.contains(key), served.count < ControlLimits.applications else { return }
        served.append(key)
    }

    mutating func report(_ version: ApplicationVersion) {
        guard !reported.contains(version) else { return }
        if reported.count == ControlLimits.applications { reported.removeFirst() }
        reported.append(version)
    }

    /// Since when it has kept the group waiting, or nil when it doesn't.
    var waitingSince: Int64? {
        if let first = loading.map(\.since).min() { return first }
        return readyAt == nil ? progressAt : nil
    }
}

/// How long to wait before the next process is started.
struct Backoff {
    /// Failures without a process that stayed.
    private(set) var streak = 0
    /// Short lives of processes that had been ready, in a row.
    private(set) var earlyEnds = 0
    /// No start before this time.
    private(set) var until = Int64.min
    /// Processes from this ticket on were started after the last failure.
    private(set) var ticket = 0
    private var earlyTicket = 0
    private(set) var isDelayed = false
    /// The last delay, without its jitter.
    private(set) var delay: Int64 = 0

    /// The first ticket that was given after the last failure or early end.
    var nextTicket: Int { max(ticket, earlyTicket) }

    /// A process that had been ready ended early; returns whether that is one time too many.
    mutating func endedEarly(next: Int) -> Bool {
        earlyTicket = next
        earlyEnds = min(earlyEnds + 1, Delays.earlyEnds + 1)
        return earlyEnds > Delays.earlyEnds
    }

    /// A failure of `member`; failures of processes that were started before the last one belong to the same wave.
    ///
    /// Returns whether this begins a state of delay.
    mutating func failed(_ member: Member, next: Int, limit: Int64, now: Int64, random: UInt32) -> Bool {
        guard member.ticket >= ticket else { return false }
        ticket = next
        streak = min(streak + 1, 64)
        guard streak > 1 else { return false }
        let doublings = streak - 2
        let factor: Int64 = doublings < 32 ? 1 << Int64(doublings) : .max
        let (product, overflow) = Delays.restartFirst.multipliedReportingOverflow(by: factor)
        delay = min(overflow ? .max : product, limit)
        until = now.adding(delay).adding(delay / 10 * Int64(random % 1024) / 1024)
        defer { isDelayed = true }
        return !isDelayed
    }

    /// A process that had been ready for a while ended: no row of early ends.
    mutating func servedWell() {
        earlyEnds = 0
    }

    /// The next start is made at once; the delay after it is not forgotten.
    mutating func tryNow(_ now: Int64) {
        until = min(until, now)
    }

    /// A process has stayed.
    mutating func reset() {
        self = Backoff()
    }

    /// Whether there is anything to forget.
    var isClear: Bool { streak == 0 && earlyEnds == 0 }
}
