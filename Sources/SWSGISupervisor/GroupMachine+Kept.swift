internal import SWSGIConfiguration
internal import SWSGIWire

// What some processes of a group serve, new ones must be able to: a process that comes while a file is broken, for whatever reason,
// would answer 500 where the others have the old code.
extension GroupMachine {
    /// Applications that processes which take work have loaded.
    var servedByOthers: [ApplicationKey] {
        var keys: [ApplicationKey] = []
        for member in processes where member.isActive && member.readyAt != nil {
            for key in member.served where !keys.contains(key) { keys.append(key) }
        }
        return Array(keys.prefix(ControlLimits.applications))
    }

    mutating func notLoaded(_ ticket: Int, _ version: ApplicationVersion, now: Int64) {
        update(ticket) { member in
            member.finishedLoading(version, now: now)
            member.refused = version
        }
    }

    /// A process has ended as it could not load what others serve.
    mutating func refused(_ member: Member, now: Int64) {
        // The round says itself that its code is not taken.
        if rollout.replacement == member.ticket, rollout.replacementIsForRound, rollout.round != nil { return }
        _ = backoff.failed(member, next: nextTicket, limit: Delays.restartMax, now: now, random: random)
        guard let version = member.refused, missing != version else { return }
        missing = version
        let text =
            "group '\(settings.name)': a new process can't load '\(version.key.entryFile)', which others serve, and ends; they serve on"
        actions.append(.log(.newProcessRefused, text))
    }
}
