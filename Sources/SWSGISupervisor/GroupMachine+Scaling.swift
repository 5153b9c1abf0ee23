internal import SWSGIConfiguration
internal import SWSGIWire

// `processes=2-8`: the group grows by one process when requests wait for half a second although all its processes are ready, and
// shrinks by one when, for half a minute, half of the threads of the others would have been enough on an average of some
// seconds. One step at a time: the times begin anew with each, and a step waits for a replacement that is under way.
extension GroupMachine {
    /// The number of processes that the group has now, and what speaks for another one.
    struct Scaling {
        var size: Int
        /// Exchanges that are outstanding, in 1/1024, as an average of about four seconds.
        var average: Int64 = 0
        var busySince: Int64?
        var idleSince: Int64?
    }

    private var most: Int { max(settings.processes, Int(settings.recycling.processesMax)) }

    mutating func measuredLoad(_ outstanding: Int64, now: Int64) {
        guard phase == .running, most > settings.processes, rollout.replacement == nil else { return }
        // httpd's children write that number: any is possible.
        let outstanding = min(max(outstanding, 0), 1_000_000)
        scaling.average += (outstanding * 1024 - scaling.average) / 16
        grow(outstanding, now: now)
        shrink(now: now)
    }

    private mutating func grow(_ outstanding: Int64, now: Int64) {
        let ready = processes.count { $0.isActive && $0.readyAt != nil }
        // One that is coming up may be enough.
        guard outstanding > Int64(ready * settings.threads), ready >= scaling.size, scaling.size < most else {
            scaling.busySince = nil
            return
        }
        guard isOver(&scaling.busySince, Delays.growth, now: now) else { return }
        scaling.size += 1
        note("requests wait")
    }

    private mutating func shrink(now: Int64) {
        let others = Int64((scaling.size - 1) * settings.threads)
        guard scaling.size > settings.processes, scaling.average * 2 <= others * 1024 else {
            scaling.idleSince = nil
            return
        }
        guard isOver(&scaling.idleSince, Delays.shrinking, now: now) else { return }
        scaling.size -= 1
        note("its processes have little to do")
        let active = processes.filter(\.isActive)
        guard active.count > scaling.size, let victim = active.first(where: \.isLeaving) ?? active.last else { return }
        drain(victim.ticket, victim.leaving ?? .idleGroup)
    }

    /// Whether a time has passed since `since`; if so, or if there was none, it begins anew.
    private func isOver(_ since: inout Int64?, _ time: Int64, now: Int64) -> Bool {
        let begin = since ?? now
        since = begin
        guard now - begin >= time else { return false }
        since = nil
        return true
    }

    private mutating func note(_ reason: String) {
        actions.append(.note("group '\(settings.name)': \(reason); \(scaling.size) processes from now on"))
    }
}
