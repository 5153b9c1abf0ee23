internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// The request threads: each takes one exchange after the other from the group's queue.
final class RequestThreads: Sendable {
    /// A thread as the control thread sees it.
    private final class Seat: Sendable {
        let thread = Atomic<Int32>(0)
        /// Waiting for an exchange, or about to: may be interrupted.
        let isIdle = Atomic<Bool>(false)
        /// What its thread works with, for `lost`: of that thread alone.
        nonisolated(unsafe) var exchange: Exchange?
    }

    private let queue: Int32
    private let takers: TakersPage
    private let applications: Applications
    private let channel: SupervisorChannel
    private let seats: [Seat]
    private let live = Atomic<Int>(0)
    private let isDraining = Atomic<Bool>(false)
    /// There was no descriptor left for an exchange.
    private let isStarved = Atomic<Bool>(false)
    /// Only with inactivity-timeout: then two locks for each exchange.
    private let activity: SharedActivity?
    /// Only with request-timeout.
    private let deadlines: DeadlineWatch?
    /// Only with maximum-requests: then one atomic addition for each exchange.
    private let quota: Quota?

    init(
        count: Int,
        queue: Int32,
        takers: TakersPage,
        applications: Applications,
        channel: SupervisorChannel,
        inactivityTimeout: Int64 = 0,
        limits: DeadlinePlan = DeadlinePlan(),
        maximumRequests: UInt32 = 0
    ) {
        deadlines = DeadlineWatch(threads: count, limits: limits, channel: channel)
        quota = maximumRequests > 0 ? Quota(Int(maximumRequests)) : nil
        activity = inactivityTimeout > 0 ? SharedActivity(limit: inactivityTimeout) : nil
        self.queue = queue
        self.takers = takers
        self.applications = applications
        self.channel = channel
        seats = (0..<count).map { _ in Seat() }
    }

    /// Starts all of them, each with a stack of so many bytes (0: the system's default).
    ///
    /// The first of them take requests at once: when a later one can't be started, they go on without it. Throws when none can be.
    func start(stack: Int = 0) throws(Errno) {
        for index in seats.indices {
            live.add(1, ordering: .relaxed)
            do throws(Errno) {
                try startThread(index, stack: stack)
            } catch {
                live.subtract(1, ordering: .relaxed)
                guard index > 0 else { throw error }
                let text = "process \(getpid()) has \(index) of \(seats.count) request threads: \(error)"
                return channel.log(Problem(.threadsMissing, text))
            }
        }
    }

    private func startThread(_ index: Int, stack: Int) throws(Errno) {
        try SWSGISystem.startThread(stack: stack) { [self] in
            run(index)
        } lost: { [self] in
            lost(index, stack: stack)
        }
    }

