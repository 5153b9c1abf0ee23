internal import Glibc

/// The two clocks: one to measure with, one to show.
public enum Clock {
    /// Nanoseconds that only go forward.
    public static var monotonic: Int64 { read(CLOCK_MONOTONIC) }

    /// Microseconds since 1970.
    public static var wall: Int64 { read(CLOCK_REALTIME) / 1000 }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
