import Testing

@testable import SWSGIWire

@Suite struct FrameHeaderTests {
    /// Each kind with the least and the largest payload it may have.
    static let limits: [(FrameKind, Int, Int)] = [
        (.wantBody, 4, 4), (.head, 16, 256 * 1024), (.data, 1, 1024 * 1024), (.end, 1, 1), (.log, 1, 32 * 1024),
        (.retry, 1, 1), (.body, 1, 1024 * 1024), (.bodyEnd, 1, 1), (.abort, 0, 0), (.flush, 0, 0),
        (.file, 16, 16), (.interim, 16, 16 * 1024), (.trailers, 16, 16 * 1024), (.taken, 8, 8),
    ]

    @Test(arguments: limits)
    func lengths_fromTheLeastToTheLargest_travel(_ kind: FrameKind, _ least: Int, _ largest: Int) throws {
        for length in [least, largest] {
            let header = FrameHeader(kind, length: length)
            #expect(try bytes(header).withUnsafeBytes { try FrameHeader($0) } == header)
        }
    }

    @Test(arguments: limits)
    func lengths_outsideOfTheLimits_areRefused(_ kind: FrameKind, _ least: Int, _ largest: Int) {
        for length in [0, least - 1, largest + 1, Int(UInt32.max)] where length >= 0 && !(least...largest ~= length) {
            #expect(refusal(bytes(FrameHeader(kind, length: length)), decode) == "\(kind) frame of \(length) bytes")
        }
    }

    @Test func everyOtherType_isRefused() {
        let known = Self.limits.map(\.0.rawValue) + [FrameKind.abort.rawValue]
        for type in 0...UInt8.max where !known.contains(type) {
            #expect(refusal([type, 0, 0, 0, 1, 0, 0, 0], decode) == "unknown frame type \(type)")
        }
    }

    @Test(arguments: [1, 2, 3]) func everyBitBetweenTypeAndLength_isRefused(_ offset: Int) {
        for bit in 0..<8 {
            var bytes = bytes(FrameHeader(.data, length: 5))
            bytes[offset] = 1 << bit
            #expect(refusal(bytes, decode) == "unknown frame flags")
        }
    }

    @Test func fewerThanEightBytes_areRefused() {
        let bytes = bytes(FrameHeader(.data, length: 5))
        for count in 0..<8 {
            #expect(refusal(Array(bytes[..<count]), decode) == "frame header of \(count) bytes")
        }
    }

    @Test func bytesAfterTheHeader_areNotLookedAt() {
        #expect(refusal(bytes(FrameHeader(.end, length: 1)) + [9, 9], decode) == nil)
    }

    private func bytes(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: FrameHeader.size)
        bytes.withUnsafeMutableBytes { header.write(to: $0) }
        return bytes
    }

    private func decode(_ bytes: UnsafeRawBufferPointer) throws(Malformed) { _ = try FrameHeader(bytes) }
}
