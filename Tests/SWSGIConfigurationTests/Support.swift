import SWSGIConfiguration
import Testing

/// The problem that `body` ends with, or nil.
func problem(_ body: () throws(Problem) -> Void) -> Problem? {
    do throws(Problem) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// A problem that a test expects: its number, and what it says.
struct Expected: Sendable, CustomTestStringConvertible {
    let input: String
    let number: Int
    let what: String

    init(_ input: String, _ number: Int, _ what: String) {
        self.input = input
        self.number = number
        self.what = what
    }

    var testDescription: String { "\(input) -> SWSGI\(number)" }

    func check(_ problem: Problem?) {
        #expect(problem?.code.number == number)
        #expect(problem?.what == what)
        #expect(problem?.description == "SWSGI\(number): \(what)")
    }
}
