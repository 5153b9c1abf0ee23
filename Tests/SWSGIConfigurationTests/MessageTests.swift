import Foundation
import Testing

@testable import SWSGIConfiguration

@Suite struct MessageTests {
    static let lists: [(ClosedRange<Int>, [MessageCode])] = [
        (1000...1999, MessageCode.configuration), (2000...2999, MessageCode.bundles),
        (3000...3999, MessageCode.processes), (4000...4999, MessageCode.requests), (5000...5999, MessageCode.frames),
        (6000...6999, MessageCode.refusals),
    ]

    @Test func numbers_areUnique_andInOrder() {
        let numbers = MessageCode.all.map(\.number)
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers == numbers.sorted())
    }

    @Test(arguments: lists) func everyNumber_isInTheRangeOfItsList(_ range: ClosedRange<Int>, _ list: [MessageCode]) {
        #expect(!list.isEmpty)
        #expect(list.allSatisfy { range.contains($0.number) })
    }

    @Test(arguments: MessageCode.all) func everyText_isASentence(_ code: MessageCode) {
        for text in [code.meaning, code.cause, code.cure] {
            #expect(text.hasSuffix("."))
            #expect(!text.contains("\n"))
        }
    }

    @Test(arguments: MessageCode.all) func everyCode_isFoundByItsNumber(_ code: MessageCode) {
        #expect(MessageCode.numbered(code.number) == code)
        #expect(code.name == "SWSGI\(code.number)")
        #expect(code.text("what") == "SWSGI\(code.number): what")
    }

    @Test func unknownNumber_isFoundNowhere() {
        for number in [0, -1, 1000, 9999] { #expect(MessageCode.numbered(number) == nil) }
    }

    @Test func levels_areThoseOfHTTPD_inItsOrder() {
        let levels: [LogLevel] = [.critical, .error, .warning, .notice, .info, .debug]
        #expect(levels.map(\.rawValue) == [2, 3, 4, 5, 6, 7])
        #expect(levels.map(\.name) == ["crit", "error", "warn", "notice", "info", "debug"])
        #expect(levels == levels.sorted())
    }
}

/// What the sources declare and use.
@Suite struct MessageUseTests {
    @Test func everyDeclaredCode_isInTheCatalogue() throws {
        let declared = try Sources.declarations()
        #expect(declared.count > 50)
        #expect(declared.map(\.number).sorted() == MessageCode.all.map(\.number))
    }

    @Test func everyDeclaredCode_isUsedSomewhere() throws {
        let declared = try Sources.declarations()
        let used = try Sources.usedMembers()
        let written = try Sources.writtenNumbers()
        #expect(declared.filter { !used.contains($0.name) && !written.contains($0.number) }.map(\.name) == [])
    }
}

/// The package's own sources, read as text.
private enum Sources {
    private static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources")

    /// Texts of the Swift files of the host's targets, by their names.
    private static func texts() throws -> [(name: String, text: String)] {
        let files = FileManager.default.enumerator(at: directory, includingPropertiesForKeys: nil)
        return try (files?.compactMap { $0 as? URL } ?? []).filter { file in
            file.pathExtension == "swift" && file.path.dropFirst(directory.path.count).hasPrefix("/SWSGI")
        }.map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
    }

    static func declarations() throws -> [(name: String, number: Int)] {
        try texts().flatMap { file in
            file.text.matches(of: /static let (\w+) = MessageCode\(\s*(\d+),/).map { match in
                (String(match.1), Int(match.2) ?? 0)
            }
        }
    }

    /// The codes at the head of texts: the SDK, which knows no catalogue, writes them out.
    static func writtenNumbers() throws -> Set<Int> {
        let texts = try texts().filter { !$0.name.hasPrefix("Messages") }.map(\.text)
        return Set(texts.flatMap { text in text.matches(of: #/"SWSGI(\d{4}):/#).compactMap { Int($0.1) } })
    }

    /// Every `.name` outside of the catalogue's files.
    static func usedMembers() throws -> Set<String> {
        let texts = try texts().filter { !$0.name.hasPrefix("Messages") }.map(\.text)
        return Set(texts.flatMap { text in text.matches(of: /\.(\w+)/).map { String($0.1) } })
    }
}
