internal import SWSGIConfiguration
internal import SWSGIWire

/// What of a group is being replaced.
struct Rollout {
    /// A change that the processes before a ticket don't have.
    struct Change: Equatable {
        var version: ApplicationVersion
        var staleBefore: Int
    }

    /// A change that is being rolled out.
    struct Round {
        var change: Change
        /// Replacements lost one after the other, for reasons that are not the new code's.
        var losses = 0
        var replaced = 0

        var version: ApplicationVersion { change.version }
    }

    var round: Round?
    /// Changes for later rounds: the last one of each application.
    var pending: [Change] = []
    /// The process that has been started to take another's place, until it is ready.
    var replacement: Int?
    /// Whether it was started for the round, and not for a leaving process.
    var replacementIsForRound = false
    /// The last round's change and end, and how often it came again at once.
    var last: (version: ApplicationVersion, end: Int64, repeats: Int)?
}

// Rolling replacement: a new process beside the old ones; when it is ready, one old process drains; then the next.
//
// A change makes all processes stale that were started before it was reported: those started later have read the file after
// it changed. So a change that comes during a round is remembered with the ticket of that moment, and the next round
// replaces those that need it and no others. Every process that reports a change is stale for it: it is drained, or told
// that the change failed, and either way lets go of the exchanges it holds.
extension GroupMachine {
    mutating func changed(_ ticket: Int, _ version: ApplicationVersion) {
        guard phase == .running, let member = member(ticket), member.isActive else { return }
        applications.remember(version.key, configured: settings.applications)
        if applications.hasFailed(version) {
            actions.append(.reloadFailed(ticket: ticket, version))
            return
        }
        update(ticket) { $0.report(version) }
        if let round = rollout.round, round.version == version, ticket < round.change.staleBefore { return }
        let change = Rollout.Change(version: version, staleBefore: nextTicket)
        if let index = rollout.pending.firstIndex(where: { $0.version.key == version.key }) {
            if rollout.pending[index].version != version { rollout.pending[index] = change }
            rollout.pending[index].staleBefore = max(rollout.pending[index].staleBefore, ticket + 1)
        } else if rollout.pending.count < ControlLimits.applications {
            rollout.pending.append(change)
        } else {
            rollout.pending[0] = Rollout.Change(version: rollout.pending[0].version, staleBefore: nextTicket)
            actions.append(.reloadFailed(ticket: ticket, version))
        }
    }

    // MARK: One step at a time

    /// Whether a start is due as soon as the delay is over.
    var needsStart: Bool { activeCount < wanted || isReplacementDue }

    /// Brings the group to what it should be.
    mutating func settle(now: Int64) {
        guard phase == .running else { return }
        advanceRounds(now: now)
        guard now >= backoff.until else { return }
        if isReplacementDue {
            let required = rollout.round.map { [$0.version.key] } ?? []
            rollout.replacementIsForRound = rollout.round != nil
            rollout.replacement = start(required: required, now: now)
        }
        while activeCount < wanted { _ = start(required: [], now: now) }
    }

    private var activeCount: Int { processes.count { $0.isActive || settings.isService } }

    /// The number that the group has now, and one more while a replacement comes up beside the process it is for.
    private var wanted: Int {
        guard let ticket = rollout.replacement, let member = member(ticket), member.isActive, nextVictim != nil else {
            return scaling.size
        }
        return scaling.size + 1
    }

    private var isReplacementDue: Bool { rollout.replacement == nil && nextVictim != nil }

    /// Who is to be replaced next: in a round those that reported the change first, then the oldest.
    private var nextVictim: Int? {
        let candidates = processes.filter { $0.isActive && $0.ticket != rollout.replacement }
        guard let round = rollout.round else { return candidates.first { $0.isLeaving }?.ticket }
        let stale = candidates.filter { $0.ticket < round.change.staleBefore }
        let first = stale.first { $0.reported.contains(round.version) } ?? stale.first { $0.isLeaving }
        return (first ?? stale.first)?.ticket
    }

