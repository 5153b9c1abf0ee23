/// The options of `WSGIDaemonProcess` that say what its processes are and see: groups, language, priority and limits.
///
/// Sizes are bytes.
public struct SurroundingsOptions: Equatable, Sendable {
    /// Names or `#gid` of groups besides the primary one; nil: the user's own.
    public var supplementaryGroups: [String]?
    /// Niceness of the processes; 0: httpd's.
    public var cpuPriority: Int32 = 0
    /// LANG; nil: C.UTF-8.
    public var lang: String?
    /// LC_ALL; nil: none.
    public var locale: String?
    /// Stack of a request thread; nil: the system's default.
    public var stackSize: Int64?
    /// RLIMIT_DATA; nil: none.
    public var memoryLimit: Int64?
    /// RLIMIT_AS; nil: none.
    public var virtualMemoryLimit: Int64?

    /// File of variables for the environment, absolute.
    public var environmentFile: String?

    /// Directory that is everything the processes see of the file system; absolute, without a slash at its end.
    public var chroot: String?

    /// Name or `#uid` of the user that files of applications must belong to; nil: any.
    public var scriptUser: String?
    /// Name or `#gid` of the group that files of applications must belong to; nil: any.
    public var scriptGroup: String?

    /// The defaults.
    public init() {}

    /// Groups that the option takes.
    public static let groupLimit = 64
    /// What the host itself needs of a request thread's stack, and some room for the application.
    private static let stacks: ClosedRange<Int64> = 128 << 10...1 << 30
    /// A process that does nothing yet has about ten MiB.
    private static let memories: ClosedRange<Int64> = 16 << 20...1 << 44
    private static let usualStack: Int64 = 8 << 20

    /// Takes an option; false: it is none of these.
    mutating func set(_ option: String, _ value: String) throws(Problem) -> Bool {
        switch option {
        case "supplementary-groups": supplementaryGroups = try Self.groups(value)
        case "cpu-priority": cpuPriority = try Self.priority(value)
        case "lang": lang = try Self.locale(value, option)
        case "locale": locale = try Self.locale(value, option)
        case "stack-size": stackSize = try Self.size(value, Self.stacks, option)
        case "memory-limit": memoryLimit = try Self.size(value, Self.memories, option)
        case "virtual-memory-limit": virtualMemoryLimit = try Self.size(value, Self.memories, option)
        case "environment-file": environmentFile = try DaemonProcessOptions.path(value, option)
        case "chroot": chroot = try Self.root(value)
        case "script-user": scriptUser = try DaemonProcessOptions.text(value, option)
        case "script-group": scriptGroup = try DaemonProcessOptions.text(value, option)
        default: return false
        }
        guard scriptUser == nil || scriptGroup == nil else {
            throw Problem(.scriptOwnerTwice, "\(Self.directive): only one of script-user and script-group can be given")
        }
        return true
    }

    /// Options that take the effect from others, in a group of so many threads.
    func conflicts(threads: UInt32) -> [String] {
        let stacks = (stackSize ?? Self.usualStack) * Int64(threads)
        return [("memory-limit", memoryLimit), ("virtual-memory-limit", virtualMemoryLimit)].compactMap { name, limit in
            guard let limit, stacks >= limit else { return nil }
            return
                "\(name)=\(limit) leaves no room for the stacks of \(threads) threads, \(stacks) bytes; lower stack-size= or threads="
        }
    }

    private static var directive: String { DaemonProcessOptions.directive }

    private static func root(_ value: String) throws(Problem) -> String {
        var path = try DaemonProcessOptions.path(value, "chroot")
        while path.hasSuffix("/") { path.removeLast() }
        guard !path.isEmpty else {
            throw Problem(
                .directoryInvalid,
                "\(directive): chroot must be a directory below the root directory, not '\(value)'"
            )
        }
        return path
    }

    private static func groups(_ value: String) throws(Problem) -> [String] {
        let names = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.count <= groupLimit, !names.contains("") else {
            throw Problem(
                .groupListInvalid,
                "\(directive): supplementary-groups must be 1 to \(groupLimit) names or #gid with commas between, not '\(value)'"
            )
        }
        return names
    }

    private static func priority(_ value: String) throws(Problem) -> Int32 {
        let digits = value.first == "-" ? value.dropFirst() : value[...]
        let isNumber =
            !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isNumber, let number = Int32(value), (-20...19).contains(number) else {
            throw Problem(.numberInvalid, "\(directive): cpu-priority must be a number from -20 to 19, not '\(value)'")
        }
        return number
    }

    /// A locale's name is made into the name of a file by the C library.
    private static func locale(_ value: String, _ option: String) throws(Problem) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "@"):
                true
            default: false
            }
        }
        guard (1...255).contains(value.utf8.count), isPlain else {
            throw Problem(
                .localeInvalid,
                "\(directive): \(option) must be the name of a locale, such as C.UTF-8, not '\(value)'"
            )
        }
        return value
    }

    /// A size; nil is the default, which is also what 0 means.
    private static func size(_ value: String, _ range: ClosedRange<Int64>, _ option: String) throws(Problem) -> Int64? {
        let size = try strictBytes(value, in: range, option: option)
        return size == 0 ? nil : size
    }
}
