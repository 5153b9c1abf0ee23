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
    let takers: TakersPage
    do throws(Problem) {
        plan = try setUp(channel)
        takers = try takersPage()
    } catch {
        channel.log(error)
        return WorkerExit.setup
    }
    if plan.threads == 0 { serveService(plan, channel) }
    let signals = SignalGuard(plan, channel)
    let main = MainThread()
    let applications = Applications(plan, channel, signals, main)
    for key in plan.required where !applications.load(key) { return WorkerExit.notLoaded }
    for key in plan.kept where !applications.load(key) && FileIdentity(path: key.entryFile) != nil {
        return WorkerExit.notLoaded
    }
    // Of a directory, requests choose the entry files.
    for key in plan.preload where !isDirectory(key.entryFile) { applications.load(key) }
    CurrentProcess.releaseStartupCode()
    let threads = RequestThreads(
        count: Int(plan.threads),
        queue: WorkerDescriptors.queue,
        takers: takers,
        applications: applications,
        channel: channel,
        inactivityTimeout: plan.inactivityTimeout,
        limits: plan.deadlines,
        maximumRequests: plan.limits.requests
    )
    do throws(Errno) {
        try threads.start(stack: Int(clamping: plan.surroundings.stackSize))
    } catch {
        channel.log(Problem(.setupFailed, "request threads can't be started: \(error)"))
        return WorkerExit.setup
    }
    channel.send(.ready)
    control(Attendant(channel, applications, threads, signals, main), main, plan)
}

/// The rest of the life of a daemon process: on this thread, or on one of its own when the main thread is wanted.
private func control(_ attendant: Attendant, _ main: MainThread, _ plan: WorkerPlan) -> Never {
    var attendant = attendant
    while !attendant.attend() {
        do throws(Errno) {
            let moved = attendant
            main.free()
            try startThread(stack: Int(clamping: plan.surroundings.stackSize)) {
                try? ControlThread.begin()
                try? CrashHandlers.prepareThread()
                control(moved, main, plan)
            }
            main.run()
        } catch {
            main.refuse()
        }
    }
    CurrentProcess.end(WorkerExit.done)
}

private func setUp(_ channel: SupervisorChannel) throws(Problem) -> WorkerPlan {
    do throws(Errno) {
        try ControlThread.begin()
        try CrashHandlers.prepareThread()
        try ForkedProcess.watch()
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
    try enter(plan.surroundings, channel)
    do throws(Errno) {
        if plan.deadlines.requestTimeout > 0 { try ThreadLook.prepare() }
    } catch {
        throw Problem(.setupFailed, "signal handlers can't be installed: \(error)")
    }
    do throws(Errno) {
        guard plan.limits.cpuTime > 0 else { return plan }
        try CurrentProcess.limitProcessorTime(plan.limits.cpuTime, most: plan.limits.cpuTimeMax)
    } catch {
        throw Problem(.setupFailed, "cpu-time-limit can't be set: \(error)")
    }
    return plan
}

/// Mapped before an application is there, which finds no descriptor of it.
private func takersPage() throws(Problem) -> TakersPage {
    do throws(Errno) {
        let memory = try Memory.adopt(WorkerDescriptors.takers)
        return TakersPage(memory.address, bytes: memory.bytes)
    } catch {
        throw Problem(.setupFailed, "the page of who has taken what can't be mapped: \(error)")
    }
}

private func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
