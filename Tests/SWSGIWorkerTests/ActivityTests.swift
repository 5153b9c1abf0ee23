import Testing

@testable import SWSGIWorker

@Suite struct ActivityTests {
    private enum Step {
        case began
        case ended(Double)
        /// A look at the time, and whether it has passed.
        case look(Double, Bool)
    }

    private func follow(_ steps: [Step]) {
        var activity = Activity(limit: 1_000_000)
        for (number, step) in steps.enumerated() {
            switch step {
            case .began: activity.began()
            case .ended(let time): activity.ended(now: Int64(time * 1e9))
            case .look(let time, let expected):
                let passes = activity.passes(now: Int64(time * 1e9))
                #expect(passes == expected, "step \(number)")
            }
        }
    }

    @Test func processWithoutARequest_neverPasses() {
        follow([.look(0, false), .look(1e9, false)])
    }

    @Test func timePasses_afterTheLastExchange_once() {
        follow([.began, .look(100, false), .ended(100), .look(100.9, false), .look(101, true), .look(102, false)])
    }

    @Test func exchangeAtWork_isActivity_howeverLong() {
        follow([.began, .began, .ended(1), .look(50, false), .ended(60), .look(60, false), .look(61, true)])
    }

    @Test func everyExchange_beginsTheTimeAnew() {
        follow((1...5).flatMap { [.began, .ended(Double($0)), .look(Double($0) + 0.5, false)] } + [.look(6, true)])
    }
}
