internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

// How processes end: by themselves, because they kept the group waiting, or because the generation has ended.
extension GroupMachine {
    mutating func ended(_ ticket: Int, _ reported: ProcessEnd, now: Int64) {
        guard let member = remove(ticket) else { return }
        let end = cause(member, reported)
        let isRefusal = end == .exited(WorkerExit.notLoaded) && (rollout.replacement == ticket || member.isBound)
        if !isRefusal { logEnd(member, end, now: now) }
        guard phase == .running else { return }
        if !member.isKilled || member.isCrashing, !member.isDraining { poison(member, end) }
        if isRefusal { refused(member, now: now) }
        if !member.isDraining, !member.isCounted, !isRefusal { countEnd(member, end, now: now) }
        replacementLost(member, failed: isRefusal || isToBlame(member))
    }

    /// A process whose backtrace took too long ends by SIGALRM or by us: what it said before is why.
    private func cause(_ member: Member, _ end: ProcessEnd) -> ProcessEnd {
        guard let signal = member.crashSignal else { return end }
        return end == .signalled(14) || member.isKilled ? .signalled(signal) : end
    }

    /// Whether the code that is being rolled out has cost this process its life.
    private func isToBlame(_ member: Member) -> Bool {
        guard let key = rollout.round?.version.key else { return false }
        return member.loading.contains { $0.version.key == key && applications.isPoisoned($0.version) }
    }

    private mutating func logEnd(_ member: Member, _ end: ProcessEnd, now: Int64) {
        if member.isKilled, !member.isCrashing { return }
        let wasTold = member.isDraining || member.isLeaving || phase != .running
        if wasTold, end == .exited(WorkerExit.done) { return }
        if noteEndOfService(member, end, now: now) { return }
        var text = "\(who(member)) \(words(member, end)) after \(seconds(now - member.startedAt))"
        if !member.loading.isEmpty, end != .exited(WorkerExit.notLoaded) {
            text += " while it loaded " + member.loading.map { "'\($0.version.key.entryFile)'" }.joined(separator: ", ")
        }
        actions.append(.log(.processEnded, text))
        trouble.cause = text
    }

    /// How a process ended; our own exit codes are said in words, and are no exit() of the application's.
    private func words(_ member: Member, _ end: ProcessEnd) -> String {
        switch end {
        case .exited(WorkerExit.notLoaded):
            let file = (member.refused ?? member.loading.first?.version).map { "'\($0.key.entryFile)'" }
            return "could not load \(file ?? "its application"), as its line before says, and ended"
        case .exited(WorkerExit.setup) where member.readyAt == nil && member.loading.isEmpty:
            return "could not become what its group is configured to be, as its line before says, and ended"
        case .exited(WorkerExit.serviceFailed) where settings.isService: return "ended, as its service gave a failure,"
        default: return "\(end)"
        }
    }

    private mutating func poison(_ member: Member, _ end: ProcessEnd) {
        // Our own exit: the process has said itself what it could not load.
        guard end != .exited(WorkerExit.notLoaded) else { return }
        for version in member.loading.map(\.version) where !applications.isPoisoned(version) {
            if isFromOutside(end), applications.interruptedLoading(version) < Delays.interruptedLoads { continue }
            let code: MessageCode =
                switch end {
                case .exited: .exitedLoading
                case .signalled: .diedLoading
                }
            poison(version, code, "\(who(member)) \(end) while it loaded '\(version.key.entryFile)'")
        }
    }

    private mutating func poison(_ version: ApplicationVersion, _ code: MessageCode, _ text: String) {
        guard !applications.isPoisoned(version) else { return }
        applications.poison(version, code.text(text))
        actions.append(.log(code, text + "; it is tried again when its entry file changes"))
    }

    /// Signals that somebody else sends, or the kernel when memory is short: they say little about the code.
    private func isFromOutside(_ end: ProcessEnd) -> Bool {
        switch end {
        case .exited: false
        case .signalled(let signal): [1, 2, 9, 15].contains(signal)  // SIGHUP, SIGINT, SIGKILL, SIGTERM
        }
    }

    // MARK: Restart with growing delay

    /// Lets the end of a process delay the next start, or not: as soon as it is sure, since the next start is due then.
    private mutating func countEnd(_ member: Member, _ end: ProcessEnd, now: Int64) {
        let limit = isFromOutside(end) && !member.isKilled ? Delays.restartKilledMax : Delays.restartMax
        if !member.isKilled, let readyAt = member.readyAt {
            if now - member.startedAt >= Delays.stable { backoff.reset() }
            guard now - readyAt < Delays.second else { return backoff.servedWell() }
            guard backoff.endedEarly(next: nextTicket) else { return }
        }
        delay(after: member, limit: limit, now: now)
    }

    /// Counts an end before it has come: this process will do no more work.
    private mutating func countEnd(_ ticket: Int, _ end: ProcessEnd, now: Int64) {
        guard phase == .running, let member = member(ticket), !member.isDraining, !member.isCounted else { return }
        update(ticket) { $0.isCounted = true }
        countEnd(member, end, now: now)
    }

