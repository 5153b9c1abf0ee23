internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

// Why processes are to be replaced though nothing is wrong with them, and how long the old ones may take to go.
//
// Whatever the reason, it only marks the process: it serves until the rollout comes to it, one process at a time.
extension GroupMachine {
    mutating func leaving(_ ticket: Int, _ reason: StopReason) {
        guard phase == .running, let member = member(ticket), member.isActive, !member.isLeaving else { return }
        let isEviction = reason == .gracefulSignal && settings.recycling.evictionTimeout != nil
        let reason = isEviction ? .evictionSignal : reason
        update(ticket) { $0.leaving = reason }
        actions.append(.note("\(who(member)) is to be replaced: \(reason.name)"))
        endService(ticket)
    }

    mutating func measured(_ ticket: Int, _ bytes: Int64, now: Int64) {
        let limit = settings.recycling.rssLimit
        guard limit > 0, bytes > limit, let member = member(ticket), member.isActive, !member.isLeaving,
            // One that is too large from the beginning must not be replaced without a pause.
            let readyAt = member.readyAt, now - readyAt >= Delays.memoryAge
        else { return }
        let text =
            "has \(bytes >> 20) MiB of resident memory, more than rss-limit (\(limit >> 20) MiB), and is replaced"
        actions.append(.log(.memoryReplaced, "\(who(member)) \(text)"))
        leaving(ticket, .rssLimit)
    }

    // MARK: Lots

    /// What a process may use; each draws its own lot.
    func limits(of ticket: Int) -> WorkerLimits {
        let recycling = settings.recycling
        var limits = WorkerLimits()
        if recycling.maximumRequests > 0 {
            let jitter = share(of: Int64(recycling.maximumRequestsJitter), ticket)
            limits.requests = recycling.maximumRequests + UInt32(truncatingIfNeeded: jitter)
        }
        if recycling.cpuTimeLimit > 0 {
            limits.cpuTime = recycling.cpuTimeLimit
            // As mod_wsgi: the time that it may take to go, and one second more.
            let rest = settings.shutdownTimeout / Delays.second
            limits.cpuTimeMax = recycling.cpuTimeLimit + 1 + UInt32(clamping: rest)
        }
        limits.isRunOnce = settings.threads == 1 && recycling.maximumRequests == 1
        return limits
    }

    /// How old a process may become, in nanoseconds.
    func age(of ticket: Int) -> Int64? {
        let recycling = settings.recycling
        guard recycling.restartInterval > 0 else { return nil }
        return nanoseconds(recycling.restartInterval + share(of: recycling.restartIntervalJitter, ticket))
    }

    /// A part of `whole`, from 0 to all of it, that differs between processes which are started at once.
    private func share(of whole: Int64, _ ticket: Int) -> Int64 {
        var lot = random &+ UInt32(truncatingIfNeeded: ticket) &* 0x9E37_79B9
        lot = (lot ^ lot >> 16) &* 0x85EB_CA6B
        return whole / 1023 * Int64(lot >> 22) + whole % 1023 * Int64(lot >> 22) / 1023
    }

    private func nanoseconds(_ microseconds: Int64) -> Int64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product
    }

    // MARK: Drains

    /// How long a process may go on when it drains for this reason, in nanoseconds; nil: as long as its exchanges take.
    func patience(with reason: StopReason) -> Int64? {
        guard phase == .running else { return nil }
        let isSignal = reason == .evictionSignal || reason == .gracefulSignal
        let limit = isSignal ? settings.recycling.evictionTimeout : nil
        return (limit ?? settings.recycling.gracefulTimeout).map(nanoseconds)
    }

    /// Only the applications' good-bye is still to come.
    mutating func finished(_ ticket: Int, now: Int64) {
        guard member(ticket)?.isDraining == true else { return }
        let limit = now.adding(settings.shutdownTimeout)
        update(ticket) { member in
            member.hasFinished = true
            member.cancelAt = nil
            member.lostAt = min(member.lostAt ?? .max, limit)
        }
    }

    mutating func recyclingDeadlines(of member: Member, now: Int64) {
        if let lostAt = member.lostAt, lostAt <= now {
            lose(member, now: now)
        } else if let cancelAt = member.cancelAt, cancelAt <= now {
            let limit = now.adding(settings.shutdownTimeout)
            update(member.ticket) { member in
                member.cancelAt = nil
                member.lostAt = limit
            }
            actions.append(.note("\(who(member)): the time to finish is over, its requests are cancelled"))
            actions.append(.cancel(ticket: member.ticket))
        } else if let replaceAt = member.replaceAt, replaceAt <= now {
            update(member.ticket) { $0.replaceAt = nil }
            leaving(member.ticket, .restartInterval)
        }
    }

    func recyclingTimes(of member: Member) -> [Int64?] { [member.lostAt, member.cancelAt, member.replaceAt] }

    private mutating func lose(_ member: Member, now: Int64) {
        let limit = "within shutdown-timeout (\(seconds(settings.shutdownTimeout)))"
        if member.hasFinished {
            return killNow(
                member.ticket,
                .processKilled,
                "has no more requests, did not end \(limit) and is killed",
                now: now
            )
        }
        let lines = member.running.map { "\"\(LogText.escaped($0.utf8))\"" }
        let lost = lines.isEmpty ? "requests that it does not name" : lines.joined(separator: ", ")
        killNow(
            member.ticket,
            .drainKilled,
            "did not finish its cancelled requests \(limit) and is killed; lost: \(lost)",
            now: now
        )
    }
}
