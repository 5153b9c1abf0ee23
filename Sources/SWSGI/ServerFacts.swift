import CSWSGI

/// What the host says about itself and about the process, in the words of mod_wsgi.
public struct ServerFacts {
    let host: UnsafePointer<swsgi_host>

    /// Name and version of the host, as in "mod_swsgi/0.1.0".
    public var software: String { String(host.pointee.software) }

    /// The name of the process group; empty in embedded mode.
    public var processGroup: String { String(host.pointee.process_group) }

    /// The name of the application group; empty for `%{GLOBAL}`.
    public var applicationGroup: String { String(host.pointee.application_group) }

    /// The path of the entry file that the bundle was loaded from.
    public var entryFile: String { String(host.pointee.entry_file) }

    /// The directory of that file, without a slash at its end: where what is deployed beside it is found.
    ///
    /// The bundle itself is mapped from a private copy, which has nothing beside it.
    public var entryDirectory: String {
        let path = entryFile
        return String(path[..<(path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.endIndex)])
    }

    /// How many requests may run in this process at once.
    public var threads: Int { Int(host.pointee.threads) }

    /// How many daemon processes the process group has.
    public var processes: Int { Int(host.pointee.processes) }
}

// The host's table is constant and lives as long as the process.
extension ServerFacts: @unchecked Sendable {}
