// What httpd's parent hands to the supervisor, in sealed memory.

/// Places of the supervisor's inherited descriptors.
public enum SupervisorDescriptors {
    /// The main server's error log.
    public static let log: Int32 = 2
    /// This plan.
    public static let plan: Int32 = 3
    /// The page of ended processes, which httpd's children map.
    public static let ends: Int32 = 4
    /// What httpd's children count: the page of outstanding exchanges is its beginning.
    public static let outstanding: Int32 = 5
    /// The program itself.
    public static let program: Int32 = 6
    /// For group `index`: its queue's receiving end; what follows belongs to it.
    public static func queue(ofGroup index: Int) -> Int32 { 7 + 3 * Int32(truncatingIfNeeded: index) }
    /// The error log of its virtual host.
    public static func log(ofGroup index: Int) -> Int32 { queue(ofGroup: index) + 1 }
    /// Its `TakersPage`.
    public static func takers(ofGroup index: Int) -> Int32 { queue(ofGroup: index) + 2 }
}

/// Places of a daemon process's descriptors: it starts with these six and no others, and keeps five.
public enum WorkerDescriptors {
    /// The queue's receiving end.
    public static let queue: Int32 = 3
    /// The socket to the supervisor.
    public static let control: Int32 = 4
    /// The group's `TakersPage`, until it has been mapped.
    public static let takers: Int32 = 5
}

/// One process group, with everything resolved.
public struct GroupPlan: Equatable, Sendable {
    /// Its name.
    public var name: String
    /// Whether its processes change their identity; false when httpd was not started as root.
    public var changesIdentity: Bool
    /// User id.
    public var uid: UInt32
    /// Group id.
    public var gid: UInt32
    /// Supplementary group ids.
    public var groups: [UInt32]
    /// Name of the user, for its environment.
    public var userName: String
    /// Home of the user, for its environment.
    public var userHome: String
    /// Working directory.
    public var directory: String
    /// File mode creation mask, or nil to keep httpd's.
    public var umask: UInt32?
    /// Number of processes.
    public var processes: UInt32
    /// Whether the application is told that other processes run beside it.
    public var isMultiprocess = false
    /// Microseconds without anything to do after which a process is replaced; 0: never.
    public var inactivityTimeout: Int64 = 0
    /// What applications may not do in its processes.
    public var restrictions = Restrictions.standard
    /// Limits of requests and silent processes.
    public var deadlines = DeadlinePlan()
    /// When its processes are replaced, and how long the old ones may take to go.
    public var recycling = RecyclingPlan()
    /// Language, limits, and how far its processes see.
    public var surroundings = Surroundings()
    /// Request threads of each.
    public var threads: UInt32
    /// Text for process lists, or nil.
    public var displayName: String?
    /// Seconds that loading may take.
    public var startupTimeout: UInt32
    /// Seconds that an ended generation's processes may take to end.
    public var shutdownTimeout: UInt32
    /// Applications that the configuration names for this group.
    public var applications: [ApplicationKey]
    /// httpd's log level of this module in the group's virtual host.
    public var logLevel: UInt8

    /// A group from its parts.
    public init(
        name: String,
        changesIdentity: Bool,
        uid: UInt32,
        gid: UInt32,
        groups: [UInt32],
        userName: String,
        userHome: String,
        directory: String,
        umask: UInt32?,
        processes: UInt32,
        threads: UInt32,
        displayName: String?,
        startupTimeout: UInt32,
        shutdownTimeout: UInt32,
        applications: [ApplicationKey],
        logLevel: UInt8 = 4
    ) {
        self.name = name
        self.changesIdentity = changesIdentity
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.userName = userName
        self.userHome = userHome
        self.directory = directory
        self.umask = umask
        self.processes = processes
        self.threads = threads
        self.displayName = displayName
        self.startupTimeout = startupTimeout
        self.shutdownTimeout = shutdownTimeout
        self.applications = applications
        self.logLevel = logLevel
    }
}

