internal import CSWSGISystem
internal import Glibc

/// Who a new program runs as.
public struct Identity: Equatable, Sendable {
    /// User id.
    public var uid: UInt32
    /// Primary group id.
    public var gid: UInt32
    /// Supplementary group ids.
    public var groups: [UInt32]

    /// An identity from numbers.
    public init(uid: UInt32, gid: UInt32, groups: [UInt32]) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}

/// Why a program could not be started.
public struct SpawnFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The step that failed.
    public enum Stage: Int32, Sendable {
        /// No new process.
        case fork = 1
        /// The descriptors could not be put in their places.
        case descriptors
        /// setgroups.
        case groups
        /// The group id did not take effect.
        case gid
        /// The user id did not take effect.
        case uid
        /// Root could be taken back: the process was ended at once.
        case regained
        /// The working directory can't be entered by the new identity.
        case directory
        /// The program could not be executed.
        case exec
        /// The niceness could not be set.
        case priority
        /// Rights could not be given up.
        case confine
    }

    /// The step that failed.
    public let stage: Stage
    /// The system's reason.
    public let error: Errno

    /// Step and reason, for a log line.
    public var description: String { "\(stage): \(error)" }
}

/// A program to start with nothing of ours but what is named here.
public struct Program: Sendable {
    /// The executable's path.
    public var path: String
    /// Arguments, the program's shown name first.
    public var arguments: [String]
    /// The whole environment, as NAME=value.
    public var environment: [String]
    /// The new program's descriptors, from 0 on.
    public var descriptors: [Int32]
    /// Who it runs as; nil: as we do.
    public var identity: Identity?
    /// Working directory; nil: the root directory.
    public var directory: String?
    /// File mode creation mask; nil: ours.
    public var umask: UInt32?
    /// Niceness; 0: ours.
    public var priority: Int32 = 0
    /// Soft limit of open files, as far as the hard limit allows it; nil: ours.
    public var descriptorLimit: UInt64?
    /// Whether neither it nor what it starts can ever get more rights.
    public var isConfined = false
    /// Whether a new identity keeps the right to one `CurrentProcess.enterRoot`.
    public var mayChangeRoot = false

    /// A program with its surroundings.
    public init(
        path: String,
        arguments: [String],
        environment: [String],
        descriptors: [Int32],
        identity: Identity? = nil,
        directory: String? = nil,
        umask: UInt32? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.descriptors = descriptors
        self.identity = identity
        self.directory = directory
        self.umask = umask
    }

    /// Starts it in a session of its own; returns its process id once it has been executed.
    public func start() throws(SpawnFailure) -> Int32 {
        var pid: pid_t = -1
        var error: Int32 = 0
        let groups = identity?.groups ?? []
        let stage = withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in
                withOptionalCString(directory) { directory in
                    path.withCString { path in
                        descriptors.withUnsafeBufferPointer { descriptors in
                            groups.withUnsafeBufferPointer { groups in
                                guard let arguments, let environment, let first = descriptors.baseAddress else {
                                    return SpawnFailure.Stage.descriptors.rawValue
                                }
                                var request = swsgi_spawn_request(
                                    path: path,
                                    arguments: arguments,
                                    environment: environment,
                                    descriptors: first,
                                    descriptor_count: descriptors.count,
                                    change_identity: identity == nil ? 0 : 1,
                                    uid: identity?.uid ?? 0,
                                    gid: identity?.gid ?? 0,
                                    groups: groups.baseAddress,
                                    group_count: groups.count,
                                    directory: directory,
                                    umask: umask.map { Int32(bitPattern: $0) } ?? -1,
                                    priority: priority,
                                    confine: isConfined ? 1 : 0,
                                    descriptor_limit: descriptorLimit ?? 0,
                                    keep_chroot: mayChangeRoot && identity != nil ? 1 : 0
                                )
                                return swsgi_spawn(&request, &pid, &error)
                            }
                        }
                    }
                }
            }
        }
        if let stage = SpawnFailure.Stage(rawValue: stage) { throw SpawnFailure(stage: stage, error: Errno(error)) }
        return pid
    }
}

private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}

private func withOptionalCString<Result>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let string else { return body(nil) }
    return string.withCString { body($0) }
}
