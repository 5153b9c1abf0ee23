internal import Glibc

/// The directory of one supervisor, or of one generation of httpd's children, with a directory for each process in it.
///
/// What stands in a process's directory belongs to a tenant, who may change it at any moment: it is only ever reached through
/// descriptors of directories, never through a path, and links are never followed.
public final class SnapshotDirectory {
    /// Its absolute path.
    public let path: String
    private let descriptor: SharedDescriptor
    private var leftovers: [String] = []
    private var moved = 0

    /// Makes it in `base`, with a name that nobody can guess; its parts have names that may be known.
    public init(base: String) throws(Errno) {
        var template = Array("\(base)/swsgi-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw .last }
        path = made
        descriptor = SharedDescriptor(try Descriptor.open(made, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        // Tells other supervisors that this directory is in use, until we end, however that is.
        guard flock(descriptor.number, LOCK_EX | LOCK_NB) == 0, fchmod(descriptor.number, 0o711) == 0 else {
            throw .last
        }
    }

    /// One that is there already, and whose parts are known by their names.
    public init(existing path: String) throws(Errno) {
        self.path = path
        descriptor = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    }

    /// Says that this process uses it; false: another says that it must not.
    public func lock(shared: Bool) -> Bool { flock(descriptor.number, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 }

    /// Takes that back, for whoever has the same open file.
    public func unlock() { flock(descriptor.number, LOCK_UN) }

    /// Removes everything that is in it, and itself.
    public func removeWithContents() {
        leftovers = Self.names(in: path)
        removeAll()
    }

    private init(abandoned path: String, _ descriptor: SharedDescriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    /// How the directories of a generation's children begin, which httpd's parent makes.
    public static let childrenPrefix = "swsgi.embedded-"
    /// Seconds in which httpd's parent has surely locked one that it has made.
    private static let youth = 2

    /// Removes the directories of supervisors, and of httpd's children, that ended without doing so.
    public static func removeAbandoned(base: String) {
        for name in names(in: base) {
            let isChildrens = name.hasPrefix(childrenPrefix)
            guard isChildrens || name.hasPrefix("swsgi-") else { continue }
            let path = "\(base)/\(name)"
            guard let descriptor = try? SharedDescriptor(Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
            else {
                continue
            }
            var status = stat()
            guard fstat(descriptor.number, &status) == 0 else { continue }
            let isOurs = status.st_uid == geteuid() && status.st_mode & 0o777 == 0o711
            let isOld = status.st_mode & 0o777 == 0o700 && time(nil) - status.st_ctim.tv_sec > youth
            guard isChildrens ? isOld : isOurs, flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 else { continue }
            let abandoned = SnapshotDirectory(abandoned: path, descriptor)
            abandoned.leftovers = names(in: path)
            abandoned.removeAll()
        }
    }

    /// The names in a directory, at most 10,000.
    public static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < 10_000, let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes a process's directory, for its user alone; returns its path.
    public func make(_ name: String, owner: Identity?) throws(Errno) -> String {
        guard mkdirat(descriptor.number, name, 0o700) == 0 else { throw .last }
        if let owner, fchownat(descriptor.number, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0 {
            let failure = Errno.last
            unlinkat(descriptor.number, name, AT_REMOVEDIR)
            throw failure
        }
        return "\(path)/\(name)"
    }

    /// Removes a process's directory, or as much of it as is done in a moment: `removeMore` goes on.
    public func remove(_ name: String) {
        leftovers.append(name)
        removeMore(entries: 256)
    }

    /// Whether something is still to be removed.
    public var hasLeftovers: Bool { !leftovers.isEmpty }

    /// Goes on removing what processes have left: at most so many entries, as a tenant can leave any number.
    public func removeMore(entries: Int) {
        var budget = entries
        while budget > 0, let name = leftovers.first {
            empty(Array(name.utf8CString), in: descriptor.number, depth: 0, budget: &budget)
            if unlinkat(descriptor.number, name, AT_REMOVEDIR) == 0 || errno == ENOENT || budget > 0 {
                leftovers.removeFirst()
            }
        }
    }

    /// Removes everything.
    public func removeAll() {
        removeMore(entries: 1_000_000)
        rmdir(path)
    }

    private func empty(_ name: [CChar], in parent: Int32, depth: Int, budget: inout Int) {
        let number = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { return }
        guard let stream = fdopendir(number) else {
            close(number)
            return
        }
        defer { closedir(stream) }
        while budget > 0, let entry = readdir(stream) {
            // Bytes, not text: a name need not be UTF-8.
            let child = withUnsafeBytes(of: &entry.pointee.d_name) {
                Array($0.prefix { $0 != 0 }.map(CChar.init(bitPattern:))) + [0]
            }
            guard child != [0x2e, 0], child != [0x2e, 0x2e, 0] else { continue }
            budget -= 1
            remove(child, in: number, depth: depth, budget: &budget)
        }
    }

    private func remove(_ child: [CChar], in parent: Int32, depth: Int, budget: inout Int) {
        if unlinkat(parent, child, 0) == 0 { return }
        if depth < 16 {
            empty(child, in: parent, depth: depth + 1, budget: &budget)
            unlinkat(parent, child, AT_REMOVEDIR)
        } else {
            // A tenant can nest deeper than we have descriptors: what is deep becomes a directory beside.
            moved += 1
            let name = "deep-\(moved)"
            if renameat(parent, child, descriptor.number, name) == 0 { leftovers.append(name) }
        }
    }
}
