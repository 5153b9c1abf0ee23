internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// Opens files of applications, and looks at who could have written them.
///
/// Only what is open is looked at: nobody can exchange a file or a directory between the look and the use.
struct OwnershipCheck {
    private let ownership: Ownership
    private let kind: String

    init(_ ownership: Ownership, kind: String) {
        self.ownership = ownership
        self.kind = kind
    }

    private var isNeeded: Bool { ownership != Ownership() }

    /// Opens a file, after each directory that the way to it leads through by links.
    func open(_ path: String) throws(Problem) -> SharedDescriptor {
        guard isNeeded else { return try openFile(AT_FDCWD, path, path, 0) }
        var place = path
        for _ in 0..<Self.linkLimit {
            let directory = EntryFile.directory(of: place)
            let name = String(place.split(separator: "/").last ?? "")
            let number = Glibc.open(directory, Self.pathOnly | O_DIRECTORY | O_CLOEXEC)
            guard number >= 0 else { throw SourceFile.problem(.last, path, kind) }
            let parent = Descriptor(owning: number)
            try check(
                try status(parent.number, path),
                "the directory \(directory) of \(kind) \(path)",
                isDirectory: true
            )
            try checkAbove(parent.number, path)
            if let target = Self.link(parent.number, name) {
                place = target.hasPrefix("/") ? target : directory + "/" + target
                continue
            }
            // Should it become a link right now, it is not followed.
            let file = try openFile(parent.number, name, path, O_NOFOLLOW)
            let status = try status(file.number, path)
            // Of anything else the message says what it is: it is not loaded anyway.
            if status.st_mode & S_IFMT == S_IFREG { try check(status, "\(kind) \(path)", isDirectory: false) }
            return file
        }
        throw SourceFile.problem(Errno(ELOOP), path, kind)
    }

    /// Looks at all directories above one: who may write there can put another in its place.
    private func checkAbove(_ directory: Int32, _ path: String) throws(Problem) {
        var last = try status(directory, path)
        var place: Descriptor?
        while true {
            let number = openat(place?.number ?? directory, "..", Self.pathOnly | O_DIRECTORY | O_CLOEXEC)
            guard number >= 0 else { throw SourceFile.problem(.last, path, kind) }
            let above = Descriptor(owning: number)
            let found = try status(above.number, path)
            if found.st_ino == last.st_ino, found.st_dev == last.st_dev { return }
            if found.st_mode & 0o002 != 0, found.st_mode & S_ISVTX == 0 {
                let text = "a directory above \(kind) \(path) may be written to by everybody (\(Self.mode(found)))"
                throw Problem(.everybodyMayWrite, text)
            }
            last = found
            place = consume above
        }
    }

    private static func mode(_ status: stat) -> String { "mode 0\(String(status.st_mode & 0o7777, radix: 8))" }

    private static let linkLimit = 16
    /// O_PATH, which hides behind _GNU_SOURCE: the right to read the directory is not needed.
    private static let pathOnly: Int32 = 0o10_000_000

    private static func link(_ directory: Int32, _ name: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlinkat(directory, name, start, buffer.count)
            guard length >= 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
        }
    }

    private func openFile(
        _ directory: Int32,
        _ name: String,
        _ path: String,
        _ flags: Int32
    ) throws(Problem) -> SharedDescriptor {
        // O_NONBLOCK: opening a pipe must not wait for a writer.
        let number = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags)
        guard number >= 0 else { throw SourceFile.problem(.last, path, kind) }
        return SharedDescriptor(Descriptor(owning: number))
    }

    private func status(_ descriptor: Int32, _ path: String) throws(Problem) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SourceFile.problem(.last, path, kind) }
        return status
    }

    private func check(_ status: stat, _ what: String, isDirectory: Bool) throws(Problem) {
        if let uid = ownership.uid, status.st_uid != uid {
            throw Problem(.ownerForeign, "\(what) belongs to uid \(status.st_uid), and not to script-user, uid \(uid)")
        }
        if let gid = ownership.gid, status.st_gid != gid {
            throw Problem(.groupForeign, "\(what) belongs to gid \(status.st_gid), and not to script-group, gid \(gid)")
        }
        let mode = Self.mode(status)
        if ownership.uid != nil, status.st_mode & 0o020 != 0 {
            throw Problem(.groupMayWrite, "\(what) may be written to by its group (\(mode))")
        }
        // With the sticky bit nobody can exchange the files of others.
        let isSticky = isDirectory && status.st_mode & S_ISVTX != 0
        if status.st_mode & 0o002 != 0, !isSticky {
            throw Problem(.everybodyMayWrite, "\(what) may be written to by everybody (\(mode))")
        }
    }
}
