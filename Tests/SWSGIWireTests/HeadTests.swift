import SWSGIWire
import Testing

@Suite struct HeadTests {
    @Test func everyPart_travels() throws {
        var parts = HeadParts()
        parts.flags = [.reloading, .body]
        try parts.bytes.withUnsafeBytes { bytes in
            let head = try ReceivedHead(bytes)
            #expect(head.flags == [.reloading, .body])
            #expect(head.identity == parts.identity)
            #expect(head.requestStart == parts.requestStart)
            #expect(head.queueStart == parts.queueStart)
            #expect(string(head.entryFile) == parts.entryFile)
            #expect(string(head.applicationGroup) == parts.applicationGroup)
            #expect(string(head.symbol) == parts.symbol)
            #expect(string(head.line) == parts.line)
            #expect(head.fieldCount == 0)
        }
    }

    @Test func emptyTexts_travel() throws {
        var parts = HeadParts()
        parts.entryFile = ""
        parts.applicationGroup = ""
        parts.symbol = ""
        parts.line = ""
        parts.fields = [("", ""), ("A", "")]
        try parts.bytes.withUnsafeBytes { bytes in
            let head = try ReceivedHead(bytes)
            #expect(head.entryFile.isEmpty && head.applicationGroup.isEmpty && head.symbol.isEmpty && head.line.isEmpty)
            #expect(head.allFields.map { "\($0)=\($1)" } == ["=", "A="])
            #expect(head.isConsistent)
        }
    }

    @Test func thousandFields_keepTheirOrder() throws {
        var parts = HeadParts()
        parts.fields = (0..<1000).map { ("KEY_\($0)", String(repeating: "v", count: $0 % 7)) }
        try parts.bytes.withUnsafeBytes { bytes in
            let head = try ReceivedHead(bytes)
            #expect(head.allFields.elementsEqual(parts.fields, by: ==))
            #expect(head.text(of: "KEY_999") == "vvvvv")
        }
    }

    @Test func lookup_findsWholeNamesOnly_inTheirCase() throws {
        var parts = HeadParts()
        parts.fields = HeadParts.usual
        try parts.bytes.withUnsafeBytes { bytes in
            let head = try ReceivedHead(bytes)
            #expect(head.text(of: "HTTP_X") == "Grüße")
            #expect(head.text(of: "QUERY_STRING")?.isEmpty == true)
            for name in ["HTTP_", "HTTP_XX", "http_x", "", "GET"] { #expect(head.text(of: name) == nil) }
        }
    }

    @Test func lookupOfARepeatedName_findsTheFirst() throws {
        var parts = HeadParts()
        parts.fields = [("A", "1"), ("A", "2")]
        #expect(try parts.bytes.withUnsafeBytes { try ReceivedHead($0).text(of: "A") } == "1")
    }

    @Test func indexOutsideOfTheFields_findsNothing() throws {
        var parts = HeadParts()
        parts.fields = HeadParts.usual
        try parts.bytes.withUnsafeBytes { bytes in
            let head = try ReceivedHead(bytes)
            for index in [-1, 5, Int.max, Int.min] { #expect(head.field(at: index) == nil) }
        }
    }

    @Test func everyText_isFollowedByNUL() throws {
        var parts = HeadParts()
        parts.fields = HeadParts.usual
        #expect(try parts.bytes.withUnsafeBytes { try ReceivedHead($0).isConsistent })
    }

    @Test func writerUsedAgain_forgetsTheLastHead() throws {
        var writer = ExchangeHeadWriter()
        var first = HeadParts()
        first.fields = [("A", String(repeating: "x", count: 100_000))]
        first.flags = .body
        first.write(to: &writer)
        var second = HeadParts()
        second.fields = [("B", "2")]
        second.write(to: &writer)
        let head = try ReceivedHead(writer.bytes)
        let fields = head.allFields.map { $0 + $1 }
        let flags = head.flags
        #expect(fields == ["B2"])
        #expect(flags == [])
    }

    @Test func headOf64KiB_isAMessage() throws {
        let bytes = try largeHead(of: ExchangeHead.messageLimit)
        #expect(bytes.count == ExchangeHead.messageLimit)
        #expect(try bytes.withUnsafeBytes { try ReceivedHead.memoryLength(of: $0) } == nil)
    }

    @Test func headOfMoreThan64KiB_travelsInMemory() throws {
        let bytes = try largeHead(of: ExchangeHead.messageLimit + 1)
        try bytes.withUnsafeBytes { bytes in
            let message = UnsafeRawBufferPointer(rebasing: bytes[..<64])
            #expect(try ReceivedHead.memoryLength(of: message) == bytes.count)
            let head = try ReceivedHead(bytes)
            #expect(head.flags == [.body, .inMemory])
            #expect(head.text(of: "LAST") == "last")
        }
    }

    /// A head with so many bytes.
    private func largeHead(of size: Int) throws -> [UInt8] {
        var parts = HeadParts()
        parts.flags = .body
        parts.fields = [("LARGE", ""), ("LAST", "last")]
        parts.fields[0].1 = String(repeating: "x", count: size - parts.bytes.count)
        var writer = ExchangeHeadWriter()
        parts.write(to: &writer)
        let needsMemory = writer.needsMemory
        let message = Array(writer.memoryMessage)
        let bytes = Array(writer.bytes)
        #expect(needsMemory == (size > ExchangeHead.messageLimit))
        #expect(message == Array(bytes[..<64]))
        return bytes
    }

    @Test func headOfMoreThan16MiB_isTooLarge() {
        var writer = ExchangeHeadWriter()
        HeadParts().write(to: &writer)
        let value = String(repeating: "x", count: 1024 * 1024)
        for index in 0..<15 { writer.add("K\(index)", value) }
        let before = writer.isTooLarge
        writer.add("LAST", value)
        let after = writer.isTooLarge
        #expect(!before)
        #expect(after)
    }

    @Test func headOfMoreThan65536Fields_isTooLarge_andRefused() throws {
        var writer = ExchangeHeadWriter()
        HeadParts().write(to: &writer)
        for _ in 0..<ExchangeHead.fieldLimit { writer.add("", "") }
        writer.finish(flags: [])
        let before = writer.isTooLarge
        #expect(!before)
        #expect(refusal(Array(writer.bytes)) { bytes throws(Malformed) in _ = try ReceivedHead(bytes) } == nil)
        writer.add("", "")
        writer.finish(flags: [])
        let after = writer.isTooLarge
        #expect(after)
        let problem = refusal(Array(writer.bytes)) { bytes throws(Malformed) in _ = try ReceivedHead(bytes) }
        #expect(problem == "65537 environ fields")
    }
}
