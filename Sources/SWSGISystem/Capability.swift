internal import Glibc

/// A right of root's that containers and service managers may take away (capabilities(7)); the numbers are the kernel's.
public enum Capability: Int, CaseIterable, Sendable {
    /// To give files to other users.
    case chown = 0
    /// To read, write and remove what belongs to others.
    case dacOverride = 1
    /// To send signals to processes of others.
    case kill = 5
    /// To take other groups.
    case setgid = 6
    /// To become another user.
    case setuid = 7
    /// To enter another root directory.
    case sysChroot = 18
    /// To take a better priority than one has.
    case sysNice = 23

    /// Its name without "CAP_", as containers' options take it.
    public var shortName: String {
        switch self {
        case .chown: "CHOWN"
        case .dacOverride: "DAC_OVERRIDE"
        case .kill: "KILL"
        case .setgid: "SETGID"
        case .setuid: "SETUID"
        case .sysChroot: "SYS_CHROOT"
        case .sysNice: "SYS_NICE"
        }
    }

    /// Whether the calling process has it now; true where that can't be found out.
    public var isHeld: Bool {
        guard let bytes = try? Memory.readStream("/proc/thread-self/status", limit: 64 * 1024) else { return true }
        let key = Array("CapEff:\t".utf8)
        guard let line = bytes.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: key) }),
            let held = UInt64(String(decoding: line.dropFirst(key.count), as: UTF8.self), radix: 16)
        else { return true }
        return held & (1 << UInt64(rawValue)) != 0
    }

    /// What is missing, and how it is had.
    public var remedy: String {
        "httpd lacks CAP_\(shortName): give it back with --cap-add=\(shortName) of a container, or CapabilityBoundingSet= of a systemd unit"
    }

    /// The text of a failure of a call that needs this capability: with the remedy, when it is missing and may be the reason.
    public func explain(_ error: Errno) -> String {
        guard error.code == EPERM || error.code == EACCES, !isHeld else { return "\(error)" }
        return "\(error) (\(remedy))"
    }
}

extension SpawnFailure {
    /// What the step needs of root, if it needs anything.
    public var capability: Capability? {
        switch stage {
        case .groups, .gid: .setgid
        case .uid: .setuid
        case .priority: .sysNice
        case .confine: .sysChroot
        case .fork, .descriptors, .regained, .directory, .exec: nil
        }
    }

    /// Step and reason, with the capability that is missing.
    public var explanation: String {
        guard let capability else { return description }
        return "\(stage): \(capability.explain(error))"
    }
}
