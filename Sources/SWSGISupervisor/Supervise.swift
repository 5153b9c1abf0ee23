internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// Runs the supervisor of one httpd generation; returns the program's exit status.
///
/// httpd's parent has started this program with the descriptors of `SupervisorDescriptors`.
public func supervise() -> Int32 {
    do throws(SetupFailure) {
        try prepareDescriptors()
        let plan = try readPlan()
        let parent = try watchParent(plan.parent)
        let bytes = EndsPage.size(groups: plan.groups.count)
        let page = try step("mapping the page of ended processes") { () throws(Errno) in
            try Memory.map(SupervisorDescriptors.ends, bytes: bytes, writable: true)
        }
        let counted = try step("mapping what httpd's children count") { () throws(Errno) in
            let bytes = OutstandingPage.size(groups: plan.groups.count)
            return try Memory.map(SupervisorDescriptors.outstanding, bytes: bytes, writable: false)
        }
        let pages = (EndsPage(page, groups: plan.groups.count), OutstandingPage(counted, groups: plan.groups.count))
        remarkCapabilities(plan)
        let supervisor = try makeSupervisor(plan, pages, parent)
        supervisor.run()
        return 0
    } catch {
        guard case .failed(let text) = error else { return 0 }
        GroupLog(descriptor: SupervisorDescriptors.log, limit: LogLevel.notice.rawValue).write(.supervisorFailed, text)
        return 1
    }
}

/// Why there is nothing to supervise.
private enum SetupFailure: Error {
    case parentGone
    case failed(String)
}

private func step<Result: ~Copyable>(_ name: String, _ body: () throws(Errno) -> Result) throws(SetupFailure) -> Result
{
    do {
        return try body()
    } catch {
        throw .failed("\(name): \(error)")
    }
}

/// Nothing of ours reaches a daemon process by accident.
private func prepareDescriptors() throws(SetupFailure) {
    signal(SIGPIPE, SIG_IGN)
    Orphans.adopt()
    for number in SupervisorDescriptors.plan...SupervisorDescriptors.program {
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { throw .failed("descriptor \(number) is not open") }
    }
}

private func readPlan() throws(SetupFailure) -> SupervisorPlan {
    guard Memory.isSealed(SupervisorDescriptors.plan) else { throw .failed("the plan is not sealed memory") }
    let bytes = try step("reading the plan") { () throws(Errno) in
        try Memory.read(SupervisorDescriptors.plan, limit: 64 * 1024 * 1024)
    }
    close(SupervisorDescriptors.plan)
    let plan: SupervisorPlan
    do {
        plan = try bytes.withUnsafeBytes { bytes throws(Malformed) in try SupervisorPlan(bytes) }
    } catch {
        throw .failed("reading the plan: \(error)")
    }
    for index in plan.groups.indices {
        for number in SupervisorDescriptors.queue(ofGroup: index)...SupervisorDescriptors.takers(ofGroup: index) {
            guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { throw .failed("descriptor \(number) is not open") }
        }
    }
    return plan
}

/// Watches httpd's parent; it may have gone before we could.
private func watchParent(_ pid: Int32) throws(SetupFailure) -> Descriptor {
    let parent: Descriptor
    do {
        parent = try ProcessWatch.descriptor(of: pid)
    } catch {
        guard error.code == ESRCH else { throw .failed("watching httpd's parent: \(error)") }
        throw .parentGone
    }
    guard getppid() == pid else { throw .parentGone }
    return parent
}

private func makeSupervisor(
    _ plan: SupervisorPlan,
    _ pages: (ends: EndsPage, outstanding: OutstandingPage),
    _ parent: consuming Descriptor
) throws(SetupFailure) -> Supervisor {
    let signals = try step("taking signals") { () throws(Errno) in
        try SignalQueue([SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2])
    }
    do {
        return try Supervisor(
            plan,
            ends: pages.ends,
            outstanding: pages.outstanding,
            signals: signals,
            parent: parent
        )
    } catch {
        throw .failed("making a directory for snapshots in \(plan.snapshotBase): \(error)")
    }
}

/// Says what will not work, before it does not: root in a container may be less than root.
private func remarkCapabilities(_ plan: SupervisorPlan) {
    guard plan.groups.contains(where: \.changesIdentity) else { return }
    let start = "no process of a group with a user of its own can be started"
    var needs: [(capability: Capability, without: String)] = [
        (.chown, start), (.setgid, start), (.setuid, start),
        (.kill, "processes that do not end by themselves can't be killed"),
        (
            .dacOverride,
            "copies of bundles are not removed when their processes have ended, and an environment-file= must be readable for root"
        ),
    ]
    if plan.groups.contains(where: { $0.surroundings.root != nil }) { needs.append((.sysChroot, "chroot= fails")) }
    if plan.groups.contains(where: { $0.surroundings.priority < 0 }) { needs.append((.sysNice, "cpu-priority= fails")) }
    let log = GroupLog(descriptor: SupervisorDescriptors.log, limit: LogLevel.notice.rawValue)
    for need in needs where !need.capability.isHeld {
        log.write(.capabilityMissing, "\(need.without); \(need.capability.remedy)")
    }
}
