internal import Glibc

/// Reading, as root, a file that somebody else may have a hand in.
public enum TrustedFile {
    /// Why a file is not read.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// A system call failed.
        case system(Errno)
        /// It is not a regular file.
        case notRegular
        /// Somebody else than `uid` and root could have put it, or its content, there.
        case untrusted(String)

        /// For a log line.
        public var description: String {
            switch self {
            case .system(let error): Capability.dacOverride.explain(error)
            case .notRegular: "it is not a regular file"
            case .untrusted(let why): why
            }
        }
    }

    /// Reads a file for the processes of user `uid`, up to `limit` bytes.
    ///
    /// What that user may not read by itself must not get to it: no component of the path may be a symbolic link, and a file of
    /// root's counts only in a directory that nobody else can put files, or other names of files, into.
    public static func read(_ path: String, for uid: UInt32, limit: Int) throws(Failure) -> [UInt8] {
        var directory = try open("/", O_RDONLY | O_DIRECTORY, in: AT_FDCWD)
        let parts = path.split(separator: "/").map(String.init)
        guard let name = parts.last else { throw .notRegular }
        for part in parts.dropLast() { directory = try open(part, O_RDONLY | O_DIRECTORY, in: directory.number) }
        // O_NONBLOCK: opening a pipe must not wait for a writer.
        let file = try open(name, O_RDONLY | O_NONBLOCK, in: directory.number)
        let facts = try status(file.number)
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard facts.st_mode & 0o002 == 0 else { throw .untrusted("everybody may write to it") }
        let place = try status(directory.number)
        let isRootsPlace = place.st_uid == 0 && place.st_mode & 0o022 == 0
        guard facts.st_uid == uid || facts.st_uid == 0 && isRootsPlace else {
            throw .untrusted(
                "it belongs to uid \(facts.st_uid); it must be uid \(uid)'s, or root's in a directory that only root may write to"
            )
        }
        do throws(Errno) {
            return try Memory.read(file.number, limit: limit)
        } catch {
            throw .system(error)
        }
    }

    /// Insists that nobody but root can put another directory in the place of `path`, or links into it.
    public static func checkRoots(directory path: String) throws(Failure) {
        var directory = try open("/", O_RDONLY | O_DIRECTORY, in: AT_FDCWD)
        for part in path.split(separator: "/").map(String.init) {
            directory = try open(part, O_RDONLY | O_DIRECTORY, in: directory.number)
            let facts = try status(directory.number)
            guard facts.st_uid == 0 else {
                throw .untrusted("'\(part)' belongs to uid \(facts.st_uid), and not to root")
            }
            guard facts.st_mode & 0o022 == 0 || facts.st_mode & S_ISVTX != 0 else {
                throw .untrusted("others than root may write to '\(part)'")
            }
        }
    }

    private static func open(_ name: String, _ flags: Int32, in directory: Int32) throws(Failure) -> Descriptor {
        let number = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else {
            let error = Errno.last
            if error.code == ELOOP || error.code == ENOTDIR {
                throw .untrusted("'\(name)' is a symbolic link, or no directory")
            }
            throw .system(error)
        }
        return Descriptor(owning: number)
    }

    private static func status(_ descriptor: Int32) throws(Failure) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(.last) }
        return status
    }
}
