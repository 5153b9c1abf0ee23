import Testing

@testable import SWSGIWorker

/// request-timeout and interrupt-timeout in a daemon process.
@Suite struct LateThreadTests {
    private let second: Int64 = 1_000_000_000

    @Test func threadInTime_isNotFound() {
        var threads = LateThreads(requestTimeout: 2_000_000, interruptTimeout: 0)
        #expect(threads.look(at: [0, 10 * second], now: 12 * second - 1) == [])
        #expect(threads.stuckCount(of: [0, 10 * second], now: 12 * second - 1) == 0)
    }

    @Test func lateThread_isFoundOnce_andStuckAtOnceWithoutInterruptTimeout() {
        var threads = LateThreads(requestTimeout: 2_000_000, interruptTimeout: 0)
        let begun = [0, 10 * second]
        #expect(
            threads.look(at: begun, now: 12 * second)
                == [.late(slot: 1, age: 2 * second, showsStack: true), .stuck(slot: 1, age: 2 * second)]
        )
        #expect(threads.look(at: begun, now: 13 * second) == [])
        #expect(threads.stuckCount(of: begun, now: 13 * second) == 1)
    }

    @Test func threadThatComesBack_isNotStuck_andItsNextExchangeCountsAnew() {
        var threads = LateThreads(requestTimeout: 1_000_000, interruptTimeout: 5_000_000)
        #expect(threads.look(at: [10 * second], now: 11 * second).count == 1)
        #expect(threads.look(at: [0], now: 20 * second) == [])
        #expect(threads.look(at: [19 * second], now: 20 * second).count == 1)
        #expect(threads.look(at: [19 * second], now: 25 * second) == [.stuck(slot: 0, age: 6 * second)])
    }

    @Test func nextLook_isNeverLaterThanAnyLimit() {
        var threads = LateThreads(requestTimeout: 3_000_000, interruptTimeout: 1_000_000)
        #expect(threads.nextLook(at: [0, 0], now: 10 * second) == 13 * second)
        #expect(threads.nextLook(at: [9 * second, 8 * second], now: 10 * second) == 11 * second)
        _ = threads.look(at: [9 * second, 8 * second], now: 11 * second)
        #expect(threads.nextLook(at: [9 * second, 8 * second], now: 11 * second) == 12 * second)
        _ = threads.look(at: [9 * second, 8 * second], now: 13 * second)
        #expect(threads.nextLook(at: [9 * second, 8 * second], now: 13 * second) == 16 * second)
    }

    @Test func stacks_areShownSixteenAtOnce_thenOneASecond() {
        var threads = LateThreads(requestTimeout: 1000, interruptTimeout: 60_000_000)
        func shown(_ begun: Int64, now: Int64) -> Int {
            threads.look(at: (0..<40).map { begun + $0 }, now: now).count {
                if case .late(_, _, showsStack: true) = $0 { true } else { false }
            }
        }
        #expect(shown(second, now: 2 * second) == 16)
        #expect(shown(2 * second, now: 3 * second) == 1)
        #expect(shown(3 * second, now: 4 * second - 1) == 0)
        #expect(shown(50 * second, now: 60 * second) == 16)
    }
}
