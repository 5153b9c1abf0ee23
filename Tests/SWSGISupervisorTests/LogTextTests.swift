import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

@Suite struct LogTextTests {
    @Test func lines_areCutAtNewlines_acrossReads() {
        var splitter = LineSplitter()
        #expect(splitter.add("one\ntw".utf8) == ["one"])
        #expect(splitter.add("o\n\nthree".utf8) == ["two", ""])
        #expect(splitter.finish() == "three")
        #expect(splitter.finish() == nil)
    }

    @Test func carriageReturnBeforeNewline_isDropped() {
        var splitter = LineSplitter()
        #expect(splitter.add("one\r\ntw\ro\n".utf8) == ["one", "tw\\x0do"])
    }

    @Test func longLine_isSplit_andNothingIsLost() {
        var splitter = LineSplitter()
        let lines = splitter.add([UInt8](repeating: 0x61, count: 2 * LineSplitter.limit + 5) + [0x0a])
        #expect(lines.map(\.utf8.count) == [LineSplitter.limit, LineSplitter.limit, 5])
    }

    @Test func lineOfExactlyTheLimit_isOneLine() {
        var splitter = LineSplitter()
        let lines = splitter.add([UInt8](repeating: 0x61, count: LineSplitter.limit) + [0x0a])
        #expect(lines.map(\.utf8.count) == [LineSplitter.limit])
    }

    @Test(arguments: [
        ("plain text", "plain text"),
        ("tab\tstays", "tab\tstays"),
        ("\u{1B}[31mred", "\\x1b[31mred"),
        ("one\u{1}del\u{7F}", "one\\x01del\\x7f"),
        ("line\nline", "line\\x0aline"),
        ("Grüße, 世界 🎉", "Grüße, 世界 🎉"),
        ("C1 \u{9B}31m", "C1 \\xc2\\x9b31m"),
        ("{\"a\":\"b\\\\n\"}", "{\"a\":\"b\\\\n\"}"),
    ])
    func text_isEscaped(_ text: String, _ expected: String) {
        #expect(LogText.escaped(text.utf8) == expected)
    }

    @Test(
        arguments: [
            ([0xff, 0x41], "\\xffA"),
            ([0xc3], "\\xc3"),
            ([0xc0, 0x8a], "\\xc0\\x8a"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"),
            ([0xe2, 0x82, 0x0a], "\\xe2\\x82\\x0a"),
        ] as [([UInt8], String)]
    )
    func bytesThatAreNoText_areEscaped(_ bytes: [UInt8], _ expected: String) {
        #expect(LogText.escaped(bytes) == expected)
    }

    @Test func backtraceProgram_withAComma_isNotUsed() {
        #expect(backtraceSettings("/opt/a,b/swift-backtrace") == "enable=no")
        #expect(backtraceSettings(nil) == "enable=no")
        #expect(backtraceSettings("/opt/b").hasSuffix(",swift-backtrace=/opt/b"))
    }
}
