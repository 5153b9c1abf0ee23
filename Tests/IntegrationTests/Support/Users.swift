import Foundation
import Glibc

/// The users and groups that applications of the tests run as; made once, and left there.
struct TestUser: Sendable {
    let name: String
    let uid: Int
    let gid: Int

    /// Primary group of its own name, also in `extraGroup`.
    static let first = make("swsgi-test-1")
    /// Another one, with the same extra group.
    static let second = make("swsgi-test-2")

    /// One whose processes a test may limit: the kernel counts those of all tests together.
    static let limited = make("swsgi-test-3")

    /// A group that all are members of.
    static let extraGroup = "swsgi-test-extra"
    static var extraGroupID: Int { groupID(extraGroup) }

    static func groupID(_ name: String) -> Int { getgrnam(name).map { Int($0.pointee.gr_gid) } ?? -1 }

    private static let lock = NSLock()

    private static func make(_ name: String) -> TestUser {
        // Other test processes make the same users.
        let accounts = open("/etc/passwd", O_RDONLY | O_CLOEXEC)
        flock(accounts, LOCK_EX)
        defer { close(accounts) }
        return lock.withLock {
            for group in [extraGroup, name] where getgrnam(group) == nil {
                _ = try? run("/usr/sbin/groupadd", ["--system", group])
            }
            if getpwnam(name) == nil {
                _ = try? run(
                    "/usr/sbin/useradd",
                    [
                        "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin",
                        "--gid", name, "--groups", extraGroup, name,
                    ]
                )
            }
            guard let entry = getpwnam(name) else { return TestUser(name: name, uid: -1, gid: -1) }
            return TestUser(name: name, uid: Int(entry.pointee.pw_uid), gid: Int(entry.pointee.pw_gid))
        }
    }
}
