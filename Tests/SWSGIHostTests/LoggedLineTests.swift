import Testing

@testable import SWSGIHost

@Suite struct LoggedLineTests {
    private func kept(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { LoggedLine.prefix(of: $0).count } }

    @Test func linesThatHttpdCanWrite_areWhole() {
        #expect(kept([]) == 0)
        #expect(kept([UInt8](repeating: 120, count: LoggedLine.limit)) == LoggedLine.limit)
        #expect(kept([UInt8](repeating: 1, count: LoggedLine.limit / 4)) == LoggedLine.limit / 4)
    }

    @Test func longerLines_areCutWhereHttpdWouldHaveCutThem() {
        #expect(kept([UInt8](repeating: 120, count: LoggedLine.limit + 1)) == LoggedLine.limit)
        #expect(kept([UInt8](repeating: 1, count: LoggedLine.limit)) == LoggedLine.limit / 4)
        #expect(LoggedLine.remark(cutOff: 12) == Array("... (12 more bytes are cut off)".utf8))
    }
}
