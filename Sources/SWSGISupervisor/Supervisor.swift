internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// All daemon processes of one generation: one thread, one loop.
///
/// Each turn goes in one order: signals, ended processes, deadlines, messages, output, starts. What is to happen is decided
/// by each group's `GroupMachine`; here it is done. Nothing that a daemon process does, or leaves undone, is waited for.
final class Supervisor {
    /// A group with what belongs to it.
    struct Group {
        let plan: GroupPlan
        let index: Int
        let queue: Int32
        let log: GroupLog
        var machine: GroupMachine
        var isQueueOpen = true
        var launches: [GroupMachine.Launch] = []
        /// While it is broken: when the next attempt is due, since when (wall clock), and until when requests in its queue are
        /// refused.
        var retryAt: Int64?
        var brokenSince: Int64 = 0
        var refusesUntil: Int64 = 0
    }

    /// How much one process may occupy one turn.
    private enum Share {
        static let messages = 64
        static let lastMessages = 4096
        static let output = 64 * 1024
        static let lastOutput = 1024 * 1024
        static let removals = 1024
    }

    let plan: SupervisorPlan
    let snapshots: SnapshotDirectory
    /// Those of groups with a root directory of their own.
    var jails: [Int: SnapshotDirectory] = [:]
    var groups: [Group]
    var processes: [Int32: WorkerHandle] = [:]
    let ends: EndsPage
    let outstanding: OutstandingPage
    var measuring: Measuring
    private let signals: SignalQueue
    private let parent: Descriptor
    private var isParentAlive = true
    let buffer: UnsafeMutableRawBufferPointer

    init(
        _ plan: SupervisorPlan,
        ends: EndsPage,
        outstanding: OutstandingPage,
        signals: consuming SignalQueue,
        parent: consuming Descriptor
    ) throws(Errno) {
        self.plan = plan
        self.ends = ends
        self.outstanding = outstanding
        measuring = Measuring(plan)
        self.signals = signals
        self.parent = parent
        buffer = .allocate(byteCount: ControlLimits.message, alignment: 16)
        groups = plan.groups.enumerated().map { Group(plan: $1, index: $0) }
        SnapshotDirectory.removeAbandoned(base: plan.snapshotBase)
        snapshots = try SnapshotDirectory(base: plan.snapshotBase)
    }

    deinit {
        buffer.deallocate()
    }

    /// Works until all processes have ended.
    func run() {
        // Another supervisor may have left its own view of things.
        for index in groups.indices { ends.setBroken(nil, group: index) }
        for index in groups.indices { tell(index, .begin) }
        startLaunches()
        while !groups.allSatisfy(\.machine.isFinished) { turn() }
        Orphans.kill(within: 2 * Delays.second)
        for directory in allSnapshots { directory.removeAll() }
    }

    private func turn() {
        // The signals come first: a process that ended because its queue did is then seen after its queue's end.
        var polled = PollList()
        let signalPlace = polled.add(signals.number, POLLIN)
        let parentPlace = isParentAlive ? polled.add(parent.number, POLLIN) : nil
        let now = Clock.monotonic
        let isFull = groups.map { $0.log.isFull(now: now) }
        let workers = processes.values.map { worker in
            (
                worker: worker, control: worker.isControlOpen ? polled.add(worker.controlNumber, POLLIN) : nil,
                outputs: isFull[worker.group]
                    ? [] : worker.outputs.map { $0.isOpen ? polled.add($0.number, POLLIN) : nil }
            )
        }
        let logs = groups.map { group in group.log.waiting.map { polled.add($0, POLLOUT) } }
        let queues = groups.map { $0.isQueueOpen ? polled.add($0.queue, queueEvents($0, now: now)) : nil }
        polled.wait(until: nextTurn)

        if polled.isReady(signalPlace) { takeSignals() }
        if polled.isReady(parentPlace) { parentEnded() }
        for (index, place) in queues.enumerated() where polled.isReady(place) {
            if polled.isReadable(place) { queueWaits(index) } else { queueEnded(index) }
        }
        reap()
        measure()
        for index in groups.indices where (groups[index].machine.nextDeadline ?? .max) <= Clock.monotonic {
            tell(index, .deadline)
        }
        for (group, place) in zip(groups, logs) where polled.isReady(place) || group.log.isDue { group.log.flush() }
        for (worker, control, _) in workers where polled.isReady(control) && processes[worker.pid] === worker {
            takeMessages(worker, limit: Share.messages)
        }
        for (worker, _, outputs) in workers where processes[worker.pid] === worker {
            for (output, place) in zip(worker.outputs, outputs) where polled.isReady(place) {
                noticeMisuse(worker, output)
                log(worker, output, output.read(limit: Share.output))
            }
        }
        startLaunches()
        for directory in allSnapshots where directory.hasLeftovers { directory.removeMore(entries: Share.removals) }
    }

