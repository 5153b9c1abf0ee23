internal import CSWSGI
internal import Glibc
public import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire
internal import Synchronization

/// A bundle's service: what the main thread of a daemon process runs in place of requests.
public final class Service: @unchecked Sendable {  // immutable after `init`, and its tables are never freed
    private let host: UnsafeMutablePointer<swsgi_host>
    private let service: UnsafePointer<swsgi_service>
    private let control: UnsafeMutablePointer<swsgi_control>
    /// Which state of which entry file this is.
    public let version: ApplicationVersion

    /// Loads a service from `key.entryFile`; `directory` is an empty directory for the snapshot.
    public init(
        key: ApplicationKey,
        facts: HostFacts,
        directory: String,
        ownership: Ownership = Ownership(),
        log: @escaping LogSink
    ) throws(Problem) {
        let source = try BundleSource(key: key, usual: "service", directory: directory, ownership)
        version = source.version
        host = makeHostTable(key: key, facts: facts)
        let symbol = source.symbol
        loading.withLock { $0 = log }
        defer { loading.withLock { $0 = nil } }
        defer { ForkReturn.end(from: "the loading of \(key.entryFile)") }
        let address = try LoadedBundle.symbol(symbol, source.snapshot, entry: source.entry)
        typealias Function = @convention(c) (UnsafePointer<swsgi_host>) -> UnsafePointer<swsgi_service>?
        guard let table = unsafeBitCast(address, to: Function.self)(host) else {
            throw Problem(.refused, "'\(symbol)' of bundle \(source.entry.bundle) returned no service")
        }
        try LoadedBundle.check(
            version: table.pointee.abi_version,
            size: table.pointee.size,
            atLeast: MemoryLayout<swsgi_service>.size,
            bundle: source.entry.bundle,
            symbol: symbol
        )
        service = table
        control = .allocate(capacity: 1)
        control.initialize(
            to: swsgi_control(
                abi_version: SWSGI_ABI_VERSION,
                size: UInt32(MemoryLayout<swsgi_control>.size),
                stopping: { _ in ForkedProcess.isOne || ServiceStop.hasCome ? 1 : 0 },
                wait: { _, milliseconds in ForkedProcess.isOne || ServiceStop.wait(milliseconds) ? 1 : 0 }
            )
        )
        instances.withLock { $0[UInt(bitPattern: host)] = log }
    }

    /// Name and version of what made the bundle.
    public var sdk: String { String(decoding: bytes(service.pointee.sdk), as: UTF8.self) }

    /// Runs it until it returns; 0 is success.
    public func run() -> Int32 {
        let result = service.pointee.run(service.pointee.context, host, control)
        ForkReturn.end(from: "its service")
        return result
    }

    /// Tells it to return soon.
    public static func stop() { ServiceStop.come() }
}

/// Whether the process's service is to end: one for the process, any thread may wait for it.
private enum ServiceStop {
    private struct Condition: @unchecked Sendable {  // pthread's own, in memory that never moves
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

        init() {
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(changed, &attributes)
        }
    }

    private static let condition = Condition()
    private static let flag = Atomic<Bool>(false)

    static var hasCome: Bool { flag.load(ordering: .acquiring) }

    static func come() {
        pthread_mutex_lock(condition.mutex)
        flag.store(true, ordering: .releasing)
        pthread_cond_broadcast(condition.changed)
        pthread_mutex_unlock(condition.mutex)
    }

    static func wait(_ milliseconds: Int64) -> Bool {
        pthread_mutex_lock(condition.mutex)
        defer { pthread_mutex_unlock(condition.mutex) }
        // A year is for ever: the sum does not overflow.
        let end = Clock.monotonic + min(milliseconds, 31_536_000_000) * 1_000_000
        var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        while !hasCome {
            if milliseconds < 0 {
                pthread_cond_wait(condition.changed, condition.mutex)
            } else if pthread_cond_timedwait(condition.changed, condition.mutex, &time) != 0 {
                break
            }
        }
        return hasCome
    }
}
