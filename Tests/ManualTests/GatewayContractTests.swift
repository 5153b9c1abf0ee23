import Foundation
import Testing

/// The page on the gateway contract names tests that exist, and texts that the SDK has.
struct GatewayContractTests {
    private static func sources(below directory: String) throws -> String {
        let root = Manual.root.appendingPathComponent(directory)
        let names = try #require(FileManager.default.enumerator(atPath: root.path)).compactMap { $0 as? String }
        return try names.filter { $0.hasSuffix(".swift") }.map {
            try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)
        }.joined(separator: "\n")
    }

    @Test func everyTestOfTheContract_exists() throws {
        let page = try Manual.page("GatewayContract")
        let points = page.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.split(separator: "|").count == 3 }
        let named = points.compactMap { $0.split(separator: "|").last }.flatMap { cell in
            cell.matches(of: #/`(\w+)`/#).map { String($0.output.1) }
        }
        #expect(named.count >= 70)
        let functions = Set(
            try Self.sources(below: "Tests").matches(of: #/func (\w+)\(/#).map { String($0.output.1) }
        )
        for name in named { #expect(functions.contains(name), "\(name)") }
    }

    /// The other way round: every row of the table of misbehaviour that has a test stands on the page.
    @Test func everyRowWithATest_isInTheContract() throws {
        let page = try Manual.page("GatewayContract")
        let tests = try Self.sources(below: "Tests/IntegrationTests")
        let rows = tests.matches(of: #/func (A\d+_\w+)\(/#).map { String($0.output.1) }
        #expect(rows.count >= 30)
        for row in rows where tests.contains("try \(row)(") { #expect(page.contains("`\(row)`"), "\(row)") }
    }

    @Test func everyTextOfTheContract_isTheSDKs() throws {
        let page = try Manual.page("GatewayContract")
        let texts = try #require(page.components(separatedBy: "## The texts of errors").last)
        let source = try Self.sources(below: "Sources/SWSGI")
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
