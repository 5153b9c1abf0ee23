// Messages between the supervisor and one daemon process, over a SOCK_SEQPACKET pair: kind UInt8, then its fields.
// The supervisor treats what a daemon process says as hostile: bounded, checked, and never more than a request.

/// One application of a process group, as a configuration or a request names it.
public struct ApplicationKey: Hashable, Sendable {
    /// Path of the entry file.
    public var entryFile: String
    /// Application group; empty for `%{GLOBAL}`.
    public var applicationGroup: String
    /// Name of the exported function.
    public var symbol: String

    /// A key from its parts.
    public init(entryFile: String, applicationGroup: String, symbol: String) {
        self.entryFile = entryFile
        self.applicationGroup = applicationGroup
        self.symbol = symbol
    }

    func write(to writer: inout ByteWriter) {
        writer.write(entryFile)
        writer.write(applicationGroup)
        writer.write(symbol)
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        entryFile = try reader.readText(limit: ControlLimits.path)
        applicationGroup = try reader.readText(limit: ControlLimits.name)
        symbol = try reader.readText(limit: ControlLimits.name)
    }
}

/// One state of an application's entry file.
public struct ApplicationVersion: Equatable, Sendable {
    /// Which application.
    public var key: ApplicationKey
    /// Which state of its entry file.
    public var identity: FileIdentity

    /// A version from its parts.
    public init(key: ApplicationKey, identity: FileIdentity) {
        self.key = key
        self.identity = identity
    }

    func write(to writer: inout ByteWriter) {
        key.write(to: &writer)
        writer.write(identity.device)
        writer.write(identity.inode)
        writer.write(identity.size)
        writer.write(identity.modified)
        writer.write(identity.changed)
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        key = try ApplicationKey(&reader)
        identity = FileIdentity(
            device: try reader.read(),
            inode: try reader.read(),
            size: try reader.read(),
            modified: try reader.read(),
            changed: try reader.read()
        )
    }
}

/// Limits of control messages.
public enum ControlLimits {
    /// Bytes of a whole message.
    public static let message = 128 * 1024
    /// Bytes of a path.
    public static let path = 4096
    /// Bytes of a name.
    public static let name = 1024
    /// Bytes of a text for the log.
    public static let text = 8192
    /// Request lines of one message.
    public static let lines = 16
    /// Applications of one process group that its processes load before they take work.
    public static let applications = 64
}

/// An application that ended its process, or kept it waiting, while it was loaded: not tried again until its entry file changes.
public struct PoisonedApplication: Equatable, Sendable {
    /// Which state of which application.
    public var version: ApplicationVersion
    /// What happened, for the log lines of its requests.
    public var reason: String

    /// A note from its parts.
    public init(version: ApplicationVersion, reason: String) {
        self.version = version
        self.reason = reason
    }
}

/// What a daemon process is to do; its first message.
public struct WorkerPlan: Equatable, Sendable {
    /// Name of the process group.
    public var group: String
    /// Request threads.
    public var threads: UInt32
    /// Processes of the group.
    public var processes: UInt32
    /// Directory for snapshots, which only this process's user can read.
    public var snapshots: String
    /// Text to show in process lists; nil: leave the program's name.
    public var displayName: String?
    /// Whether the application is told that other processes run beside it.
    public var isMultiprocess = false
    /// Microseconds without anything to do after which a process is replaced; 0: never.
    public var inactivityTimeout: Int64 = 0
    /// What the application may not do.
    public var restrictions = Restrictions.standard
    /// Limits of requests and silent processes.
    public var deadlines = DeadlinePlan()
    /// What it may use before it asks to be replaced.
    public var limits = WorkerLimits()
    /// Language, limits, and how far it sees.
    public var surroundings = Surroundings()
    /// Applications to load before taking work; one that can't be loaded is answered 500.
    public var preload: [ApplicationKey] = []
    /// Applications without which this process is not to take work: it exits with `WorkerExit.notLoaded`.
    public var required: [ApplicationKey] = []
    /// Applications that other processes of the group serve: without one of these, unless its entry file is gone, this process is
    /// not to take work either.
    public var kept: [ApplicationKey] = []
    /// Applications not to load.
    public var poisoned: [PoisonedApplication] = []

