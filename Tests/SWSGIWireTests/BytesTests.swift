import SWSGIWire
import Testing

@Suite struct BytesTests {
    @Test func numbersOfEachWidth_travel_littleEndian() {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.write(UInt16(0x0203))
        writer.write(UInt32(0x0405_0607))
        writer.write(Int64(-2))
        #expect(writer.bytes == [1, 3, 2, 7, 6, 5, 4, 0xfe] + [UInt8](repeating: 0xff, count: 7))
        read(writer.bytes) { reader throws(Malformed) in
            let numbers = (
                try reader.read(UInt8.self), try reader.read(UInt16.self), try reader.read(UInt32.self),
                try reader.read(Int64.self)
            )
            #expect(numbers == (1, 0x0203, 0x0405_0607, -2))
            #expect(reader.remaining == 0)
        }
    }

    @Test(arguments: ["", "a", "Grüße, 世界 🎉", "with\0NUL", String(repeating: "x", count: 5000)])
    func text_travels(_ text: String) {
        var writer = ByteWriter()
        writer.write(text)
        read(writer.bytes) { reader throws(Malformed) in
            let received = try reader.readText(limit: 5000)
            #expect(received == text)
            try reader.finish()
        }
    }

    @Test func absentText_differsFromAnEmptyOne() {
        var writer = ByteWriter()
        writer.write(String?.none)
        writer.write(String?.some(""))
        #expect(writer.bytes == [0, 1, 0, 0, 0, 0])
        read(writer.bytes) { reader throws(Malformed) in
            let texts = [try reader.readOptionalText(limit: 10), try reader.readOptionalText(limit: 10)]
            #expect(texts == [nil, ""])
        }
    }

    @Test func textOfTheLimit_isTaken_andALongerOneIsNot() {
        var writer = ByteWriter()
        writer.write("12345")
        #expect(refused(writer.bytes) { reader throws(Malformed) in _ = try reader.readText(limit: 5) } == nil)
        let problem = refused(writer.bytes) { reader throws(Malformed) in _ = try reader.readText(limit: 4) }
        #expect(problem == "text of 5 bytes, more than 4")
    }

    @Test func bytesThatAreNoUTF8_becomeReplacementCharacters() {
        read([2, 0, 0, 0, 0xff, 0x41]) { reader throws(Malformed) in
            let received = try reader.readText(limit: 2)
            #expect(received == "\u{FFFD}A")
        }
    }

    @Test func list_travels_inOrder() {
        var writer = ByteWriter()
        writer.write([3, 1, 2] as [UInt16]) { $0.write($1) }
        read(writer.bytes) { reader throws(Malformed) in
            let list = try reader.readList(limit: 3) { reader throws(Malformed) in try reader.read(UInt16.self) }
            #expect(list == [3, 1, 2])
        }
    }

    @Test func listCountBeyondTheLimit_isRefused_beforeItsElements() {
        let problem = refused([0xff, 0xff, 0xff, 0xff]) { reader throws(Malformed) in
            _ = try reader.readList(limit: 3) { reader throws(Malformed) in try reader.read(UInt8.self) }
        }
        #expect(problem == "list of 4294967295, more than 3")
    }

    @Test func listShorterThanItsCount_isRefused() {
        let problem = refused([3, 0, 0, 0, 1, 2]) { reader throws(Malformed) in
            _ = try reader.readList(limit: 3) { reader throws(Malformed) in try reader.read(UInt8.self) }
        }
        #expect(problem == "ends inside a number")
    }

    @Test func textLongerThanTheMessage_isRefused() {
        let problem = refused([9, 0, 0, 0, 1]) { reader throws(Malformed) in _ = try reader.readText(limit: 100) }
        #expect(problem == "ends inside 9 bytes")
    }

    @Test func negativeCount_isRefused() {
        let problem = refused([1, 2]) { reader throws(Malformed) in _ = try reader.read(count: -1) }
        #expect(problem == "ends inside -1 bytes")
    }

    @Test func failedRead_takesNothing() {
        read([1, 2, 3]) { reader throws(Malformed) in
            let tooLong = try? reader.read(UInt32.self)
            let remaining = reader.remaining
            let next = try reader.read(UInt8.self)
            #expect(tooLong == nil)
            #expect(remaining == 3)
            #expect(next == 1)
        }
    }

    @Test func finish_wantsEverythingRead() {
        #expect(refused([1, 2]) { reader throws(Malformed) in try reader.finish() } == "2 bytes too many")
        #expect(refused([]) { reader throws(Malformed) in try reader.finish() } == nil)
    }

    private func read(_ bytes: [UInt8], _ body: (inout ByteReader) throws(Malformed) -> Void) {
        #expect(refused(bytes, body) == nil)
    }

    private func refused(_ bytes: [UInt8], _ body: (inout ByteReader) throws(Malformed) -> Void) -> String? {
        refusal(bytes) { bytes throws(Malformed) in
            var reader = ByteReader(bytes)
            try body(&reader)
        }
    }
}
