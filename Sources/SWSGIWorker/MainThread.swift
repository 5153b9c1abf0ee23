internal import Glibc
internal import SWSGIHost
internal import SWSGISystem
internal import Synchronization

/// The main thread of a daemon process, when applications need it: it maps their bundles and serves their main queues.
///
/// Until then the main thread is the control thread. When a bundle with a libdispatch is there, or is to be loaded while requests
/// run, the control thread becomes one of its own: what an application does on its main queue must not hold up signals and the
/// supervisor. libdispatch takes the thread that maps it for the main one, so that no other thread may map a bundle.
final class MainThread: Sendable {
    private enum Place { case controls, serves, refused }

    private struct Content {
        var place = Place.controls
        var queues: [MainQueue] = []
        var jobs: [@Sendable () -> Void] = []
    }

    private let content = Lock(Content())
    private let condition = Condition()

    /// Whether the main thread is to do its own work, and the control thread to be another one.
    var isWanted: Bool {
        content.withLock { $0.place == .controls && !($0.queues.isEmpty && $0.jobs.isEmpty) }
    }

    /// The main thread serves this queue, from now on.
    func serve(_ queue: MainQueue) {
        content.withLock { $0.queues.append(queue) }
        wake()
    }

    /// Runs work on the main thread and waits for its end; on the calling thread where the main thread can't be had.
    func perform(_ work: @escaping @Sendable () -> Void) {
        guard ControlThread.current != getpid(), let done = Self.pipe() else { return work() }
        defer {
            close(done.reading)
            close(done.writing)
        }
        let isAccepted = content.withLock { content in
            guard content.place != .refused else { return false }
            content.jobs.append {
                work()
                Self.writeByte(done.writing)
            }
            return true
        }
        guard isAccepted else { return work() }
        wake()
        ControlThread.wake()
        var byte: UInt8 = 0
        // Interruptions tell request threads that wait for exchanges to look up.
        while read(done.reading, &byte, 1) < 0, errno == EINTR {}
    }

    /// The control thread is about to become another one.
    func free() { content.withLock { $0.place = .serves } }

    /// There is no thread for the control thread: everything stays as it is, and main queues are not served.
    func refuse() {
        let jobs = content.withLock { content in
            content.place = .refused
            defer { content.jobs = [] }
            return content.jobs
        }
        for job in jobs { job() }
    }

    /// The main thread's work, as long as the process lives.
    func run() -> Never {
        ControlThread.leave()
        var queues: [MainQueue] = []
        while true {
            // This takes the events away; what comes after them is seen below, or makes a new one.
            for queue in queues { queue.runPending() }
            let (jobs, known) = content.withLock { content in
                defer { content.jobs = [] }
                return (content.jobs, content.queues)
            }
            let isNew = known.count > queues.count
            queues = known
            for job in jobs { job() }
            if jobs.isEmpty, !isNew { wait(queues.map(\.event)) }
        }
    }

    /// Waits until a queue has work, or something new has come.
    private func wait(_ events: [Int32]) {
        guard !events.isEmpty else { return condition.wait() }
        var polled = events.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // An application that has closed what is not its own must not make this thread turn for ever.
        let isBroken =
            poll(&polled, nfds_t(polled.count), -1) > 0 && polled.contains { $0.revents & Int16(POLLNVAL) != 0 }
        if isBroken { usleep(100_000) }
    }

    /// Says that there is something new: by the event of a queue, which costs no descriptor of our own.
    private func wake() {
        condition.signal()
        guard let event = content.withLock({ $0.queues.first?.event }) else { return }
        var one: UInt64 = 1
        _ = write(event, &one, 8)
    }

    private static func pipe() -> (reading: Int32, writing: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func writeByte(_ descriptor: Int32) {
        var byte: UInt8 = 1
        _ = write(descriptor, &byte, 1)
    }
}

/// A condition variable with its mutex: wakes a thread that has no descriptor to wait for.
private struct Condition: @unchecked Sendable {  // pthread's own, in memory that never moves
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let isSignalled = UnsafeMutablePointer<Bool>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        isSignalled.initialize(to: false)
    }

    func signal() {
        pthread_mutex_lock(mutex)
        isSignalled.pointee = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    func wait() {
        pthread_mutex_lock(mutex)
        while !isSignalled.pointee { pthread_cond_wait(changed, mutex) }
        isSignalled.pointee = false
        pthread_mutex_unlock(mutex)
    }
}
