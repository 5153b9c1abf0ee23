internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGISystem
internal import SWSGIWire

/// Seconds that the backtrace of a crash may take.
private let backtraceSeconds: UInt32 = 10

/// The life of a daemon process, from its start by the supervisor to its end; returns the exit code.
public func serve() -> Int32 {
    let channel = SupervisorChannel(socket: WorkerDescriptors.control)
    let plan: WorkerPlan
    do throws(Problem) {
        plan = try setUp(channel)
    } catch {
        channel.log(error)
        return WorkerExit.setup
    }
    if plan.threads == 0 { serveService(plan, channel) }
    let signals = SignalGuard(plan, channel)
    let applications = Applications(plan, channel, signals)
    for key in plan.required where !applications.load(key) { return WorkerExit.notLoaded }
    for key in plan.preload { applications.load(key) }
    CurrentProcess.releaseStartupCode()
    let threads = RequestThreads(
        count: Int(plan.threads),
        queue: WorkerDescriptors.queue,
        applications: applications,
        channel: channel,
        inactivityTimeout: plan.inactivityTimeout,
        limits: plan.deadlines
    )
    do throws(Errno) {
        try threads.start()
    } catch {
        channel.log(Problem(.setupFailed, "request threads can't be started: \(error)"))
        return WorkerExit.setup
    }
    channel.send(.ready)
    attend(channel, applications, threads, signals)
    applications.stop()
    CurrentProcess.end(WorkerExit.done)
}

private func setUp(_ channel: SupervisorChannel) throws(Problem) -> WorkerPlan {
    do throws(Errno) {
        try ControlThread.begin()
        try CrashHandlers.prepareThread()
        try CrashHandlers.install(
            control: channel.socket,
            record: WorkerMessage.crashing(signal: 0).bytes,
            signalOffset: WorkerMessage.crashSignalOffset,
            seconds: backtraceSeconds
        )
    } catch {
        throw Problem(.setupFailed, "signal handlers can't be installed: \(error)")
    }
    for descriptor in [WorkerDescriptors.queue, WorkerDescriptors.control] {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
    CurrentProcess.bufferOutputByLine()
    let message: SupervisorMessage?
    do throws(Malformed) {
        message = try channel.receive()
    } catch {
        throw Problem(.setupFailed, "the plan can't be read: \(error)")
    }
    guard case .configure(let plan) = message else { throw Problem(.setupFailed, "no plan came from the supervisor") }
    guard (0...CrashHandlers.runningLimit).contains(Int(plan.threads)) else {
        throw Problem(.setupFailed, "\(plan.threads) threads")
    }
    if let title = plan.displayName { CurrentProcess.setTitle(title) }
    guard plan.deadlines.requestTimeout > 0 else { return plan }
    do throws(Errno) {
        try ThreadLook.prepare()
    } catch {
        throw Problem(.setupFailed, "signal handlers can't be installed: \(error)")
    }
    return plan
}

/// Follows the supervisor and signals until every request thread has ended.
private func attend(
    _ channel: SupervisorChannel,
    _ applications: Applications,
    _ threads: RequestThreads,
    _ signals: SignalGuard
) {
    var isDraining = false
    var hasSupervisor = true
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        applications.drain()
        channel.send(.stopped)
    }
    while !threads.haveEnded {
        if isDraining { threads.drain() }
        if !isDraining, threads.areInactive() {
            channel.log(.info, "nothing to do for the time of inactivity-timeout; asks to be replaced")
            channel.send(.leaving(signal: 0))
        }
        if threads.lookForLateThreads(), !isDraining { channel.send(.leaving(signal: 0)) }
        endIfOnlyStuckThreadsAreLeft(channel, threads)
        // While draining, threads that were about to wait are interrupted again until they have seen it.
        switch ControlThread.wait(
            hasSupervisor ? channel.socket : -1,
            milliseconds: isDraining ? 2 : threads.nextLook
        ) {
        case .signal(let number):
            channel.send(.leaving(signal: number))
        case .nothing:
            applications.expire()
            signals.check()
        case .readable:
            switch try? channel.receive() {
            case .drain: drain()
            case .reloadFailed(let version): applications.giveUp(version)
            // The supervisor has gone, or makes no sense: a new one has processes of its own.
            case .configure, nil:
                hasSupervisor = false
                drain()
            case .ask(let number): channel.send(.answer(number))
            }
        }
    }
    applications.drain()
}

/// A thread can't be ended: with nothing else to wait for the process ends at once, and calls nothing that might wait for it.
private func endIfOnlyStuckThreadsAreLeft(_ channel: SupervisorChannel, _ threads: RequestThreads) {
    let rest = threads.stuckRest
    guard rest > 0 else { return }
    let text = "process \(getpid()) ends with \(rest) request threads that have not come back"
    channel.log(Problem(.endsWithStuckThreads, text))
    _exit(WorkerExit.done)
}