    mutating func delay(after member: Member, limit: Int64, now: Int64) {
        let begins = backoff.failed(member, next: nextTicket, limit: limit, now: now, random: random)
        guard begins else { return }
        let text = "group '\(settings.name)': its processes keep ending; they are restarted with growing delay"
        actions.append(.log(.restartDelayed, text))
    }

    // MARK: Killing

    mutating func killNow(_ ticket: Int, _ code: MessageCode, _ what: String, now: Int64) {
        guard let member = member(ticket), member.pid != nil, !member.isKilled else { return }
        actions.append(.log(code, "\(who(member)) \(what)"))
        trouble.cause = "\(who(member)) \(what)"
        kill(ticket, now: now)
    }

    mutating func crashing(_ ticket: Int, _ signal: Int32, now: Int64) {
        guard member(ticket)?.isCrashing == false else { return }
        update(ticket) { member in
            member.crashSignal = signal
            member.killAt = now.adding(Delays.backtrace)
        }
        // Now and not at its end, which waits for the backtrace: the process in its place would crash in the same way.
        if phase == .running, let member = member(ticket), !member.isDraining { poison(member, .signalled(signal)) }
        countEnd(ticket, .signalled(signal), now: now)
    }

    private mutating func kill(_ ticket: Int, now: Int64) {
        update(ticket) { $0.isKilled = true }
        countEnd(ticket, .signalled(9), now: now)
        actions.append(.kill(ticket: ticket))
    }

    // MARK: Deadlines

    mutating func deadlines(now: Int64) {
        if let stopAt, stopAt <= now { stop(now: now) }
        for member in processes where !member.isKilled { deadlines(of: member, now: now) }
        if case .ending(let killAt) = phase, killAt <= now {
            for member in processes {
                killNow(member.ticket, .processKilled, "did not end within shutdown-timeout and is killed", now: now)
            }
        }
        if let stable = stableAt, stable <= now { backoff.reset() }
    }

    private mutating func deadlines(of member: Member, now: Int64) {
        if let killAt = member.killAt, killAt <= now {
            killNow(member.ticket, .processKilled, "was still there 15 s after its crash and is killed", now: now)
        } else if let silentAt = member.silentAt, silentAt <= now {
            killNow(
                member.ticket,
                .processSilent,
                "closed its socket to the supervisor, lived on and is killed",
                now: now
            )
        } else if let limit = startupLimit(member), limit <= now {
            startupTimedOut(member, now: now)
        } else if let serviceLimit = serviceLimit(member), serviceLimit <= now {
            killNow(member.ticket, .processKilled, "did not end within shutdown-timeout and is killed", now: now)
        } else {
            watchAnswers(of: member, now: now)
            recyclingDeadlines(of: member, now: now)
        }
    }

    private func startupLimit(_ member: Member) -> Int64? {
        guard phase == .running, member.isActive, member.pid != nil, settings.startupTimeout > 0 else { return nil }
        return member.waitingSince?.adding(settings.startupTimeout)
    }

    private mutating func startupTimedOut(_ member: Member, now: Int64) {
        let limit = seconds(settings.startupTimeout)
        for loading in member.loading where loading.since.adding(settings.startupTimeout) <= now {
            let file = loading.version.key.entryFile
            poison(loading.version, .loadTimeout, "\(who(member)) did not load '\(file)' within \(limit) and is killed")
        }
        guard member.loading.isEmpty else { return kill(member.ticket, now: now) }
        killNow(member.ticket, .processKilled, "was not ready within \(limit) and is killed", now: now)
    }

    /// When a process that was started after the last failure will have shown that it stays.
    private var stableAt: Int64? {
        guard !backoff.isClear else { return nil }
        return processes.filter { $0.isActive && $0.readyAt != nil && $0.ticket >= backoff.nextTicket }
            .map { $0.startedAt.adding(Delays.stable) }.min()
    }

    /// When `deadline` is to come, or nil.
    var nextDeadline: Int64? {
        var times: [Int64?] = [stopAt, stableAt]
        if phase == .running, needsStart { times.append(backoff.until) }
        for member in processes where !member.isKilled {
            times += [
                member.killAt, member.silentAt, startupLimit(member), answerDeadline(member), serviceLimit(member),
            ]
            times += recyclingTimes(of: member)
            if rollout.round != nil, member.mayStillAnswer(now: now) { times.append(member.stopsBy) }
            if case .ending(let killAt) = phase { times.append(killAt) }
        }
        return times.compactMap(\.self).min()
    }

    // MARK: The end of the generation

    mutating func beginEnding(now: Int64) {
        stopAt = nil
        guard phase == .running else { return }
        phase = .ending(killAt: now.adding(settings.shutdownTimeout))
        processes.removeAll { $0.pid == nil }
        rollout = Rollout()
        // A service does not see the end of the queue.
        if settings.isService {
            for member in processes where member.isActive { drain(member.ticket, .shutdownSignal) }
        }
    }

    mutating func stop(now: Int64) {
        beginEnding(now: now)
        for member in processes where member.isActive { drain(member.ticket, .shutdownSignal) }
    }
}

/// Nanoseconds as "12.345 s".
func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = max(nanoseconds, 0) / 1_000_000
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    return "\(milliseconds / 1000).\(fraction) s"
}
