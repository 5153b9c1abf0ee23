import SWSGIWire
import Testing

@Suite struct HeadDamageTests {
    private static let bytes: [UInt8] = {
        var parts = HeadParts()
        parts.fields = HeadParts.usual
        return parts.bytes
    }()

    private func trial() throws -> Trial {
        try Trial { bytes throws(Malformed) in try ReceivedHead(bytes).isConsistent }
    }

    @Test func everyTruncation_isRefused() throws {
        let trial = try trial()
        trial.feedTruncations(of: Self.bytes)
        #expect(trial.refused == Self.bytes.count)
    }

    @Test func bytesAfterTheEnd_areRefused() {
        var bytes = Self.bytes + [0]
        #expect(refusal(bytes, decode) == "wrong length")
        bytes[8] += 1
        #expect(refusal(bytes, decode) == "1 bytes too many")
    }

    @Test func everyByteChange_givesAConsistentHeadOrNone() throws {
        let trial = try trial()
        trial.feedByteChanges(of: Self.bytes)
        #expect(trial.inconsistent == 0)
        #expect(trial.accepted + trial.refused == 255 * Self.bytes.count)
    }

    @Test func thirtyThousandRandomChanges_giveAConsistentHeadOrNone() throws {
        let trial = try trial()
        trial.feedRandomChanges(of: Self.bytes, times: 30_000, seed: 1)
        #expect(trial.inconsistent == 0)
        #expect(trial.accepted > 0 && trial.refused > 0)
    }

    @Test func twentyThousandRandomMessages_areRefused() throws {
        let trial = try trial()
        trial.feedRandomBytes(upTo: 300, times: 20_000, seed: 2)
        #expect(trial.refused == 20_000)
    }

    @Test(arguments: [(0, "wrong magic number"), (4, "unknown version"), (8, "wrong length")])
    func changedNumber_isNamed(_ offset: Int, _ problem: String) {
        var bytes = Self.bytes
        bytes[offset] ^= 0x10
        #expect(refusal(bytes, decode) == problem)
    }

    @Test(arguments: [12, 72, 76, 80, 84])
    func hugeNumber_isRefused_withoutTakingMemory(_ offset: Int) {
        var bytes = Self.bytes
        bytes.replaceSubrange(offset..<offset + 4, with: [0xff, 0xff, 0xff, 0xff])
        #expect(refusal(bytes, decode) != nil)
    }

    @Test func textWithoutNUL_isRefused() {
        var bytes = Self.bytes
        bytes[bytes.count - 1] = 1
        #expect(refusal(bytes, decode) == "text without an end")
    }

    @Test func headThatAnnouncesMemory_isRefusedWhenTheLengthIsOutOfBounds() {
        for length in [0, 91, UInt32(ExchangeHead.limit) + 1, .max] {
            let problem = refusal(memoryMessage(length)) { bytes throws(Malformed) in
                _ = try ReceivedHead.memoryLength(of: bytes)
            }
            #expect(problem == "head of \(length) bytes")
        }
        for length in [92, UInt32(ExchangeHead.limit)] {
            let problem = refusal(memoryMessage(length)) { bytes throws(Malformed) in
                _ = try ReceivedHead.memoryLength(of: bytes)
            }
            #expect(problem == nil)
        }
    }

    @Test func messageShorterThan64Bytes_isRefused() {
        let problem = refusal(Array(Self.bytes[..<63])) { bytes throws(Malformed) in
            _ = try ReceivedHead.memoryLength(of: bytes)
        }
        #expect(problem == "head of 63 bytes")
    }

    private func decode(_ bytes: UnsafeRawBufferPointer) throws(Malformed) { _ = try ReceivedHead(bytes) }

    private func memoryMessage(_ length: UInt32) -> [UInt8] {
        var bytes = Array(Self.bytes[..<64])
        bytes[6] = UInt8(ExchangeFlags.inMemory.rawValue)
        withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(8..<12, with: $0) }
        return bytes
    }
}
