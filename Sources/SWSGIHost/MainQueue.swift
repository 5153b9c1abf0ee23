internal import Glibc
internal import SWSGISystem
internal import Synchronization

/// The main queue of a libdispatch that a bundle has brought: what `DispatchQueue.main` and `@MainActor` run on.
///
/// It belongs to the thread that has mapped libdispatch. That thread waits for the queue's event, and then lets it run: by the two
/// functions that are there for run loops (CoreFoundation's among them).
public struct MainQueue: Sendable {
    typealias Run = @convention(c) @Sendable (UnsafeMutableRawPointer?) -> Void
    private typealias Event = @convention(c) () -> Int32

    private static let known = Lock<Set<UInt>>([])
    private let run: Run
    /// A descriptor (eventfd) that is readable when the queue has work; libdispatch's own.
    public let event: Int32

    /// The main queue that a bundle sees which has just been mapped; nil if it sees none, or one that is served already.
    ///
    /// `former` is `MainQueue.present` from before: what was there and is not known belongs to some other thread.
    init?(of handle: UnsafeMutableRawPointer, former: UInt) {
        guard let run = dlsym(handle, Self.runName),
            let event = dlsym(handle, "_dispatch_get_main_queue_handle_4CF")
        else { return nil }
        let address = UInt(bitPattern: run)
        guard address != former, Self.known.withLock({ $0.insert(address).inserted }) else { return nil }
        self.run = unsafeBitCast(run, to: Run.self)
        self.event = unsafeBitCast(event, to: Event.self)()
        guard self.event >= 0 else { return nil }
    }

    private static let runName = "_dispatch_main_queue_callback_4CF"

    /// Where the shared libdispatch of the process has its function, or 0 when there is none yet.
    static var present: UInt {
        guard let handle = dlopen("libdispatch.so", RTLD_LAZY | Int32(RTLD_NOLOAD)) else { return 0 }
        defer { dlclose(handle) }
        return UInt(bitPattern: dlsym(handle, runName))
    }

    /// Runs what waits in it, on the thread that it belongs to.
    public func runPending() {
        var count: UInt64 = 0
        _ = read(event, &count, 8)
        run(nil)
    }
}
