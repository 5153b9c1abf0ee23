internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

/// Why a user's place can't be taken.
struct SwitchFailure: Error, CustomStringConvertible {
    let step: String
    let error: Errno

    var description: String { "\(step): \(error)" }
}

/// The effective identity of somebody else, and their view of the file system, until `end`.
///
/// The real identity stays root's: what looks at files alone is asked by the kernel for the effective one, and nobody but root can
/// send signals to the process or look into it.
struct Disguise: ~Copyable {
    private let changesIdentity: Bool
    private let outside: Descriptor?

    private init(changesIdentity: Bool, outside: consuming Descriptor?) {
        self.changesIdentity = changesIdentity
        self.outside = outside
    }

    static func put(on reader: CheckPlan.Reader) throws(SwitchFailure) -> Disguise {
        let outside = try reader.root.map { root throws(SwitchFailure) in try enter(root) }
        let disguise = Disguise(changesIdentity: reader.changesIdentity, outside: outside)
        guard reader.changesIdentity else { return disguise }
        if let failure = become(reader) {
            disguise.end()
            throw failure
        }
        return disguise
    }

    private static func become(_ reader: CheckPlan.Reader) -> SwitchFailure? {
        do throws(SwitchFailure) {
            try step("groups", setgroups(reader.groups.count, reader.groups))
            try step("gid \(reader.gid)", setegid(reader.gid))
            try step("uid \(reader.uid)", seteuid(reader.uid))
            return nil
        } catch {
            return error
        }
    }

    /// Becomes root again; what can't be taken back ends the process.
    consuming func end() {
        if changesIdentity {
            guard seteuid(0) == 0, setegid(0) == 0, setgroups(0, nil) == 0 else { exit(1) }
        }
        if let outside {
            guard fchdir(outside.number) == 0, chroot(".") == 0 else { exit(1) }
        }
    }

    private static func enter(_ root: String) throws(SwitchFailure) -> Descriptor {
        let outside: Descriptor
        do throws(Errno) {
            outside = try Descriptor.open("/", O_RDONLY | O_DIRECTORY)
        } catch {
            throw SwitchFailure(step: "/", error: error)
        }
        try step("chroot to \(root)", chroot(root))
        _ = chdir("/")
        return outside
    }

    private static func step(_ name: String, _ result: Int32) throws(SwitchFailure) {
        guard result == 0 else { throw SwitchFailure(step: name, error: .last) }
    }
}

/// Writing all of a text.
enum Output {
    static func write(_ text: String, to descriptor: Int32 = CheckDescriptors.output) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
