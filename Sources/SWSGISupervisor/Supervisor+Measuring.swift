internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

// Looking at the memory of daemon processes, and at the load of groups, where that has consequences.
extension Supervisor {
    /// What is looked at, and when next; nil: never.
    struct Measuring {
        var memoryAt: Int64?
        var loadAt: Int64?

        init(_ plan: SupervisorPlan) {
            let now = Clock.monotonic
            if plan.groups.contains(where: { $0.recycling.rssLimit > 0 }) { memoryAt = now }
            if plan.groups.contains(where: { $0.recycling.processesMax > $0.processes }) { loadAt = now }
        }

        var next: Int64? { [memoryAt, loadAt].compactMap(\.self).min() }
    }

    func measure() {
        let now = Clock.monotonic
        if let time = measuring.memoryAt, time <= now {
            measuring.memoryAt = now.adding(Delays.memoryLooks)
            measureMemory()
        }
        if let time = measuring.loadAt, time <= now {
            measuring.loadAt = now.adding(Delays.loadLooks)
            measureLoad()
        }
    }

    /// One small read for each process of a group that limits its memory.
    private func measureMemory() {
        for worker in processes.values where groups[worker.group].plan.recycling.rssLimit > 0 {
            guard let bytes = ProcessWatch.residentMemory(of: worker.pid) else { continue }
            tell(worker.group, .memory(ticket: worker.ticket, bytes))
        }
    }

    /// One load from memory for each group that grows and shrinks.
    private func measureLoad() {
        for (index, group) in groups.enumerated() where group.plan.recycling.processesMax > group.plan.processes {
            tell(index, .load(outstanding: outstanding.outstanding(index)))
        }
    }
}
