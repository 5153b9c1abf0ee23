import Glibc

/// A time of day, in UTC.
struct Time: CustomStringConvertible {
    let seconds: Int

    static var now: Time {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Time(seconds: now.tv_sec % 86400)
    }

    var description: String {
        [seconds / 3600, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}

/// Waits for the next full second; a signal can end it earlier.
func sleepUntilNextSecond() {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var rest = timespec(tv_sec: 0, tv_nsec: 1_000_000_000 - now.tv_nsec)
    if now.tv_nsec == 0 { rest = timespec(tv_sec: 1, tv_nsec: 0) }
    nanosleep(&rest, nil)
}
