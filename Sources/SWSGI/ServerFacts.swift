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

    /// How many requests may run in this process at once.
    public var threads: Int { Int(host.pointee.threads) }

    /// How many daemon processes the process group has.
    public var processes: Int { Int(host.pointee.processes) }
}

// The host's table is constant and lives as long as the process.
extension ServerFacts: @unchecked Sendable {}
