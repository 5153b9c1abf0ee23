import Glibc

/// A failed call of the system.
struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ call: String, _ name: String) {
        description = "\(call) of '\(name)' failed: \(String(cString: strerror(errno)))"
    }
}

/// A file that is being written; it goes away unless it is kept.
final class NewFile {
    private let name: String
    private let temporaryName: String
    private let descriptor: Int32
    private var isKept = false

    init(_ name: String) throws {
        var template = Array("\(name).XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        self.name = name
        temporaryName = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if descriptor < 0 {
            isKept = true
            throw FileError("creation", name)
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileError("write", name) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Gives the complete file its name, in place of any older one.
    func keep() throws {
        guard rename(temporaryName, name) == 0 else { throw FileError("rename", name) }
        isKept = true
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isKept { unlink(temporaryName) }
    }
}

/// Whether there was such a file to remove.
func remove(_ name: String) -> Bool { unlink(name) == 0 }
