/// Which request threads have been at work on one exchange for too long, for request-timeout and interrupt-timeout.
///
/// A value; times are monotonic nanoseconds. What a thread works on is known by the time at which it began.
struct LateThreads {
    /// Something to be done about one thread.
    enum Finding: Equatable {
        /// Its exchange has passed request-timeout.
        case late(slot: Int, age: Int64, showsStack: Bool)
        /// It has not come back in the time after that: the process is to be replaced.
        case stuck(slot: Int, age: Int64)
    }

    private let limit: Int64
    private let stuckLimit: Int64
    /// The exchanges that have been found, by slot.
    private var late: [Int: Int64] = [:]
    private var stuck: [Int: Int64] = [:]
    /// Backtraces that may be written now: a few at once, then one a second.
    private var stacks = Self.stacksAtOnce
    private var stacksSince: Int64 = .min

    private static let stacksAtOnce = 16
    private static let second: Int64 = 1_000_000_000

    /// Limits in microseconds.
    init(requestTimeout: Int64, interruptTimeout: Int64) {
        limit = requestTimeout * 1000
        stuckLimit = limit + interruptTimeout * 1000
    }

    /// Looks at all threads: `begun` says for each when it began its exchange, 0 when it has none.
    mutating func look(at begun: [Int64], now: Int64) -> [Finding] {
        var found: [Finding] = []
        for (slot, begin) in begun.enumerated() where begin != 0 && now - begin >= limit {
            if late[slot] != begin {
                late[slot] = begin
                found.append(.late(slot: slot, age: now - begin, showsStack: takeStack(now)))
            }
            if now - begin >= stuckLimit, stuck[slot] != begin {
                stuck[slot] = begin
                found.append(.stuck(slot: slot, age: now - begin))
            }
        }
        return found
    }

    private mutating func takeStack(_ now: Int64) -> Bool {
        if stacks == Self.stacksAtOnce { stacksSince = now }
        let more = min(max(0, now - stacksSince) / Self.second, Int64(Self.stacksAtOnce))
        if more > 0 {
            stacks = min(stacks + Int(more), Self.stacksAtOnce)
            stacksSince = now
        }
        guard stacks > 0 else { return false }
        stacks -= 1
        return true
    }

    /// How many threads will probably not come back.
    func stuckCount(of begun: [Int64], now: Int64) -> Int { begun.count { $0 != 0 && now - $0 >= stuckLimit } }

    /// When to look again: no exchange passes a limit before that, also none that begins meanwhile.
    func nextLook(at begun: [Int64], now: Int64) -> Int64 {
        var next = now + limit
        for (slot, begin) in begun.enumerated() where begin != 0 {
            if late[slot] != begin {
                next = min(next, begin + limit)
            } else if stuck[slot] != begin {
                next = min(next, begin + stuckLimit)
            }
        }
        return next
    }
}
