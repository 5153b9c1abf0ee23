import Glibc
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire
import Testing

@Suite struct FrameReaderTests {
    private static let head = [UInt8](0..<40)
    private static let exchange: [Piece] = [
        .frame(.log, Array("\u{3}a line".utf8)), .frame(.head, head), .data(Array("some of the body".utf8)),
        .frame(.wantBody, [0, 0, 1, 0]), .data(Array("more".utf8)), .frame(.end, [0]),
    ]

    private static func bytes(_ pieces: [Piece]) -> [UInt8] {
        pieces.flatMap { piece in
            switch piece {
            case .frame(let kind, let payload): frame(kind, payload)
            case .data(let bytes): frame(.data, bytes)
            default: [] as [UInt8]
            }
        }
    }

    @Test func framesInOneReceive_comeOneByOne() throws {
        var line = try Line()
        try send(line.far.number, Self.bytes(Self.exchange))
        let pieces = line.read()
        let isEmpty = line.reader.isEmpty
        #expect(pieces == Self.exchange)
        #expect(isEmpty)
    }

    @Test func framesSplitAtAnyByte_areTheSame() throws {
        let bytes = Self.bytes(Self.exchange)
        for offset in 1..<bytes.count {
            var line = try Line()
            let first = try line.pump(Array(bytes[..<offset]), pieces: offset)
            let second = try line.pump(Array(bytes[offset...]), pieces: bytes.count)
            #expect(joined(first, second) == Self.exchange, "split at \(offset)")
        }
    }

    private func joined(_ first: [Piece], _ second: [Piece]) -> [Piece] {
        guard case .data(let start)? = first.last, case .data(let more)? = second.first else { return first + second }
        return first.dropLast() + [.data(start + more)] + second.dropFirst()
    }

    @Test(arguments: [1, 2, 3, 7]) func framesInSmallPieces_areTheSame(_ size: Int) throws {
        var line = try Line()
        let pieces = try line.pump(Self.bytes(Self.exchange), pieces: size)
        #expect(pieces == Self.exchange)
    }

    @Test(arguments: [1000, 4099, 65_536]) func thousandFrames_wrapAroundTheBuffer(_ size: Int) throws {
        let frames = (0..<1000).map { index in
            Piece.frame(.log, [3] + [UInt8](repeating: UInt8(index % 251), count: index % 400))
        }
        var line = try Line()
        let pieces = try line.pump(Self.bytes(frames), pieces: size)
        #expect(pieces == frames)
    }

    @Test(arguments: [100_000, FrameHeader.headLimit]) func largeHead_growsTheBuffer(_ size: Int) throws {
        let head = Piece.frame(.head, (0..<size).map { UInt8(truncatingIfNeeded: $0 % 253) })
        var line = try Line()
        let pieces = try line.pump(Self.bytes([.frame(.log, [3, 4]), head, .frame(.end, [0])]), pieces: 50_000)
        #expect(pieces == [.frame(.log, [3, 4]), head, .frame(.end, [0])])
    }

    @Test func dataFrameOfAMegabyte_comesInParts_asItArrives() throws {
        var line = try Line()
        var total = 0
        try send(line.far.number, Array(frame(.data, [UInt8](repeating: 7, count: 1024 * 1024))[..<100_008]))
        while let piece = line.readOne() {
            guard case .data(let bytes) = piece else { break }
            total += bytes.count
        }
        let isEmpty = line.reader.isEmpty
        #expect(total == 100_000)
        #expect(!isEmpty)
    }

    @Test func restOfAFrame_keepsTheReaderFromBeingEmpty() throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]) + [4])
        let pieces = line.read()
        let isEmpty = line.reader.isEmpty
        #expect(pieces == [.frame(.end, [0])])
        #expect(!isEmpty)
    }

    @Test func whatHasComeAlready_isKnown() throws {
        var line = try Line()
        let cut = Array(frame(.log, [3, 4, 5]).dropLast())
        try send(line.far.number, Self.bytes([.frame(.flush, []), .data([1, 2]), .frame(.end, [0])]) + cut)
        var known: [Bool] = []
        for _ in 0..<3 {
            _ = line.readOne()
            known.append(line.reader.hasMore)
        }
        #expect(known == [true, true, false])
        try send(line.far.number, [5] + Array(frame(.data, [1, 2, 3])[..<9]))
        _ = line.readOne()
        let isPartOfTheBodyKnown = line.reader.hasMore
        _ = line.readOne()
        let isNothingMoreKnown = !line.reader.hasMore
        #expect(isPartOfTheBodyKnown && isNothingMoreKnown)
    }

    @Test func begin_forgetsWhatWasThere() throws {
        var line = try Line()
        try send(line.far.number, Array(frame(.data, [1, 2, 3])[..<10]))
        _ = line.read()
        line.reader.begin()
        try send(line.far.number, frame(.end, [0]))
        let pieces = line.read()
        #expect(pieces == [.frame(.end, [0])])
    }

    @Test func goneSender_isTheEnd_evenInsideAFrame() throws {
        for count in [0, 5, 12] {
            let pair = try Socket.pair(.stream)
            let bytes = Array(frame(.log, [3, 4, 5, 6, 7])[..<count])
            try bytes.withUnsafeBytes { _ = try Socket.send(pair.second.number, $0) }
            shutdown(pair.second.number, Int32(SHUT_WR))
            var reader = FrameReader()
            guard case .ended = try reader.next(pair.first.number, waits: true) else {
                Issue.record("no end after \(count) bytes")
                continue
            }
        }
    }

    @Test func waitingForNothing_timesOut() throws {
        var line = try Line()
        Socket.setTimeouts(line.near.number, microseconds: 1000)
        let piece = line.readOne(waits: true)
        #expect(piece == .timedOut)
    }

    @Test(arguments: [
        ("\r\n\r\n\r\n\r\n", "unknown frame type 13"), ("GET / HTTP/1.1\r\n", "unknown frame type 71"),
        ("\u{3}\u{1}\0\0\u{1}\0\0\0x", "unknown frame flags"), ("\u{3}\0\0\0\0\0\0\0", "data frame of 0 bytes"),
        ("\u{4}\0\0\0\u{2}\0\0\0", "end frame of 2 bytes"),
        ("\u{5}\0\0\0\0\0\0\u{7f}", "log frame of 2130706432 bytes"),
    ])
    func garbage_isMalformed(_ text: String, _ problem: String) throws {
        var line = try Line()
        try send(line.far.number, Array(text.utf8))
        let pieces = line.read()
        #expect(pieces == [.malformed(problem)])
    }

    @Test func fiveThousandRandomStreams_neverTrap() throws {
        var random = FixedRandom(seed: 12)
        let exchange = Self.bytes(Self.exchange)
        for round in 0..<5000 {
            var bytes = round % 2 == 0 ? random.bytes(upTo: 100) : exchange
            for _ in 0..<3 where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var line = try Line()
            let pieces = try line.pump(bytes, pieces: Int.random(in: 1...100, using: &random))
            #expect(pieces.reduce(0) { $0 + size($1) } <= bytes.count)
        }
    }

    private func size(_ piece: Piece) -> Int {
        switch piece {
        case .frame(_, let payload): FrameHeader.size + payload.count
        case .data(let bytes): bytes.count
        default: 0
        }
    }
}