    /// The application has ended the calling thread: its request is answered 500, and another thread takes its place.
    private func lost(_ index: Int, stack: Int) {
        let seat = seats[index]
        let line = CrashHandlers.runningLine(slot: index).map { "\"\(LogText.escaped($0.utf8))\"" } ?? "no request"
        let text = "process \(getpid()): the application has ended request thread \(index + 1), which ran \(line)"
        channel.log(Problem(.threadEnded, text))
        let counts = seat.exchange?.isActivity ?? false
        seat.exchange?.abandon(isOwn: CrashHandlers.ended(slot: index))
        seat.exchange = nil
        deadlines?.ended(index)
        if counts { activity?.content.withLock { $0.ended(now: Clock.monotonic) } }
        seat.thread.store(0, ordering: .releasing)
        if !isDraining.load(ordering: .sequentiallyConsistent), (try? startThread(index, stack: stack)) != nil {
            return
        }
        if live.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ControlThread.wake() }
    }

    /// Whether every thread has ended.
    var haveEnded: Bool { live.load(ordering: .acquiring) == 0 }

    /// Whether nothing has been to do for longer than the process is kept for; true once.
    func areInactive() -> Bool { activity?.content.withLock { $0.passes(now: Clock.monotonic) } ?? false }

    /// Milliseconds until `lookForLateThreads` is to be called again.
    var nextLook: Int32 { deadlines?.nextLook ?? 1000 }

    /// Reports threads that take too long; true: this process is to be replaced.
    func lookForLateThreads() -> Bool {
        deadlines?.look { seats[$0].thread.load(ordering: .acquiring) } ?? false
    }

    /// How many threads are left of those that were to end, when none of them will come back; else 0.
    var stuckRest: Int {
        guard let deadlines, isDraining.load(ordering: .relaxed) else { return 0 }
        let live = live.load(ordering: .acquiring)
        return deadlines.stuckCount == live ? live : 0
    }

    /// Takes no more exchanges.
    ///
    /// To be called again, after a moment, until `haveEnded`: a thread that was just about to wait
    /// misses an interruption.
    ///
    /// Returns whether a thread was waiting, or about to.
    @discardableResult
    func drain() -> Bool {
        isDraining.store(true, ordering: .sequentiallyConsistent)
        var wereIdle = false
        for seat in seats where seat.isIdle.load(ordering: .sequentiallyConsistent) {
            wereIdle = true
            let thread = seat.thread.load(ordering: .acquiring)
            if thread != 0 { ControlThread.interrupt(thread) }
        }
        return wereIdle
    }

    /// Whether no thread runs an exchange; one that waits for the next may be deaf to interruptions.
    var areAllIdle: Bool {
        seats.allSatisfy { $0.isIdle.load(ordering: .acquiring) || $0.thread.load(ordering: .acquiring) == 0 }
    }

    /// The request lines of what is running.
    var running: [String] {
        Array(seats.indices.lazy.compactMap { CrashHandlers.runningLine(slot: $0) }.prefix(ControlLimits.lines))
    }

    /// An exchange has come and its socket has not: no more are taken until there is room, and another process does it better.
    private func starve() {
        guard !isStarved.exchange(true, ordering: .relaxed) else { return }
        let text = "process \(getpid()) has no descriptor left, and loses the request it has just taken; it is replaced"
        channel.log(Problem(.descriptorsExhausted, text))
        channel.send(.leaving(.descriptorLimit))
    }

    private func run(_ index: Int) {
        let seat = seats[index]
        seat.thread.store(ControlThread.current, ordering: .releasing)
        try? CrashHandlers.prepareThread()
        var desk = RequestDesk(
            slot: index,
            takers: takers,
            applications: applications,
            channel: channel,
            activity: activity,
            deadlines: deadlines,
            quota: quota
        )
        seat.exchange = desk.exchange
        let number = ControlThread.current
        while true {
            seat.isIdle.store(true, ordering: .sequentiallyConsistent)
            CrashHandlers.waiting(slot: index, thread: number)
            if isDraining.load(ordering: .sequentiallyConsistent) { break }
            if CrashHandlers.hasCrashed { Self.waitForTheEnd(index) }
            if isStarved.load(ordering: .relaxed), !DescriptorRoom.exists(queue) {
                usleep(DescriptorRoom.pause)
                continue
            }
            let message = desk.receive(queue)
            seat.isIdle.store(false, ordering: .sequentiallyConsistent)
            switch message {
            // A thread that was just about to wait, or that hears no interruption: new code is there for this one.
            case .exchange where isDraining.load(ordering: .relaxed): desk.sendBack()
            case .exchange: desk.serve()
            case .interrupted: continue
            case .starved: starve()
            case .ended: isDraining.store(true, ordering: .relaxed)
            }
        }
        CrashHandlers.waiting(slot: index, thread: 0)
        seat.exchange = nil
        seat.isIdle.store(false, ordering: .sequentiallyConsistent)
        seat.thread.store(0, ordering: .releasing)
        if live.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ControlThread.wake() }
    }
}

/// How many exchanges the process may run.
final class Quota: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    init(_ limit: Int) {
        self.limit = limit
    }

    /// An exchange has ended; returns whether it was the last one: true once.
    func ended() -> Bool { used.add(1, ordering: .relaxed).newValue == limit }
}

/// Every request thread's activity.
final class SharedActivity: Sendable {
    let content: Lock<Activity>

    init(limit: Int64) {
        content = Lock(Activity(limit: limit))
    }
}

extension RequestThreads {
    /// Another thread has crashed: this one has nothing to do any more.
    private static func waitForTheEnd(_ slot: Int) -> Never {
        CrashHandlers.waiting(slot: slot, thread: 0)
        while true { sleep(60) }
    }
}

/// What one request thread works with: kept from exchange to exchange.
struct RequestDesk: ~Copyable {
    enum Message {
        case exchange
        case interrupted
        /// An exchange whose socket was lost, as there is no room for it.
        case starved
        /// Nobody can send any more: the generation has ended.
        case ended
    }

