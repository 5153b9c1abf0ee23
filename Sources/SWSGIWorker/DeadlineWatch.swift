internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// request-timeout in a daemon process: when each request thread began its exchange, looked at by the control thread.
///
/// httpd answers the client by its own clock. Here it is said which thread it was and where, and whether the process can go on.
/// Costs an exchange a look at the clock and two stores, and nothing without the option.
final class DeadlineWatch: Sendable {
    private final class Seat: Sendable {
        let begun = Atomic<Int64>(0)
    }

    private let seats: [Seat]
    private let limits: DeadlinePlan
    private let channel: SupervisorChannel
    private let late: Lock<LateThreads>

    /// Milliseconds that a thread has to show its stack: one that blocks signals never does.
    private static let patience: UInt32 = 250

    /// A watch for so many threads; nil: the group has no request-timeout.
    init?(threads: Int, limits: DeadlinePlan, channel: SupervisorChannel) {
        guard limits.requestTimeout > 0 else { return nil }
        seats = (0..<threads).map { _ in Seat() }
        self.limits = limits
        self.channel = channel
        late = Lock(
            LateThreads(requestTimeout: limits.requestTimeout, interruptTimeout: limits.interruptTimeout)
        )
    }

    func began(_ slot: Int, now: Int64) { seats[slot].begun.store(now, ordering: .releasing) }

    func ended(_ slot: Int) { seats[slot].begun.store(0, ordering: .releasing) }

    private var begun: [Int64] { seats.map { $0.begun.load(ordering: .acquiring) } }

    /// Reports what has passed its time; `thread` gives a request thread's number.
    ///
    /// True: the process is to be replaced.
    func look(_ thread: (Int) -> Int32) -> Bool {
        let begun = begun
        let now = Clock.monotonic
        var asksForReplacement = false
        for finding in late.withLock({ $0.look(at: begun, now: now) }) {
            switch finding {
            case .late(let slot, let age, let showsStack):
                report(slot, thread(slot), begun[slot], age, showsStack: showsStack)
            case .stuck(let slot, let age):
                let text = "\(name(slot)) has not come back for \(seconds(age)): this process is to be replaced"
                channel.log(Problem(.threadStuck, text))
                asksForReplacement = true
            }
        }
        return asksForReplacement
    }

    /// Milliseconds until the next look.
    var nextLook: Int32 {
        let begun = begun
        let now = Clock.monotonic
        let next = late.withLock { $0.nextLook(at: begun, now: now) }
        // httpd answers in time by itself: a look may be a little late, and is never late by much.
        return Int32(clamping: min(max((next - now + 999_999) / 1_000_000, 10), 1000))
    }

    /// How many threads will not come back.
    var stuckCount: Int {
        let begun = begun
        let now = Clock.monotonic
        return late.withLock { $0.stuckCount(of: begun, now: now) }
    }

    private func name(_ slot: Int) -> String { "process \(getpid()), request thread \(slot + 1)" }

    private func report(_ slot: Int, _ thread: Int32, _ begin: Int64, _ age: Int64, showsStack: Bool) {
        let look = ThreadLook(slot: slot, thread: thread, milliseconds: Self.patience)
        // What it showed belongs to this exchange if it still runs it.
        guard seats[slot].begun.load(ordering: .acquiring) == begin else { return }
        let what = look.map { "\"\($0.line)\" of \($0.entryFile)" } ?? "a request (the thread shows nothing)"
        let text =
            "\(name(slot)) has run \(what) for \(seconds(age)), request-timeout=\(timeText(limits.requestTimeout))"
        channel.log(Problem(.threadLate, text))
        guard showsStack, let look else { return }
        for (number, place) in look.places().enumerated() { channel.log(.error, "  #\(number) \(place)") }
    }

    private func seconds(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        return "\(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst()) s"
    }
}
