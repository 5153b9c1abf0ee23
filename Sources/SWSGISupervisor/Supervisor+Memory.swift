internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

// Looking at the memory of daemon processes, for groups that limit it.
extension Supervisor {
    /// Looks about once a second; one small read for each process of such a group.
    func measureMemory() {
        guard let time = nextMeasurement, time <= Clock.monotonic else { return }
        nextMeasurement = Clock.monotonic.adding(Delays.second)
        for worker in processes.values where groups[worker.group].plan.recycling.rssLimit > 0 {
            guard let bytes = ProcessWatch.residentMemory(of: worker.pid) else { continue }
            tell(worker.group, .memory(ticket: worker.ticket, bytes))
        }
    }
}
