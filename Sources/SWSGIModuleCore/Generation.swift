internal import Glibc
public import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire

/// One process group as httpd's children see it.
///
/// An object, and what each request asks for beside what it is made of: copies of the definition would cost every request the
/// counting of a dozen texts.
public final class GroupQueue: Sendable {
    /// Name of the group.
    public let name: String
    /// Who may use it.
    public let definition: GroupDefinition
    /// The sending end of its queue.
    public let sender: Int32
    /// Who has taken which exchange.
    public let takers: TakersPage
    /// What its processes see of the file system; nil: all of it.
    public let jail: Jail?
    /// Exchanges that may be outstanding: those that its threads run, and those that wait.
    public let limit: Int64
    /// What the directive says of requests.
    public let exchange: ExchangeOptions
    /// Microseconds that the application has for a request; nil: no end.
    public let requestTimeout: Int64?
    /// Whether it has threads for requests.
    public let takesRequests: Bool
    /// The virtual host that it belongs to, as a number; nil: all hosts may use it.
    public let host: UInt?

    init(_ definition: GroupDefinition, sender: Int32, takers: TakersPage) {
        self.takers = takers
        let options = definition.options
        name = options.name
        self.definition = definition
        self.sender = sender
        jail = options.surroundings.chroot.map { Jail($0) }
        limit = Int64(options.processesMax) * Int64(options.threads) + options.exchange.listenBacklog
        exchange = options.exchange
        requestTimeout = options.deadlines.requestTimeout
        takesRequests = options.threads > 0
        host = definition.place.server.isVirtual ? definition.place.server.id : nil
    }
}

/// What the parent of httpd holds for one generation: the queues' ends, the page of ended processes and the supervisor.
///
/// Made by the parent and inherited by its children, which only read it.
public final class Generation {
    /// The groups, in the order of their directives.
    public let groups: [GroupQueue]
    /// The page of ended processes.
    public let ends: EndsPage
    /// What httpd's children count together.
    public let scoreboard: Scoreboard
    /// Nanoseconds after which a request is slow; nil: none is.
    public let slowLimit: Int64?
    private let pageAddress: UnsafeMutableRawPointer
    private let pageSize: Int
    private let page: SharedDescriptor
    private let plan: SharedDescriptor
    private let receivers: [SharedDescriptor]
    private let senders: [SharedDescriptor]
    private let takers: [SharedMemory]
    private let logs: [Int32]
    private let names: [UnsafeMutablePointer<CChar>]
    /// Indexes in the order of their names.
    private let sorted: [Int]
    private let program: String
    /// The program that a supervisor of this generation was started from: another version of it is not for this one's plan.
    private var image: SharedDescriptor?
    private var supervisor: Int32 = -1
    private var startedAt: Int64 = 0
    private var quickEnds: Int64 = 0
    private var nextStart: Int64 = 0

    /// Bytes that a queue is asked to hold.
    private static let queueSize: Int32 = 4 << 20
    private static let second: Int64 = 1_000_000_000

    /// Makes queues, page and plan; `logs` has the error log of each group's server, `mainLog` that of the main server.
    public init(
        _ configuration: Configuration,
        httpd: HTTPDFacts,
        paths: GenerationPaths,
        logs: [(descriptor: Int32, level: UInt8)],
        mainLog: Int32
    ) throws(Problem) {
        let definitions = configuration.groups
        program = paths.program
        slowLimit = configuration.slowRequests.map { $0 * 1000 }
        let before = SnapshotDirectory.names(in: "/proc/self/fd").count
        do throws(Errno) {
            var senders: [SharedDescriptor] = []
            var receivers: [SharedDescriptor] = []
            for _ in definitions {
                let pair = try Socket.pair(.messages)
                Socket.setSendBuffer(pair.first.number, bytes: Self.queueSize)
                senders.append(SharedDescriptor(pair.first))
                receivers.append(SharedDescriptor(pair.second))
            }
            self.senders = senders
            self.receivers = receivers
            takers = try Self.takers(groups: definitions.count, httpd)
            pageSize = EndsPage.size(groups: definitions.count)
            page = SharedDescriptor(try Memory.shared("swsgi-ends", bytes: pageSize))
            pageAddress = try Memory.map(page.number, bytes: pageSize, writable: false)
            ends = EndsPage(pageAddress, groups: definitions.count)
            scoreboard = try Scoreboard(
                groups: definitions.count,
                children: httpd.children,
                threads: httpd.threadsPerChild
            )
            let plans = definitions.indices.map { index in
                var plan = IdentityResolver.plan(definitions[index], httpd: httpd, logLevel: logs[index].level)
                plan.restrictions = configuration.restrictions.restrictions(of: definitions[index].options.name)
                return plan
            }
            var plan = SupervisorPlan(
                parent: getpid(),
                program: paths.program,
                backtrace: paths.backtrace,
                snapshotBase: paths.snapshots,
                groups: plans
            )
            plan.descriptorLimit = CurrentProcess.descriptorLimits.soft
            self.plan = SharedDescriptor(try Memory.sealed("swsgi-plan", plan.bytes))
        } catch {
            throw DescriptorNeed.problem(groups: definitions.count, open: before, error)
        }
        let names: [UnsafeMutablePointer<CChar>] = definitions.map { strdup($0.options.name) }
        self.names = names
        sorted = names.indices.sorted { strcmp(names[$0], names[$1]) < 0 }
        // A log that is no file (syslog) can't be handed on: standard error is where httpd itself falls back to.
        let fallback = mainLog < 0 ? STDERR_FILENO : mainLog
        self.logs = [fallback] + logs.map { $0.descriptor < 0 ? fallback : $0.descriptor }
        groups = definitions.indices.map { [senders, takers] in
            let page = TakersPage(takers[$0].address, bytes: takers[$0].bytes)
            return GroupQueue(definitions[$0], sender: senders[$0].number, takers: page)
        }
        try DescriptorNeed.check(definitions.map(\.options), highest: plan.number)
    }