    /// A plan without applications.
    public init(group: String, threads: UInt32, processes: UInt32, snapshots: String, displayName: String?) {
        self.group = group
        self.threads = threads
        self.processes = processes
        self.snapshots = snapshots
        self.displayName = displayName
    }
}

/// Exit codes of a daemon process that mean something to the supervisor.
public enum WorkerExit {
    /// Everything in order: drained, or the generation has ended.
    public static let done: Int32 = 0
    /// An application that it was not to be without could not be loaded; the reason has been logged.
    public static let notLoaded: Int32 = 81
    /// The process could not set itself up.
    public static let setup: Int32 = 82
    /// A service returned a failure.
    public static let serviceFailed: Int32 = 83
}

/// What the supervisor tells a daemon process.
public enum SupervisorMessage: Equatable, Sendable {
    /// The first message: what to do.
    case configure(WorkerPlan)
    /// Take no more work, send waiting exchanges to the queue for the new code, finish the others, exit.
    case drain(StopReason)
    /// The time for that is over: cancel the exchanges that still run.
    case cancel
    /// A signal came to the supervisor that is meant for applications.
    case signal(UInt8)
    /// The new state of this entry file can't be had: send exchanges that wait for it to the queue for the old code.
    case reloadFailed(ApplicationVersion)
    /// Answer with this number: deadlock-timeout.
    case ask(UInt32)

    /// The message's bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .configure(let plan):
            writer.write(UInt8(1))
            writer.write(plan.group)
            writer.write(plan.threads)
            writer.write(plan.processes)
            writer.write(plan.snapshots)
            writer.write(plan.displayName)
            writer.write(UInt8(plan.isMultiprocess ? 1 : 0))
            writer.write(plan.inactivityTimeout)
            writer.write(plan.restrictions.rawValue)
            plan.deadlines.write(to: &writer)
            plan.limits.write(to: &writer)
            plan.surroundings.write(to: &writer)
            writer.write(plan.preload) { $1.write(to: &$0) }
            writer.write(plan.required) { $1.write(to: &$0) }
            writer.write(plan.kept) { $1.write(to: &$0) }
            writer.write(plan.poisoned) { writer, poisoned in
                poisoned.version.write(to: &writer)
                writer.write(poisoned.reason)
            }
        case .drain(let reason):
            writer.write(UInt8(2))
            writer.write(reason.rawValue)
        case .cancel:
            writer.write(UInt8(10))
        case .signal(let number):
            writer.write(UInt8(11))
            writer.write(number)
        case .reloadFailed(let version):
            writer.write(UInt8(3))
            version.write(to: &writer)
        case .ask(let number):
            writer.write(UInt8(20))
            writer.write(number)
        }
        return writer.bytes
    }

    /// Reads a message.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .configure(try Self.plan(&reader))
        case 2: self = .drain(try StopReason(&reader))
        case 3: self = .reloadFailed(try ApplicationVersion(&reader))
        case 20: self = .ask(try reader.read())
        case 10: self = .cancel
        case 11: self = .signal(try reader.read())
        case let kind: throw Malformed("unknown supervisor message \(kind)")
        }
        try reader.finish()
    }

    private static func plan(_ reader: inout ByteReader) throws(Malformed) -> WorkerPlan {
        var plan = WorkerPlan(
            group: try reader.readText(limit: ControlLimits.name),
            threads: try reader.read(),
            processes: try reader.read(),
            snapshots: try reader.readText(limit: ControlLimits.path),
            displayName: try reader.readOptionalText(limit: ControlLimits.name)
        )
        plan.isMultiprocess = try reader.read(UInt8.self) != 0
        plan.inactivityTimeout = try reader.read()
        plan.restrictions = Restrictions(rawValue: try reader.read())
        plan.deadlines = try DeadlinePlan(&reader)
        plan.limits = try WorkerLimits(&reader)
        plan.surroundings = try Surroundings(&reader)
        plan.preload = try reader.readList(limit: ControlLimits.applications) { reader throws(Malformed) in
            try ApplicationKey(&reader)
        }
        plan.required = try reader.readList(limit: ControlLimits.applications) { reader throws(Malformed) in
            try ApplicationKey(&reader)
        }
        plan.kept = try reader.readList(limit: ControlLimits.applications) { reader throws(Malformed) in
            try ApplicationKey(&reader)
        }
        plan.poisoned = try reader.readList(limit: ControlLimits.applications) { reader throws(Malformed) in
            PoisonedApplication(
                version: try ApplicationVersion(&reader),
                reason: try reader.readText(limit: ControlLimits.text)
            )
        }
        return plan
    }
}

