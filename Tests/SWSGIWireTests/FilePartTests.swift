import SWSGIWire
import Testing

@Suite struct FilePartTests {
    private func bytes(_ offset: Int64, _ length: Int64) -> [UInt8] {
        withUnsafeBytes(of: (offset.littleEndian, length.littleEndian)) { Array($0) }
    }

    @Test(arguments: [(0, 1), (5, 7), (Int64.max - 1, 1), (0, Int64.max)] as [(Int64, Int64)])
    func part_isRead(_ offset: Int64, _ length: Int64) throws {
        let part = try bytes(offset, length).withUnsafeBytes { try FilePart($0) }
        #expect(part == FilePart(offset: offset, length: length))
        #expect(part.end == offset + length)
    }

    @Test(
        arguments: [(0, 0), (0, -1), (-1, 5), (Int64.max, 1), (1, Int64.max), (Int64.min, Int64.min)]
            as [(Int64, Int64)]
    )
    func partThatCannotBe_isRefused(_ offset: Int64, _ length: Int64) {
        let bytes = bytes(offset, length)
        #expect(throws: Malformed.self) { try bytes.withUnsafeBytes { try FilePart($0) } }
    }

    @Test(arguments: [0, 1, 15, 17]) func otherSizes_areRefused(_ size: Int) {
        let bytes = [UInt8](repeating: 1, count: size)
        #expect(throws: Malformed.self) { try bytes.withUnsafeBytes { try FilePart($0) } }
    }
}
