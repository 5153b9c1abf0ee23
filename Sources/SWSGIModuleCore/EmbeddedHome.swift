internal import Glibc
public import SWSGISystem

/// The directory in which the children of one generation keep the snapshots of embedded mode; made, and removed, by httpd's parent.
///
/// Only the children's user can look into it. Each child removes what is its own; what a child has left that was killed, a later
/// child removes, or at the end `swsgid sweep`: the parent never looks into it.
///
/// The end is when nobody holds the lock any more that the parent takes before it forks: its children inherit the open file, from
/// their first moment, and with the last of them the kernel gives the lock back.
public final class EmbeddedHome {
    /// Its path.
    public let path: String
    private let directory: SnapshotDirectory
    private var presence: SnapshotDirectory?
    private let program: String

    /// Makes it below `base`, for the children's user; `program` is swsgid.
    public init(base: String, program: String, uid: UInt32, gid: UInt32) throws(Errno) {
        var template = Array("\(base)/\(SnapshotDirectory.childrenPrefix)XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw .last }
        path = made
        self.program = program
        directory = try SnapshotDirectory(existing: made)
        presence = try SnapshotDirectory(existing: made)
        guard presence?.lock(shared: true) == true else { throw .last }
        guard geteuid() == 0, chown(made, uid, gid) != 0 else { return }
        let failure = Errno.last
        rmdir(made)
        throw failure
    }

    /// In the parent: from now on only children need it, and later ones don't inherit it.
    public func leave() { presence = nil }

    /// Removes it when no child needs it any more; true: it is gone, or being removed.
    ///
    /// Gives the process that removes what children have left, if one is needed.
    public func retire() -> (isDone: Bool, sweeper: Int32?) {
        guard directory.lock(shared: false) else { return (false, nil) }
        // Children have inherited this open file too.
        directory.unlock()
        if rmdir(path) == 0 || errno == ENOENT { return (true, nil) }
        return (true, try? sweep())
    }

    private func sweep() throws -> Int32 {
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let sweeper = Program(
            path: program,
            arguments: [program, "sweep", path],
            environment: ["SWIFT_BACKTRACE=enable=no"] + LogText.zone,
            descriptors: [null.number, null.number, null.number]
        )
        return try sweeper.start()
    }
}

/// One child's part of that directory.
///
/// Used by one thread at a time.
public final class EmbeddedSnapshots {
    private let home: SnapshotDirectory
    private let name = String(getpid())
    private var path: String?
    private var count = 0

    /// Joins the children of a generation, and removes what those have left that are no more.
    public init(home path: String) throws(Errno) {
        home = try SnapshotDirectory(existing: path)
        for name in SnapshotDirectory.names(in: path) {
            guard let pid = Int32(name), pid == getpid() || kill(pid, 0) != 0 && errno == ESRCH else { continue }
            home.remove(name)
            while home.hasLeftovers { home.removeMore(entries: 1024) }
        }
    }

    /// An empty directory for one snapshot: two levels below, so that a library in '$ORIGIN/../lib' has its place in there.
    public func next() throws(Errno) -> String {
        if path == nil { path = try home.make(name, owner: nil) }
        count += 1
        var directory = path ?? ""
        for part in [String(count), "bundle", "bin"] {
            directory += "/" + part
            guard mkdir(directory, 0o700) == 0 else { throw .last }
        }
        return directory
    }

    /// Removes the last of them, of which nothing is in use.
    public func removeLast() {
        guard path != nil else { return }
        home.remove("\(name)/\(count)")
        while home.hasLeftovers { home.removeMore(entries: 1024) }
    }

    /// Removes what this child has made.
    public func remove() {
        guard path != nil else { return }
        path = nil
        home.remove(name)
        while home.hasLeftovers { home.removeMore(entries: 1024) }
    }
}
