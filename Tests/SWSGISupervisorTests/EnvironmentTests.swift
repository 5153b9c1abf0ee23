import Foundation
import Glibc
import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

/// The environment of daemon processes, and the file that adds to it.
@Suite struct EnvironmentTests {
    /// Removed with the object; only its owner may write to it.
    private final class Directory {
        let path: String

        init() throws {
            var template = Array("/var/tmp/swsgi-environment-XXXXXX".utf8CString)
            path = String(cString: try #require(mkdtemp(&template)))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, _ name: String = "a.env", mode: mode_t = 0o600) throws -> String {
            try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
            chmod("\(path)/\(name)", mode)
            return "\(path)/\(name)"
        }
    }

    private func group(_ file: String?) -> GroupPlan {
        var group = GroupPlan(
            name: "one",
            changesIdentity: true,
            uid: getuid(),
            gid: getgid(),
            groups: [],
            userName: "user1",
            userHome: "/home/user1",
            directory: "/",
            umask: nil,
            processes: 1,
            threads: 1,
            displayName: nil,
            startupTimeout: 1,
            shutdownTimeout: 1,
            applications: []
        )
        group.surroundings.environmentFile = file
        return group
    }

    @Test func environment_isMadeFromNothing() throws {
        #expect(
            try WorkerEnvironment.make(group(nil), backtrace: nil) == [
                "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/home/user1", "USER=user1", "LOGNAME=user1",
                "SWIFT_BACKTRACE=enable=no",
            ]
        )
    }

    @Test func languageAndFile_replaceWhatIsUsual_once() throws {
        let directory = try Directory()
        var group = try group(directory.write("PATH=/opt/bin\nSECRET='a b'\n"))
        group.surroundings.lang = "de_DE.UTF-8"
        group.surroundings.locale = "C"
        #expect(
            try WorkerEnvironment.make(group, backtrace: nil) == [
                "LANG=de_DE.UTF-8", "HOME=/home/user1", "USER=user1", "LOGNAME=user1", "LC_ALL=C", "PATH=/opt/bin",
                "SECRET=a b", "SWIFT_BACKTRACE=enable=no",
            ]
        )
    }

    private func failure(_ path: String, for uid: UInt32 = getuid()) -> TrustedFile.Failure? {
        do throws(TrustedFile.Failure) {
            _ = try TrustedFile.read(path, for: uid, limit: 64)
            return nil
        } catch {
            return error
        }
    }

    @Test func fileThatSomebodyElseHadAHandIn_isNotRead() throws {
        let directory = try Directory()
        let file = try directory.write("A=1\n")
        #expect(failure(file) == nil)
        symlink(file, "\(directory.path)/link")
        guard case .untrusted = failure("\(directory.path)/link") else { throw Unexpected() }
        symlink(directory.path, "\(directory.path)/inner")
        guard case .untrusted = failure("\(directory.path)/inner/a.env") else { throw Unexpected() }
        #expect(
            failure(try directory.write("A=1\n", "open.env", mode: 0o666)) == .untrusted("everybody may write to it")
        )
        mkfifo("\(directory.path)/pipe", 0o600)
        #expect(failure("\(directory.path)/pipe") == .notRegular)
        #expect(failure(directory.path) == .notRegular)
        #expect(failure("\(directory.path)/missing") == .system(Errno(ENOENT)))
        #expect(failure(try directory.write(String(repeating: "x", count: 65), "long.env")) == .system(Errno(EFBIG)))
    }

    /// A tenant can give a file of root's another name in a directory of its own.
    @Test(.enabled(if: geteuid() == 0)) func fileOfRoots_isReadInPlacesOfRootsOnly() throws {
        let directory = try Directory()
        let file = try directory.write("A=1\n")
        #expect(failure(file, for: 1) == nil)
        chmod(directory.path, 0o1777)
        guard case .untrusted = failure(file, for: 1) else { throw Unexpected() }
        chmod(directory.path, 0o700)
        chown(directory.path, 1, 1)
        guard case .untrusted = failure(file, for: 1) else { throw Unexpected() }
        chown(file, 1, 1)
        #expect(failure(file, for: 1) == nil)
        guard case .untrusted = failure(file, for: 2) else { throw Unexpected() }
    }

    private struct Unexpected: Error {}
}