    private let slot: Int
    private let takers: TakersPage
    private let pid = getpid()
    private let applications: Applications
    private let channel: SupervisorChannel
    let exchange: Exchange
    private let activity: SharedActivity?
    private let deadlines: DeadlineWatch?
    private let quota: Quota?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ExchangeHead.messageLimit, alignment: 8)
    private var received = Socket.Received.nothing
    /// The instance of the last exchange: usually also that of the next.
    private var last: Instance?

    init(
        slot: Int,
        takers: TakersPage,
        applications: Applications,
        channel: SupervisorChannel,
        activity: SharedActivity?,
        deadlines: DeadlineWatch?,
        quota: Quota?
    ) {
        self.activity = activity
        self.deadlines = deadlines
        self.quota = quota
        self.slot = slot
        self.takers = takers
        self.applications = applications
        self.channel = channel
        exchange = Exchange(thread: slot + 1)
    }

    deinit {
        buffer.deallocate()
    }

    mutating func receive(_ queue: Int32) -> Message {
        do throws(Errno) {
            received = try Socket.receive(queue, into: buffer)
            if received.count == 0 { return .ended }
            return received.descriptors.0 < 0 && !DescriptorRoom.exists(queue) ? .starved : .exchange
        } catch {
            if error.interrupted { return .interrupted }
            // The end, too: the application has written to the queue, and nobody ever read that.
            if error.code == ECONNRESET { return .ended }
            if error.code != EMSGSIZE {
                channel.log(Problem(.setupFailed, "the queue can't be read: \(error)"))
                return .ended
            }
            channel.log(Problem(.exchangeMalformed, "an exchange is larger than the queue allows"))
            return .interrupted
        }
    }

    /// Gives the exchange that has been received to another process.
    func sendBack() {
        guard received.descriptors.0 >= 0 else { return }
        Exchange.retry(received.descriptors.0, acceptsStale: false)
        received.closeDescriptors()
    }

    /// Serves the exchange that has been received.
    mutating func serve() {
        let message = UnsafeRawBufferPointer(rebasing: buffer[0..<received.count])
        let reply = received.descriptors.0
        let memory = received.descriptors.1
        guard reply >= 0 else { return malformed(Malformed("no reply end is attached")) }
        do throws(Malformed) {
            guard let length = try ReceivedHead.memoryLength(of: message) else {
                if memory >= 0 { close(memory) }
                return serve(try ReceivedHead(message), reply: reply)
            }
            guard memory >= 0, Memory.isSealed(memory) else { throw Malformed("no sealed memory is attached") }
            let bytes = try Self.read(memory, length)
            defer { bytes.deallocate() }
            serve(try ReceivedHead(UnsafeRawBufferPointer(bytes)), reply: reply)
        } catch {
            close(reply)
            malformed(error)
        }
    }

    private static func read(_ memory: Int32, _ length: Int) throws(Malformed) -> UnsafeMutableRawBufferPointer {
        defer { close(memory) }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 8)
        if pread(memory, bytes.baseAddress, length, 0) == length { return bytes }
        bytes.deallocate()
        throw Malformed("the attached memory is shorter than announced")
    }

    private func malformed(_ error: Malformed) {
        channel.log(Problem(.exchangeMalformed, "\(error)"))
    }

    private mutating func serve(_ head: ReceivedHead, reply: Int32) {
        if CrashHandlers.hasCrashed {
            // In another thread, just now: the exchange is for another process.
            Exchange.retry(reply, acceptsStale: false)
            close(reply)
            return
        }
        takers.set(pid, at: head.place)
        if let file = head.entryFile.baseAddress, let line = head.line.baseAddress {
            CrashHandlers.began(
                slot: slot,
                reply: reply,
                entryFile: file.assumingMemoryBound(to: CChar.self),
                line: line.assumingMemoryBound(to: CChar.self)
            )
        }
        CrashHandlers.waiting(slot: slot, thread: 0)
        let decision = decide(head, reply)
        switch decision {
        case .kept: break
        case .refuse(let outcome): if CrashHandlers.handOver(slot: slot) { Exchange.refuse(reply, outcome) }
        case .run(let instance):
            last = instance
            // One look at the clock for httpd and for the watch here: httpd's time is never over later.
            let now = deadlines != nil || head.flags.contains(.announced) ? Clock.monotonic : 0
            if Exchange.begins(reply, head, now: now) { run(instance, head, reply, now: now) }
        }
        let isOwn = CrashHandlers.ended(slot: slot)
        if case .kept = decision { return }
        if isOwn { close(reply) }
    }

    private func run(_ instance: Instance, _ head: ReceivedHead, _ reply: Int32, now: Int64) {
        let activity = head.flags.contains(.isNoActivity) ? nil : activity
        activity?.content.withLock { $0.began() }
        deadlines?.began(slot, now: now)
        exchange.run(instance, head: head, reply: reply) { CrashHandlers.handOver(slot: slot) }
        deadlines?.ended(slot)
        activity?.content.withLock { $0.ended(now: Clock.monotonic) }
        if let quota, quota.ended() { channel.send(.leaving(.maximumRequests)) }
    }

    private func decide(_ head: ReceivedHead, _ reply: Int32) -> Decision {
        if let last, last.serves(head) { return .run(last) }
        return applications.decide(head, reply: reply, slot: slot)
    }
}
