import Foundation
import Testing

/// The pages of faults and threats name tests that exist, and no test of a fault or a threat is missing on them.
struct FaultPageTests {
    private func pages() throws -> String { try Manual.page("Faults") + Manual.page("Threats") }

    /// Every number of the catalogues stands on the pages.
    @Test func everyFaultAndThreat_hasItsRow() throws {
        let rows = Manual.rows(of: try pages()).compactMap(\.first)
        for (letter, last) in [("F", 110), ("S", 32), ("C", 45)] {
            var numbers: Set<Int> = []
            for row in rows {
                let named = row.matches(of: #/\b([FSC])(\d+)/#).filter { $0.output.1 == letter }
                    .compactMap { Int($0.output.2) }
                guard let first = named.first, let end = named.last else { continue }
                numbers.formUnion(row.contains(" to \(letter)") ? Array(first...end) : named)
            }
            #expect(numbers == Set(1...last), "\(letter): \(Set(1...last).subtracting(numbers).sorted())")
        }
    }

    @Test func everyTestOfThePage_exists() throws {
        let page = try pages()
        let functions = Set(
            try Manual.sources(below: "Tests").matches(of: #/func (\w+)\(/#).map { String($0.output.1) }
        )
        let named = page.matches(of: #/`(\w+_\w+)`/#).map { String($0.output.1) }
        #expect(named.count >= 120)
        for name in named { #expect(functions.contains(name), "\(name)") }
    }

    @Test func everyTestOfAFault_isOnThePage() throws {
        let page = try pages()
        let tests = try Manual.sources(below: "Tests").matches(of: #/func ((?:\w+_)?[FSCfsc]\d+_\w+)\(/#)
        #expect(tests.count >= 25)
        for test in tests { #expect(page.contains("`\(test.output.1)`"), "\(test.output.1)") }
    }
}