    deinit {
        for name in names { free(name) }
        Memory.unmap(pageAddress, bytes: pageSize)
    }

    /// The index of a group, for `groups` and the page; asked for each request.
    public func index(of name: UnsafePointer<CChar>) -> Int? {
        var range = sorted.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let order = strcmp(name, names[sorted[middle]])
            if order == 0 { return sorted[middle] }
            range = order < 0 ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return nil
    }

    /// Starts the supervisor when none is running and it is time to; returns its process id when it did.
    public func turn() throws(Problem) -> Int32? {
        guard supervisor < 0, !groups.isEmpty else { return nil }
        let now = Clock.monotonic
        guard now >= nextStart else { return nil }
        startedAt = now
        do {
            supervisor = try start()
            return supervisor
        } catch {
            delay(now)
            throw Problem(.supervisorStartFailed, "the supervisor \(program) can't be started: \(error)")
        }
    }

    /// A supervisor has ended: whether it was this generation's.
    public func supervisorEnded(_ pid: Int32) -> Bool {
        guard pid == supervisor else { return false }
        supervisor = -1
        let now = Clock.monotonic
        if now - startedAt > 10 * Self.second {
            quickEnds = 0
            nextStart = now
        } else {
            delay(now)
        }
        return true
    }

    /// The first new try is made at once, the others after a delay that grows to a minute.
    private func delay(_ now: Int64) {
        nextStart = now + (quickEnds == 0 ? 0 : min(60, 1 << min(quickEnds, 6)) * Self.second)
        quickEnds += 1
    }

    private func start() throws -> Int32 {
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let image = try self.image ?? SharedDescriptor(Descriptor.open(self.program, O_RDONLY))
        var descriptors = [
            null.number, logs[0], logs[0], plan.number, page.number, scoreboard.memory.number, image.number,
        ]
        for (index, receiver) in receivers.enumerated() {
            descriptors += [receiver.number, logs[index + 1], takers[index].descriptor.number]
        }
        var program = Program(
            path: "/proc/self/fd/\(SupervisorDescriptors.program)",
            arguments: [program, "supervise"],
            environment: [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SWIFT_BACKTRACE=enable=no",
            ] + LogText.zone,
            descriptors: descriptors
        )
        program.descriptorLimit = .max
        let pid = try program.start()
        self.image = image
        return pid
    }

    /// Places for the exchanges of each of httpd's threads: a filter may begin a request in a request, so there are more.
    private static func takers(groups: Int, _ httpd: HTTPDFacts) throws(Errno) -> [SharedMemory] {
        let places = Scoreboard.places(children: httpd.children, threads: httpd.threadsPerChild)
        var pages: [SharedMemory] = []
        for _ in 0..<groups { pages.append(try SharedMemory("swsgi-takers", bytes: TakersPage.size(places: places))) }
        return pages
    }

    /// The place of an exchange of desk `number` in this child; 0: there is none.
    public func place(of number: Int) -> UInt32 { scoreboard.place(of: number) }

    /// In a child of httpd: gives up what only the parent needs.
    public func becomeChild() {
        for receiver in receivers { close(receiver.number) }
        for page in takers { close(page.descriptor.number) }
        if let image { close(image.number) }
        close(plan.number)
        close(page.number)
        close(scoreboard.memory.number)
        scoreboard.join()
    }
}

/// Files and directories of an installation.
public struct GenerationPaths: Equatable, Sendable {
    /// The program beside the module.
    public var program: String
    /// The Swift runtime's backtrace program, when it is there.
    public var backtrace: String?
    /// A directory for snapshots whose file system allows execution.
    public var snapshots: String

    /// Finds everything that belongs to the module at `module`.
    public init(module: String, runtimeDirectory: String) throws(Problem) {
        // The module may be linked into httpd's own directory: what belongs to it lies beside the file itself.
        let file = realpath(module, nil)
        defer { free(file) }
        let directory = EntryFile.directory(of: file.map { String(cString: $0) } ?? module)
        program = directory + "/swsgid"
        guard access(program, X_OK) == 0 else {
            throw Problem(.programMissing, "\(program) does not exist or can't be executed")
        }
        let tracer = directory + "/swift-backtrace-static"
        backtrace = access(tracer, X_OK) == 0 ? tracer : nil
        let places = [runtimeDirectory, "/var/lib", "/var/tmp", "/tmp"].filter(Self.allowsExecution)
        guard let first = places.first else {
            throw Problem(
                .supervisorStartFailed,
                "neither \(runtimeDirectory) nor /var/lib, /var/tmp or /tmp allows files to be written and executed"
            )
        }
        snapshots = first
    }

    /// Debian mounts /run with noexec: nothing can be mapped from there.
    private static func allowsExecution(_ directory: String) -> Bool {
        var status = statvfs()
        let noExecution: UInt = 8
        return statvfs(directory, &status) == 0 && status.f_flag & noExecution == 0 && access(directory, W_OK) == 0
    }
}
