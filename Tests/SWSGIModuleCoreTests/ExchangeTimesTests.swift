import SWSGIModuleCore
import Testing

@Suite struct ExchangeTimesTests {
    private let second: Int64 = 1_000_000_000

    @Test func withoutATimeout_nothingIsEverOverdue() {
        let times = ExchangeTimes(now: 5)
        #expect(!times.isOverdue(now: .max))
        #expect(times.earlier(of: 77) == 77)
        #expect(times.patience(250_000, now: 9) == 250_000)
    }

    @Test func queueTime_countsFromTheBeginning_alsoAcrossReturns() {
        var times = ExchangeTimes(now: 5, queueTimeout: 2_000_000)
        #expect(!times.isOverdue(now: 4 + 2 * second))
        #expect(times.isOverdue(now: 5 + 2 * second))
        #expect(times.earlier(of: 60 * second) == 5 + 2 * second)
        times.taken(now: second)
        #expect(!times.isOverdue(now: 60 * second))
        #expect(times.earlier(of: 60 * second) == 60 * second)
        times.returned()
        #expect(times.isOverdue(now: 5 + 2 * second))
    }

    @Test func timeWithTheApplication_countsFromTheMomentItIsTaken() {
        var times = ExchangeTimes(now: 0, queueTimeout: 9_000_000, requestTimeout: 2_000_000)
        #expect(times.isLimited)
        #expect(times.timeLeft(now: 60 * second) == .max)
        times.taken(now: 5 * second)
        times.taken(now: 6 * second)
        #expect(times.timeLeft(now: 6 * second) == second)
        #expect(times.earlier(of: 60 * second) == 7 * second)
        #expect(times.earlier(of: 6 * second) == 6 * second)
        times.returned()
        #expect(times.timeLeft(now: 60 * second) == .max)
        #expect(times.earlier(of: 60 * second) == 9 * second)
        times.taken(now: 8 * second)
        #expect(times.timeLeft(now: 11 * second) == -second)
    }

    @Test func timeThatAProcessSays_liesBetweenTheBeginningAndNow() {
        for (said, counted) in [(3, 3), (-7, 1), (9, 5)] as [(Int64, Int64)] {
            var times = ExchangeTimes(now: second, requestTimeout: 2_000_000)
            times.taken(at: said * second, now: 5 * second)
            #expect(times.takenAt == counted * second)
            #expect(times.timeLeft(now: 5 * second) == (counted - 3) * second)
        }
    }

    @Test func patience_isWhatIsLeft_andNeverForEver() {
        let times = ExchangeTimes(now: second, queueTimeout: 100_000)
        #expect(times.patience(250_000, now: second + 1) == 100_000)
        #expect(times.patience(50_000, now: second + 1) == 50_000)
        #expect(times.patience(250_000, now: second + second / 20) == 50_000)
        #expect(times.patience(250_000, now: 3 * second) == 1000)
    }

    @Test func times_areSpelledOut() {
        var times = ExchangeTimes(now: 0)
        #expect(times.text(now: 2 * second + 1_999_999) == "2.001 s in all, never taken from the queue")
        times.taken(now: second / 2)
        times.endedAt = second
        #expect(times.text(now: 61 * second) == "61.000 s in all, 0.500 s in the queue, 0.500 s in the application")
    }
}
