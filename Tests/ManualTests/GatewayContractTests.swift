import Foundation
import Testing

/// The page on the gateway contract names tests that exist, and texts that the SDK has.
struct GatewayContractTests {
    @Test func everyTestOfTheContract_exists() throws {
        let page = try Manual.page("GatewayContract")
        let points = page.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.split(separator: "|").count == 3 }
        let named = points.compactMap { $0.split(separator: "|").last }.flatMap { cell in
            cell.matches(of: #/`(\w+)`/#).map { String($0.output.1) }
        }
        #expect(named.count >= 70)
        let functions = Set(
            try Manual.sources(below: "Tests").matches(of: #/func (\w+)\(/#).map { String($0.output.1) }
        )
        for name in named { #expect(functions.contains(name), "\(name)") }
    }

    /// The other way round: every row of the table of misbehaviour that has a test stands on the page.
    @Test func everyRowWithATest_isInTheContract() throws {
        let page = try Manual.page("GatewayContract")
        let tests = try Manual.sources(below: "Tests/IntegrationTests")
        let rows = tests.matches(of: #/func (A\d+_\w+)\(/#).map { String($0.output.1) }
        #expect(rows.count >= 30)
        for row in rows where tests.contains("try \(row)(") { #expect(page.contains("`\(row)`"), "\(row)") }
    }

    @Test func everyTextOfTheContract_isTheSDKs() throws {
        let page = try Manual.page("GatewayContract")
        let texts = try #require(page.components(separatedBy: "## The texts of errors").last)
        let source = try Manual.sources(below: "Sources/SWSGI")
        let rows = Manual.rows(of: texts).dropFirst().filter { !$0[0].hasPrefix("-") }
        #expect(rows.count >= 25)
        for row in rows {
            for part in row[0].components(separatedBy: "...").map({ $0.trimmingCharacters(in: .whitespaces) })
            where part.count > 2 {
                #expect(source.contains(part), "\(row[0])")
            }
        }
    }
}