/// Everything a supervisor has to know.
public struct SupervisorPlan: Equatable, Sendable {
    /// Process id of httpd's parent: when it ends, so does the generation.
    public var parent: Int32
    /// Path of the program for daemon processes.
    public var program: String
    /// Path of the Swift runtime's backtrace program, or nil when there is none.
    public var backtrace: String?
    /// Directory in which the supervisor makes its own for snapshots; it must allow execution.
    public var snapshotBase: String
    /// The soft limit of open files that httpd was started with: daemon processes have it, and the supervisor as many as it may.
    public var descriptorLimit: UInt64 = 1024
    /// All process groups, in the order of their queues.
    public var groups: [GroupPlan]

    /// A plan from its parts.
    public init(parent: Int32, program: String, backtrace: String?, snapshotBase: String, groups: [GroupPlan]) {
        self.parent = parent
        self.program = program
        self.backtrace = backtrace
        self.snapshotBase = snapshotBase
        self.groups = groups
    }

    /// The plan's bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(parent)
        writer.write(program)
        writer.write(backtrace)
        writer.write(snapshotBase)
        writer.write(descriptorLimit)
        writer.write(groups) { writer, group in
            writer.write(group.name)
            writer.write(UInt8(group.changesIdentity ? 1 : 0))
            writer.write(group.uid)
            writer.write(group.gid)
            writer.write(group.groups) { $0.write($1) }
            writer.write(group.userName)
            writer.write(group.userHome)
            writer.write(group.directory)
            writer.write(group.umask ?? .max)
            writer.write(group.processes)
            writer.write(UInt8(group.isMultiprocess ? 1 : 0))
            writer.write(group.inactivityTimeout)
            writer.write(group.restrictions.rawValue)
            group.deadlines.write(to: &writer)
            group.recycling.write(to: &writer)
            writer.write(group.threads)
            writer.write(group.displayName)
            writer.write(group.startupTimeout)
            writer.write(group.shutdownTimeout)
            writer.write(group.applications) { $1.write(to: &$0) }
            writer.write(group.logLevel)
            group.surroundings.write(to: &writer)
        }
        return writer.bytes
    }

    /// Reads a plan.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ByteReader(bytes)
        parent = try reader.read()
        program = try reader.readText(limit: ControlLimits.path)
        backtrace = try reader.readOptionalText(limit: ControlLimits.path)
        snapshotBase = try reader.readText(limit: ControlLimits.path)
        descriptorLimit = try reader.read()
        groups = try reader.readList(limit: 100_000) { reader throws(Malformed) in try GroupPlan(&reader) }
        try reader.finish()
    }
}

extension GroupPlan {
    fileprivate init(_ reader: inout ByteReader) throws(Malformed) {
        name = try reader.readText(limit: ControlLimits.name)
        changesIdentity = try reader.read(UInt8.self) != 0
        uid = try reader.read()
        gid = try reader.read()
        groups = try reader.readList(limit: 65_536) { reader throws(Malformed) in try reader.read() }
        userName = try reader.readText(limit: ControlLimits.name)
        userHome = try reader.readText(limit: ControlLimits.path)
        directory = try reader.readText(limit: ControlLimits.path)
        let mask: UInt32 = try reader.read()
        umask = mask == .max ? nil : mask
        processes = try reader.read()
        isMultiprocess = try reader.read(UInt8.self) != 0
        inactivityTimeout = try reader.read()
        restrictions = Restrictions(rawValue: try reader.read())
        deadlines = try DeadlinePlan(&reader)
        recycling = try RecyclingPlan(&reader)
        threads = try reader.read()
        displayName = try reader.readOptionalText(limit: ControlLimits.name)
        startupTimeout = try reader.read()
        shutdownTimeout = try reader.read()
        applications = try reader.readList(limit: 100_000) { reader throws(Malformed) in try ApplicationKey(&reader) }
        logLevel = try reader.read()
        surroundings = try Surroundings(&reader)
    }
}
