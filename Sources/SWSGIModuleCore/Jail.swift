internal import Glibc

/// The root directory of a process group with `chroot=`: paths as httpd sees them, and as the group's processes do.
public struct Jail: Sendable {
    private let root: [UInt8]
    // Never freed: there is one of it.
    nonisolated(unsafe) private static let slash = UnsafePointer(strdup("/"))

    /// A jail at an absolute path without a slash at its end.
    public init(_ root: String) {
        self.root = Array(root.utf8)
    }

    /// The part of `path` that processes inside see, or nil when it is outside; nothing is copied.
    public func inside(_ path: UnsafePointer<CChar>) -> UnsafePointer<CChar>? {
        for (index, byte) in root.enumerated() where UInt8(bitPattern: path[index]) != byte { return nil }
        switch UInt8(bitPattern: path[root.count]) {
        case UInt8(ascii: "/"): return path + root.count
        case 0: return Self.slash
        default: return nil
        }
    }

    /// The same for a text.
    func inside(_ path: String) -> String? {
        path.withCString { inside($0).map { String(cString: $0) } }
    }

    /// Environ fields that are paths.
    private static let paths: [StaticString] = [
        "SCRIPT_FILENAME", "DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT", "PATH_TRANSLATED", "mod_wsgi.handler_script",
    ]

    /// An environ field's value as processes inside see it; what is no path of the jail stays as it is.
    public func value(_ name: UnsafePointer<CChar>, _ value: UnsafePointer<CChar>) -> UnsafePointer<CChar> {
        guard
            Self.paths.contains(where: {
                strcmp(UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self), name) == 0
            })
        else { return value }
        return inside(value) ?? value
    }
}