/// What a daemon process tells the supervisor.
public enum WorkerMessage: Equatable, Sendable {
    /// All request threads take work.
    case ready
    /// About to load this state of an application: from here its own code runs.
    case loading(ApplicationVersion)
    /// That application has been loaded.
    case loaded(ApplicationVersion)
    /// That application can't be loaded, and nothing of it is running.
    case notLoaded(ApplicationVersion)
    /// A request showed this newer state of an entry file: replace the processes of the group.
    case changed(ApplicationVersion)
    /// Told to drain: from now on no exchange for newer code is answered here.
    case stopped
    /// A fatal signal has come; the process ends after its backtrace.
    case crashing(signal: UInt8)
    /// It has reason to go: replace it, then let it drain.
    case leaving(StopReason)
    /// What it still runs though its exchanges have been cancelled: a request line each.
    case running([String])
    /// Its last exchange has ended: it says good-bye to its applications, and ends.
    case finished
    /// A line for the log, at httpd's level (3 error ... 7 debug), with its code where it has one.
    case log(level: UInt8, text: String)
    /// The answer to a question of the supervisor, with its number.
    case answer(UInt32)

    /// Where the signal's number stands in the bytes of `crashing`.
    public static let crashSignalOffset = 1

    /// The message's bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .ready:
            writer.write(UInt8(65))
        case .loading(let version):
            writer.write(UInt8(66))
            version.write(to: &writer)
        case .loaded(let version):
            writer.write(UInt8(67))
            version.write(to: &writer)
        case .notLoaded(let version):
            writer.write(UInt8(68))
            version.write(to: &writer)
        case .changed(let version):
            writer.write(UInt8(69))
            version.write(to: &writer)
        case .stopped:
            writer.write(UInt8(73))
        case .crashing(let signal):
            writer.write(UInt8(70))
            writer.write(signal)
        case .leaving(let reason):
            writer.write(UInt8(71))
            writer.write(reason.rawValue)
        case .running(let lines):
            writer.write(UInt8(82))
            writer.write(lines) { $0.write($1) }
        case .finished:
            writer.write(UInt8(81))
        case .log(let level, let text):
            writer.write(UInt8(72))
            writer.write(level)
            writer.write(String(decoding: Array(text.utf8.prefix(ControlLimits.text)), as: UTF8.self))
        case .answer(let number):
            writer.write(UInt8(80))
            writer.write(number)
        }
        return writer.bytes
    }

    /// Reads a message.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 65: self = .ready
        case 66: self = .loading(try ApplicationVersion(&reader))
        case 67: self = .loaded(try ApplicationVersion(&reader))
        case 68: self = .notLoaded(try ApplicationVersion(&reader))
        case 69: self = .changed(try ApplicationVersion(&reader))
        case 73: self = .stopped
        case 70: self = .crashing(signal: try reader.read())
        case 71: self = .leaving(try StopReason(&reader))
        case 82:
            self = .running(
                try reader.readList(limit: ControlLimits.lines) { reader throws(Malformed) in
                    try reader.readText(limit: ControlLimits.name)
                }
            )
        case 81: self = .finished
        case 72: self = .log(level: try reader.read(), text: try reader.readText(limit: ControlLimits.text * 3))
        case 80: self = .answer(try reader.read())
        case let kind: throw Malformed("unknown message \(kind)")
        }
        try reader.finish()
    }
}
