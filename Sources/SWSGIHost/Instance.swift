internal import CSWSGI
internal import Glibc
public import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire
internal import Synchronization

/// What the host tells its applications about the process.
public struct HostFacts: Sendable {
    /// Name of the process group; empty in embedded mode.
    public var processGroup: String
    /// Request threads of this process.
    public var threads: UInt32
    /// Processes of the group.
    public var processes: UInt32
    /// Whether the application is told that other processes run beside it.
    public var isMultiprocess: Bool
    /// Whether the application is told that it is called once in this process.
    public var isRunOnce = false

    /// Facts from their parts.
    public init(
        processGroup: String,
        threads: UInt32,
        processes: UInt32,
        isMultiprocess: Bool = false,
        isRunOnce: Bool = false
    ) {
        self.isMultiprocess = isMultiprocess
        self.isRunOnce = isRunOnce
        self.processGroup = processGroup
        self.threads = threads
        self.processes = processes
    }
}

/// Where log lines without an exchange go: httpd's level, then the text.
public typealias LogSink = @Sendable (LogLevel, String) -> Void

/// One loaded instance of a bundle; lives as long as the process.
public final class Instance: @unchecked Sendable {  // immutable after `init`, and its tables are never freed
    /// Which state of which application this is.
    public let version: ApplicationVersion
    let host: UnsafeMutablePointer<swsgi_host>
    let application: UnsafePointer<swsgi_application>
    let log: LogSink
    let constants: ConstantFields
    /// The main queue that has come with the bundle, for the thread that has loaded it; nil when it has brought none.
    public let mainQueue: MainQueue?
    /// The key's texts as heads have them.
    private let names: ([UInt8], [UInt8], [UInt8])

    /// Name and version of this host.
    public static let software = "mod_swsgi/" + version
    /// Version of this host.
    static let version = productVersion

    /// Loads an application from `version.key.entryFile`; `directory` is an empty directory for the snapshot.
    ///
    /// `isGuest`: the process belongs to somebody else, and the entry file may not change it. `whenMapped` is called when the
    /// bundle is there, and before anything of it is called.
    /// - Throws: a problem with a code of the 2xxx range, or one that `forbids`.
    public init(
        key: ApplicationKey,
        facts: HostFacts,
        directory: String,
        ownership: Ownership = Ownership(),
        isGuest: Bool = false,
        whenMapped: () -> Void = {},
        log: @escaping LogSink
    ) throws(Problem) {
        let source = try BundleSource(
            key: key,
            usual: "application",
            directory: directory,
            ownership,
            isGuest: isGuest
        )
        version = source.version
        self.log = log
        names = (Array(key.entryFile.utf8), Array(key.applicationGroup.utf8), Array(key.symbol.utf8))
        let entry = source.entry
        host = makeHostTable(key: key, facts: facts)
        let symbol = source.symbol
        constants = ConstantFields(key: key, symbol: symbol, facts: facts)
        loading.withLock { $0 = log }
        defer { loading.withLock { $0 = nil } }
        defer { ForkReturn.end(from: "the loading of \(key.entryFile)") }
        var queue: MainQueue?
        // In httpd's process the main thread has other work.
        let former = isGuest ? 0 : MainQueue.present
        let address = try LoadedBundle.symbol(symbol, source.snapshot, entry: entry) { handle in
            if !isGuest { queue = MainQueue(of: handle, former: former) }
        }
        mainQueue = queue
        whenMapped()
        application = try LoadedBundle(address, entry: entry, symbol: symbol, host: host).application
        let table = UInt(bitPattern: host)
        instances.withLock { $0[table] = log }
    }

    /// Name and version of what made the bundle.
    public var sdk: String { String(decoding: Self.bytes(application.pointee.sdk), as: UTF8.self) }

    /// Whether this is the instance for an exchange, with nothing to ask about a newer entry file.
    public func serves(_ head: ReceivedHead) -> Bool {
        (head.identity == version.identity || !head.flags.contains(.reloading)) && Self.isEqual(names.0, head.entryFile)
            && Self.isEqual(names.1, head.applicationGroup) && Self.isEqual(names.2, head.symbol)
    }

    private static func isEqual(_ name: [UInt8], _ text: UnsafeRawBufferPointer) -> Bool {
        name.withUnsafeBytes { SWSGIHost.isEqual($0, text) }
    }

    /// The same for a request of this process; `identity` nil: whatever the entry file is now.
    public func serves(
        _ entryFile: UnsafePointer<CChar>,
        _ applicationGroup: UnsafePointer<CChar>,
        _ symbol: UnsafePointer<CChar>,
        _ identity: FileIdentity?
    ) -> Bool {
        (identity == nil || identity == version.identity) && Self.isEqual(names.0, entryFile)
            && Self.isEqual(names.1, applicationGroup) && Self.isEqual(names.2, symbol)
    }

    private static func isEqual(_ name: [UInt8], _ text: UnsafePointer<CChar>) -> Bool {
        name.withUnsafeBytes { bytes in
            bytes.isEmpty
                || strncmp(text, bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? text, bytes.count) == 0
        } && text[name.count] == 0
    }

    /// Tells the application that the process is about to end.
    public func stop() {
        application.pointee.stopping?(application.pointee.context, host)
        ForkReturn.end(from: "its 'stopping'")
    }

    /// Tells the application what happens to the process, if its table has room for that.
    public func tell(_ event: ProcessEvent) {
        let end = MemoryLayout<swsgi_application>.offset(of: \.event).map { $0 + MemoryLayout<Int>.size }
        guard let end, Int(application.pointee.size) >= end, let function = application.pointee.event else { return }
        let (kind, detail) = event.forApplications
        detail.withCString { bytes in
            let text = swsgi_text(bytes: bytes, length: detail.utf8.count)
            function(application.pointee.context, host, Int32(kind), text)
        }
        ForkReturn.end(from: "an event")
    }

    private static func bytes(_ text: swsgi_text) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.bytes, count: text.bytes == nil ? 0 : text.length)
    }
}