    private var nextTurn: Int64? {
        // A start that failed has asked for another one, which nothing else would wake this loop for.
        let isBusy = allSnapshots.contains(where: \.hasLeftovers) || groups.contains { !$0.launches.isEmpty }
        if isBusy { return Clock.monotonic }
        let now = Clock.monotonic
        let times = groups.flatMap { [$0.machine.nextDeadline, $0.log.nextTurn(now: now)] } + [measuring.next]
        return times.compactMap(\.self).min()
    }

    // MARK: What happens

    private func takeSignals() {
        while let signal = signals.next() {
            switch signal {
            case SIGTERM, SIGINT: for index in groups.indices { tell(index, .stop) }
            case SIGUSR1: for index in groups.indices { tell(index, .replaceAll) }
            // For the applications of all processes; not as a signal: they may have set it back to ending the process.
            case SIGHUP, SIGUSR2:
                for worker in processes.values { _ = worker.send(.signal(UInt8(clamping: signal))) }
            default: break
            }
        }
    }

    private func parentEnded() {
        isParentAlive = false
        for index in groups.indices { tell(index, .orphaned) }
    }

    private func queueEnded(_ index: Int) {
        groups[index].isQueueOpen = false
        tell(index, .generationEnded)
    }

    /// Processes are looked for in every turn: a signal that comes while another is pending is not delivered twice.
    private func reap() {
        var ended: [(worker: WorkerHandle, end: ProcessEnd)] = []
        // Whatever of its session is left is killed: a backtrace program that lingers, and with it what the application
        // itself has started and not detached.
        while let (pid, end, status) = ProcessWatch.reap(ownsGroup: { processes[$0] != nil }) {
            guard let worker = processes.removeValue(forKey: pid) else { continue }
            if !worker.hasRecordedEnd {
                let record = RecordedEnd(time: Clock.monotonic, pid: pid, waitStatus: status)
                ends.record(record, group: worker.group)
            }
            ended.append((worker, end))
        }
        guard !ended.isEmpty else { return }
        // A process may have ended because its generation has: ask again, as that was earlier.
        var polled = PollList()
        let queues = groups.map { $0.isQueueOpen ? polled.add($0.queue, PollList.hangUp) : nil }
        polled.wait(until: 0)
        for (index, place) in queues.enumerated() where polled.isReady(place) { queueEnded(index) }
        for (worker, end) in ended { finish(worker, end) }
    }

    /// First what it had to say, then that it has ended.
    private func finish(_ worker: WorkerHandle, _ end: ProcessEnd) {
        takeMessages(worker, limit: Share.lastMessages, isLast: true)
        for output in worker.outputs {
            noticeMisuse(worker, output)
            log(worker, output, output.read(limit: Share.lastOutput))
            if let rest = output.finish() { log(worker, output, [rest]) }
        }
        tell(worker.group, .ended(ticket: worker.ticket, end))
        removeSnapshots(worker.directory, of: worker.group)
    }

    private func takeMessages(_ worker: WorkerHandle, limit: Int, isLast: Bool = false) {
        for _ in 0..<limit {
            switch worker.receive(buffer) {
            case .nothing: return
            case .message(.log(let level, let text)): log(worker, level: level, text)
            case .message(let message):
                if case .crashing(let signal) = message { recordCrash(worker, signal) }
                if let event = event(worker.ticket, message) { tell(worker.group, event) }
            case .closed:
                if !isLast { tell(worker.group, .silent(ticket: worker.ticket)) }
                return
            case .malformed(let what):
                if !isLast { tell(worker.group, .misbehaved(ticket: worker.ticket, what: what)) }
                return
            }
        }
    }

    /// Its exchanges have ended already, so their log lines must not wait for the end of its backtrace.
    private func recordCrash(_ worker: WorkerHandle, _ signal: UInt8) {
        guard !worker.hasRecordedEnd else { return }
        worker.hasRecordedEnd = true
        let record = RecordedEnd(time: Clock.monotonic, pid: worker.pid, waitStatus: Int32(signal & 0x7f))
        ends.record(record, group: worker.group)
    }

