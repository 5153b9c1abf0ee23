import Foundation
import Testing

/// The page of faults names tests that exist, and no test of a fault is missing on it.
struct FaultPageTests {
    @Test func everyTestOfThePage_exists() throws {
        let page = try Manual.page("Faults")
        let functions = Set(
            try Manual.sources(below: "Tests").matches(of: #/func (\w+)\(/#).map { String($0.output.1) }
        )
        let named = page.matches(of: #/`(\w+_\w+)`/#).map { String($0.output.1) }
        #expect(named.count >= 60)
        for name in named { #expect(functions.contains(name), "\(name)") }
    }

    @Test func everyTestOfAFault_isOnThePage() throws {
        let page = try Manual.page("Faults")
        let tests = try Manual.sources(below: "Tests").matches(of: #/func (\w+_[FS]\d+_\w+)\(/#)
        #expect(tests.count >= 9)
        for test in tests { #expect(page.contains("`\(test.output.1)`"), "\(test.output.1)") }
    }
}
