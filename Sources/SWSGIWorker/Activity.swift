/// What a daemon process has to do, and since when it has had nothing: for inactivity-timeout.
///
/// A value; times are monotonic nanoseconds.
struct Activity {
    private let limit: Int64
    private var running = 0
    /// The end of the last exchange; nil: there has been none, and the process stays as it is.
    private var idleSince: Int64?
    private var hasPassed = false

    /// No activity yet; `limit` in microseconds.
    init(limit: Int64) {
        self.limit = limit * 1000
    }

    /// An exchange has begun.
    mutating func began() {
        running += 1
    }

    /// An exchange has ended.
    mutating func ended(now: Int64) {
        running -= 1
        idleSince = now
    }

    /// Whether the process has had nothing to do for long enough; true once.
    mutating func passes(now: Int64) -> Bool {
        guard !hasPassed, running == 0, let idleSince, now - idleSince >= limit else { return false }
        hasPassed = true
        return true
    }
}