    // MARK: Rounds

    private mutating func advanceRounds(now: Int64) {
        while rollout.replacement == nil {
            if let round = rollout.round {
                // A process that has not seen yet that it is to drain may still answer with the old code.
                guard nextVictim == nil, !processes.contains(where: { $0.mayStillAnswer(now: now) }) else { return }
                finish(round, now: now)
            }
            guard !rollout.pending.isEmpty else { return }
            begin(rollout.pending.removeFirst(), now: now)
        }
    }

    private mutating func begin(_ change: Rollout.Change, now: Int64) {
        guard processes.contains(where: { $0.isActive && $0.ticket < change.staleBefore }) else { return }
        if let last = rollout.last, last.version == change.version, now - last.end < Delays.stable {
            rollout.last?.repeats += 1
            if last.repeats + 1 >= Delays.repeatedRounds {
                return abandon(change.version, "new processes report the same change again and again")
            }
        } else {
            rollout.last = nil
        }
        rollout.round = Rollout.Round(change: change)
        backoff.reset()
        let file = change.version.key.entryFile
        let text = "group '\(settings.name)': '\(file)' has changed, its processes are replaced one by one"
        actions.append(.log(.reloadStarted, text))
    }

    private mutating func finish(_ round: Rollout.Round, now: Int64) {
        rollout.round = nil
        rollout.last = (round.version, now, rollout.last?.repeats ?? 0)
        for index in processes.indices { processes[index].reported.removeAll { $0 == round.version } }
        let file = round.version.key.entryFile
        actions.append(.log(.reloadDone, "group '\(settings.name)': all processes run the new code of '\(file)'"))
    }

    /// Gives a change up: everybody who waits for it goes on with the code there is.
    private mutating func abandon(_ version: ApplicationVersion, _ reason: String) {
        applications.fail(version)
        rollout.pending.removeAll { $0.version == version }
        let file = version.key.entryFile
        let hasOld = processes.contains { $0.isActive && $0.served.contains(version.key) }
        let now =
            hasOld ? "the old code serves on" : "no process has older code of it: its requests are answered with 500"
        let text = "group '\(settings.name)': the new code of '\(file)' is not taken: \(reason); \(now)"
        actions.append(.log(.reloadFailed, text))
        let next = rollout.pending.first { $0.version.key == version.key }?.version
        for index in processes.indices where processes[index].isActive && processes[index].pid != nil {
            let ticket = processes[index].ticket
            let others = processes[index].reported.filter { $0.key == version.key && $0 != version && $0 != next }
            for released in [version] + others { actions.append(.reloadFailed(ticket: ticket, released)) }
            processes[index].reported.removeAll { $0.key == version.key && $0 != next }
        }
    }

    // MARK: The replacement

    mutating func replacementReady(_ ticket: Int) {
        guard phase == .running, rollout.replacement == ticket else { return }
        let victim = nextVictim
        rollout.replacement = nil
        rollout.round?.losses = 0
        guard let victim else { return }
        rollout.round?.replaced += 1
        drain(victim, member(victim)?.leaving ?? .scriptReload)
    }

    mutating func replacementLost(_ member: Member, failed: Bool) {
        guard rollout.replacement == member.ticket else { return }
        rollout.replacement = nil
        guard let round = rollout.round, rollout.replacementIsForRound else { return }
        rollout.round?.losses += 1
        guard failed || round.losses + 1 > Delays.replacementTries else { return }
        rollout.round = nil
        guard failed else { return abandon(round.version, "its processes keep ending before they are ready") }
        let other = member.refused.flatMap { $0.key == round.version.key ? nil : $0.key.entryFile }
        abandon(round.version, other.map { "'\($0)' can't be loaded beside it" } ?? "it can't be loaded")
    }
}