    private func event(_ ticket: Int, _ message: WorkerMessage) -> GroupMachine.Event? {
        switch message {
        case .ready: .ready(ticket: ticket)
        case .loading(let version): .loading(ticket: ticket, version)
        case .loaded(let version): .loaded(ticket: ticket, version)
        case .notLoaded(let version): .notLoaded(ticket: ticket, version)
        case .changed(let version): .changed(ticket: ticket, version)
        case .stopped: .stopped(ticket: ticket)
        case .crashing(let signal): .crashing(ticket: ticket, signal: Int32(signal))
        case .leaving(let reason): .leaving(ticket: ticket, reason)
        case .running(let lines): .running(ticket: ticket, lines)
        case .finished: .finished(ticket: ticket)
        case .answer(let number): .answered(ticket: ticket, number)
        case .log: nil
        }
    }

    // MARK: What is done

    /// Tells a group's machine, and does what it answers; starts come last in the turn.
    func tell(_ index: Int, _ event: GroupMachine.Event) {
        let actions = groups[index].machine.handle(event, now: Clock.monotonic, random: .random(in: 0...(.max)))
        for action in actions { perform(action, group: index) }
    }

    private func perform(_ action: GroupMachine.Action, group index: Int) {
        switch action {
        case .start(let launch): groups[index].launches.append(launch)
        case .drain(let ticket, let reason): send(.drain(reason), group: index, ticket: ticket)
        case .cancel(let ticket): send(.cancel, group: index, ticket: ticket)
        case .ask(let ticket, let number): send(.ask(number), group: index, ticket: ticket)
        case .reloadFailed(let ticket, let version): send(.reloadFailed(version), group: index, ticket: ticket)
        case .kill(let ticket): kill(index, ticket)
        case .broken(let retryAt): setBroken(index, retryAt)
        case .log(let code, let text): groups[index].log.write(code, text)
        case .note(let text): groups[index].log.note(text)
        }
    }

    private func kill(_ group: Int, _ ticket: Int) {
        guard let worker = worker(group, ticket), let error = worker.kill() else { return }
        let text = "group '\(groups[group].plan.name)': process \(worker.pid) can't be killed"
        groups[group].log.write(.capabilityMissing, "\(text): \(Capability.kill.explain(error))")
    }

    private func worker(_ group: Int, _ ticket: Int) -> WorkerHandle? {
        processes.values.first { $0.group == group && $0.ticket == ticket }
    }

    private func send(_ message: SupervisorMessage, group: Int, ticket: Int) {
        guard let worker = worker(group, ticket), !worker.send(message) else { return }
        tell(group, .deaf(ticket: ticket))
    }

    // MARK: Log lines of processes

    private func log(_ worker: WorkerHandle, _ output: WorkerHandle.Output, _ lines: [String]) {
        let group = groups[worker.group]
        for line in lines where !line.isEmpty {
            if !group.log.shows(output.level), !worker.hasHiddenOutput {
                worker.hasHiddenOutput = true
                let text = "group '\(group.plan.name)': process \(worker.pid) prints at level \(output.level.name)"
                group.log.write(.outputHidden, text + ", which LogLevel hides; its first line: \(line)")
            }
            group.log.write(output.level, pid: worker.pid, group: group.plan.name, line)
        }
    }

    private func noticeMisuse(_ worker: WorkerHandle, _ output: WorkerHandle.Output) {
        guard output.wasMisused() else { return }
        let group = groups[worker.group]
        let text =
            "group '\(group.plan.name)': process \(worker.pid) wrote to its standard output, which WSGIRestrictStdout closes"
        group.log.write(.outputRestricted, text + "; use the request's error stream or standard error")
    }

    private func log(_ worker: WorkerHandle, level: UInt8, _ text: String) {
        let group = groups[worker.group]
        let level = LogLevel(rawValue: min(max(level, 3), 7)) ?? .error
        group.log.write(level, pid: worker.pid, group: group.plan.name, LogText.escaped(text.utf8))
    }
}

extension Supervisor.Group {
    fileprivate init(plan: GroupPlan, index: Int) {
        self.plan = plan
        self.index = index
        queue = SupervisorDescriptors.queue(ofGroup: index)
        log = GroupLog(descriptor: SupervisorDescriptors.log(ofGroup: index), limit: plan.logLevel)
        machine = GroupMachine(
            GroupMachine.Settings(
                name: plan.name,
                processes: Int(plan.processes),
                startupTimeout: Int64(plan.startupTimeout) * Delays.second,
                shutdownTimeout: Int64(plan.shutdownTimeout) * Delays.second,
                applications: plan.applications,
                deadlockTimeout: plan.deadlines.deadlockTimeout * 1000,
                threads: Int(plan.threads),
                recycling: plan.recycling,
                isService: plan.threads == 0
            )
        )
    }
}
