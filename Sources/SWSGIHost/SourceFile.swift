internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire

extension FileIdentity {
    /// The identity of what stands at `path` now, or nil when there is nothing.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        self.init(
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            modified: Self.microseconds(status.st_mtim),
            changed: Self.microseconds(status.st_ctim)
        )
    }

    private static func microseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}

/// An entry file or bundle that has been opened: what is read is what was checked.
struct SourceFile {
    let path: String
    let descriptor: SharedDescriptor
    let identity: FileIdentity

    /// Opens a regular file that may be loaded; `kind` is "entry file" or "bundle", for the messages.
    init(_ path: String, kind: String, _ ownership: Ownership = Ownership()) throws(Problem) {
        self.path = path
        descriptor = try OwnershipCheck(ownership, kind: kind).open(path)
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw Self.problem(.last, path, kind) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: identity = FileIdentity(status)
        case S_IFDIR: throw Problem(.fileIsDirectory, "\(kind) \(path) is a directory")
        default: throw Problem(.fileNotRegular, "\(kind) \(path) is not a regular file")
        }
    }

    /// The first bytes, up to `count`.
    func prefix(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, pread(descriptor.number, buffer.baseAddress, count, 0))
        }
    }

    static func problem(_ error: Errno, _ path: String, _ kind: String) -> Problem {
        switch error.code {
        case ENOENT, ENOTDIR: Problem(.fileMissing, "\(kind) \(path) does not exist")
        case EISDIR: Problem(.fileIsDirectory, "\(kind) \(path) is a directory")
        case ENXIO, ENODEV: Problem(.fileNotRegular, "\(kind) \(path) is not a regular file")
        default: Problem(.fileUnreadable, "\(kind) \(path) can't be opened by uid \(geteuid()): \(error)")
        }
    }
}
