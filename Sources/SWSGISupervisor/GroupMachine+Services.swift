internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

// Groups with threads=0. There is never one more than configured: what a service does, it may have to do alone. So a process
// ends first, and then the next one is started.
extension GroupMachine {
    /// Tells a service to end whose process is to be replaced.
    mutating func endService(_ ticket: Int) {
        guard settings.isService, phase == .running, let member = member(ticket), member.isActive else { return }
        drain(ticket, member.leaving ?? .shutdownSignal)
    }

    /// When a service that was told to end is killed; nil: it was not.
    func serviceLimit(_ member: Member) -> Int64? {
        guard settings.isService, phase == .running, member.isDraining, !member.isKilled else { return nil }
        // It was told one such time before.
        return member.stopsBy?.adding(settings.shutdownTimeout - Delays.silence)
    }

    /// A service that has done its work is no failure; how often that happens still delays the next start.
    mutating func noteEndOfService(_ member: Member, _ end: ProcessEnd, now: Int64) -> Bool {
        guard settings.isService, end == .exited(WorkerExit.done) else { return false }
        let text = "\(who(member)): its service has returned after \(seconds(now - member.startedAt))"
        actions.append(.note(text + "; it is started again"))
        return true
    }
}
