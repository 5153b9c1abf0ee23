import SWSGIConfiguration
import Testing

/// The page about checks shows what is really printed.
struct CheckPageTests {
    @Test func exampleOfADump_hasEveryOptionWithItsValue() throws {
        let page = try Manual.page("CheckingConfigurations")
        let directive = try #require(
            page.split(separator: "\n").first { $0.hasPrefix(DaemonProcessOptions.directive + " ") }
        )
        let arguments = String(directive.dropFirst(DaemonProcessOptions.directive.count + 1))
        let expected = try DaemonProcessOptions(arguments).effective.map { "  \($0.name)=\($0.value)" }
        let lines = page.split(separator: "\n").map(String.init)
        let first = try #require(lines.firstIndex(of: expected[0]))
        #expect(Array(lines[first...].prefix(expected.count)) == expected)
    }
}
