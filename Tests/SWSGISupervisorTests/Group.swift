import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

/// A machine with a clock of its own, and what it has asked for.
struct Group {
    static let second: Int64 = 1_000_000_000

    var machine: GroupMachine
    var now: Int64 = 1000 * Group.second
    /// Starts that have been asked for and not answered yet.
    var launches: [GroupMachine.Launch] = []
    var drained: [Int] = []
    var seesDrains = true
    private var told: [Int] = []
    var killed: [Int] = []
    var cancelled: [Int] = []
    /// Why each process was told to drain.
    var reasons: [Int: StopReason] = [:]
    var failed: [Int: [ApplicationVersion]] = [:]
    var logged: [Int] = []
    var texts: [String] = []
    var asked: [(ticket: Int, number: UInt32)] = []
    /// What httpd's children have been told of being broken.
    var broken: [Int64?] = []

    init(
        processes: Int,
        startupTimeout: Int64 = 15,
        applications: [ApplicationKey] = [],
        deadlockTimeout: Int64 = 0,
        recycling: RecyclingPlan = RecyclingPlan(),
        isService: Bool = false
    ) {
        machine = GroupMachine(
            GroupMachine.Settings(
                name: "test",
                processes: processes,
                startupTimeout: startupTimeout * Group.second,
                shutdownTimeout: 5 * Group.second,
                applications: applications,
                deadlockTimeout: deadlockTimeout * Group.second,
                recycling: recycling,
                isService: isService
            )
        )
    }

    /// A group whose processes are all ready.
    static func running(processes: Int, recycling: RecyclingPlan = RecyclingPlan()) -> Group {
        var group = Group(processes: processes, recycling: recycling)
        group.tell(.begin)
        for _ in 0..<processes { group.startReady() }
        return group
    }

    mutating func tell(_ event: GroupMachine.Event) {
        for action in machine.handle(event, now: now) {
            checkReceiver(of: action)
            switch action {
            case .start(let launch): launches.append(launch)
            case .drain(let ticket, let reason):
                reasons[ticket] = reason
                drained.append(ticket)
                told.append(ticket)
            case .kill(let ticket): killed.append(ticket)
            case .reloadFailed(let ticket, let version): failed[ticket, default: []].append(version)
            case .log(let code, let text):
                logged.append(code.number)
                texts.append(text)
            case .cancel(let ticket): cancelled.append(ticket)
            case .broken(let retryAt): broken.append(retryAt)
            case .note: break
            case .ask(let ticket, let number): asked.append((ticket, number))
            }
        }
        checkProcesses(after: event)
        // A process sees at once that it is to drain, unless the test says otherwise.
        guard seesDrains, !told.isEmpty else { return }
        let tickets = told
        told = []
        for ticket in tickets { tell(.stopped(ticket: ticket)) }
    }

    /// Only a process that has been started can be told anything, or be killed.
    private func checkReceiver(of action: GroupMachine.Action) {
        let receiver: Int? =
            switch action {
            case .drain(let ticket, _), .cancel(let ticket), .reloadFailed(let ticket, _), .kill(let ticket),
                .ask(let ticket, _):
                ticket
            case .start, .broken, .log, .note: nil
            }
        guard let receiver, let member = machine.member(receiver) else { return }
        #expect(member.pid != nil, "\(action)")
    }

    /// The number of processes: none too few, unless a delay says so, and none too many.
    private mutating func checkProcesses(after event: GroupMachine.Event) {
        // The supervisor starts nothing that has been given up meanwhile.
        launches.removeAll { machine.member($0.ticket) == nil }
        let waiting = machine.processes.filter { $0.pid == nil }
        #expect(
            waiting.map(\.ticket).sorted() == launches.map(\.ticket).sorted(),
            "\(event): each start is asked for once"
        )
        #expect(waiting.allSatisfy { $0.isActive }, "\(event): what has not been started neither drains nor ends")
        guard machine.phase == .running else { return }
        let size = machine.scaling.size
        let live = machine.processes.count { $0.isActive || machine.settings.isService }
        let hasReplacement = machine.rollout.replacement.flatMap { machine.member($0) }?.isActive ?? false
        #expect(live <= size + (hasReplacement ? 1 : 0), "\(event): \(live) processes of \(size)")
        #expect(live >= size || now < machine.backoff.until, "\(event): \(live) processes of \(size)")
    }

    /// Lets time pass, with the deadlines in it.
    mutating func pass(_ seconds: Double) {
        let end = now + Int64(seconds * Double(Group.second))
        var turns = 0
        while let deadline = machine.nextDeadline, deadline <= end, turns < 100 {
            now = max(now, deadline)
            tell(.deadline)
            turns += 1
        }
        now = end
    }

    /// Starts the process that was asked for first; returns its ticket.
    @discardableResult
    mutating func startOne() -> Int {
        guard !launches.isEmpty else { return -1 }
        let ticket = launches.removeFirst().ticket
        tell(.processStarted(ticket: ticket, pid: Int32(1000 + ticket)))
        return ticket
    }

    /// Starts the process that was asked for first, and makes it ready.
    @discardableResult
    mutating func startReady() -> Int {
        let ticket = startOne()
        tell(.ready(ticket: ticket))
        return ticket
    }

    mutating func end(_ ticket: Int, _ end: ProcessEnd = .exited(0)) {
        tell(.ended(ticket: ticket, end))
    }

    /// Answers every start with a process that becomes ready, and every drain with a process that ends.
    mutating func settle() {
        var turns = 0
        while !launches.isEmpty || !drained.isEmpty, turns < 1000 {
            turns += 1
            while let ticket = drained.popLast() { end(ticket) }
            if !launches.isEmpty { startReady() }
        }
    }

    var tickets: [Int] { machine.processes.map(\.ticket) }

    func count(_ code: MessageCode) -> Int { logged.count { $0 == code.number } }
}

func key(_ name: String) -> ApplicationKey {
    ApplicationKey(entryFile: "/\(name).wsgi", applicationGroup: "", symbol: "application")
}

func version(_ name: String, _ number: Int64) -> ApplicationVersion {
    ApplicationVersion(
        key: key(name),
        identity: FileIdentity(device: 1, inode: 1, size: 1, modified: number, changed: 5)
    )
}
