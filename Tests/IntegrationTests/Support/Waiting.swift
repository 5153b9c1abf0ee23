import Foundation
import Glibc

/// Something that did not happen within its deadline.
struct DeadlinePassed: Error, CustomStringConvertible {
    let what: String
    let description: String

    init(_ what: String, after seconds: Double) {
        self.what = what
        description = "\(what): not within \(seconds) s"
    }
}

/// A monotonic point in time that ends a wait.
struct Deadline: Sendable {
    let seconds: Double
    private let end: UInt64

    init(_ seconds: Double) {
        self.seconds = seconds
        end = Deadline.now &+ UInt64(seconds * 1e9)
    }

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    var hasPassed: Bool { Deadline.now >= end }

    /// Milliseconds left for poll, at least 0.
    var milliseconds: Int32 {
        let now = Deadline.now
        return now >= end ? 0 : Int32(clamping: (end - now) / 1_000_000 + 1)
    }
}

/// Waits until `condition` gives a value; tries often, throws after `seconds`.
func eventually<Value>(
    _ what: @autoclosure () -> String,
    within seconds: Double = 60,
    every milliseconds: UInt32 = 20,
    _ condition: () throws -> Value?
) throws -> Value {
    let deadline = Deadline(seconds)
    while true {
        if let value = try condition() { return value }
        if deadline.hasPassed { throw DeadlinePassed(what(), after: seconds) }
        usleep(milliseconds * 1000)
    }
}

/// Waits until `condition` holds.
func eventually(
    _ what: @autoclosure () -> String,
    within seconds: Double = 60,
    every milliseconds: UInt32 = 20,
    holds condition: () throws -> Bool
) throws {
    let _: Bool = try eventually(what(), within: seconds, every: milliseconds) { try condition() ? true : nil }
}

/// Lets a load or a clock go on for a while; nothing is expected to have happened at its end.
func letPass(_ seconds: Double) {
    usleep(UInt32(seconds * 1e6))
}

/// A thread that runs `work` and hands its result or error over.
final class Background<Value: Sendable>: @unchecked Sendable {
    // `result` is written by the thread before `done` is signalled, and read after it was waited for.
    private var result: Result<Value, any Error>?
    private let done = DispatchSemaphore(value: 0)

    init(_ work: @escaping @Sendable () throws -> Value) {
        let thread = Thread { [self] in
            result = Result { try work() }
            done.signal()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Whether it has ended.
    var hasEnded: Bool {
        guard done.wait(timeout: .now()) == .success else { return false }
        done.signal()
        return true
    }

    func value(within seconds: Double = 120) throws -> Value {
        guard done.wait(timeout: .now() + seconds) == .success, let result else {
            throw DeadlinePassed("a background task's end", after: seconds)
        }
        done.signal()
        return try result.get()
    }
}
