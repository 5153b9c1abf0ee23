internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGISystem
internal import SWSGIWire

/// Seconds that a service has to end when nobody is left who could end it.
private let orphanSeconds: UInt32 = 10

/// The life of a daemon process with `threads=0`: one service, on the main thread.
func serveService(_ plan: WorkerPlan, _ channel: SupervisorChannel) -> Never {
    guard let key = plan.preload.first else {
        channel.log(Problem(.setupFailed, "there is no service to run"))
        CurrentProcess.end(WorkerExit.setup)
    }
    let version = ApplicationVersion(key: key, identity: FileIdentity(path: key.entryFile) ?? .none)
    channel.send(.loading(version))
    let service: Service
    do throws(Problem) {
        service = try load(key, plan, channel)
        try follow(channel)
    } catch {
        channel.log(error)
        channel.send(.notLoaded(version))
        CurrentProcess.end(WorkerExit.notLoaded)
    }
    channel.send(.loaded(service.version))
    channel.log(.info, "runs the service of \(key.entryFile) (\(service.sdk))")
    channel.send(.ready)
    CurrentProcess.end(service.run() == 0 ? WorkerExit.done : WorkerExit.serviceFailed)
}

private func load(_ key: ApplicationKey, _ plan: WorkerPlan, _ channel: SupervisorChannel) throws(Problem) -> Service {
    // Two levels below: a library in '$ORIGIN/../lib' has its place inside this bundle's part.
    var directory = plan.snapshots
    for name in ["1", "bundle", "bin"] {
        directory += "/" + name
        guard mkdir(directory, 0o700) == 0 else {
            throw Problem(.snapshotFailed, "directory \(directory) can't be made: \(Errno.last)")
        }
    }
    let facts = HostFacts(
        processGroup: plan.group,
        threads: 0,
        processes: plan.processes,
        isMultiprocess: plan.isMultiprocess
    )
    let ownership = plan.surroundings.ownership
    return try Service(key: key, facts: facts, directory: directory, ownership: ownership) { level, text in
        for line in text.split(separator: "\n") { channel.log(level, String(line)) }
    }
}

/// Starts the thread that listens to the supervisor and to signals, as the main thread has other work.
private func follow(_ channel: SupervisorChannel) throws(Problem) {
    do throws(Errno) {
        try startThread {
            try? ControlThread.begin()
            while listen(channel) {}
            Service.stop()
            sleep(orphanSeconds)
            _exit(WorkerExit.done)
        }
    } catch {
        throw Problem(.setupFailed, "a thread can't be started: \(error)")
    }
}

/// Takes what comes; false: the supervisor has gone.
private func listen(_ channel: SupervisorChannel) -> Bool {
    switch ControlThread.wait(channel.socket, milliseconds: -1) {
    case .signal(let number): leave(channel, Int32(number))
    case .nothing: break
    case .readable:
        switch try? channel.receive() {
        case .drain, .cancel: Service.stop()
        case .ask(let number): channel.send(.answer(number))
        case .reloadFailed, .signal: break
        case .configure, nil: return false
        }
    }
    return true
}

private func leave(_ channel: SupervisorChannel, _ signal: Int32) {
    switch signal {
    case SIGTERM, SIGINT: channel.send(.leaving(.shutdownSignal))
    case SIGUSR1: channel.send(.leaving(.gracefulSignal))
    case SIGXCPU: channel.send(.leaving(.cpuTimeLimit))
    default: break
    }
}
