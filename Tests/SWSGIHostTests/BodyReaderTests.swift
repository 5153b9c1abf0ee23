import CSWSGI
import Glibc
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

/// Ends httpd's side of a reply.
func shutdownNear(_ reply: borrowing Reply) {
    shutdown(reply.near.number, Int32(SHUT_RDWR))
}

@Suite struct BodyReaderTests {
    private static let wanted = Message.Frame(.wantBody, [0, 0, 1, 0])

    /// What reading gives until the end or an error, in pieces of at most `size` bytes.
    private func readAll(_ reader: inout BodyReader, size: Int = 1000) -> (bytes: [UInt8], last: Int64) {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: size)
        while true {
            let count = piece.withUnsafeMutableBytes { reader.read(into: $0) }
            if count <= 0 { return (bytes, count) }
            bytes += piece[..<Int(count)]
        }
    }

    private func body(_ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) } }

    @Test func requestWithoutABody_isAtItsEnd_andAsksForNothing() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: false)
        let result = readAll(&reader)
        let (mustWait, isIdle) = (reader.mustWait, reader.isIdle)
        #expect(result.bytes == [] && result.last == 0)
        #expect(!mustWait && isIdle)
        #expect(try reply.receive() == nil)
    }

    @Test(arguments: [1, 7, 1000, 200_000]) func body_isAskedForOnce_andReadWhole(_ size: Int) throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        let before = (reader.mustWait, reader.isIdle)
        let sent = body(5000)
        try reply.send([.init(.body, Array(sent[..<3000])), .init(.body, Array(sent[3000...])), .init(.bodyEnd, [0])])
        let result = readAll(&reader, size: size)
        let after = (reader.mustWait, reader.isIdle)
        #expect(before == (true, true))
        #expect(result.bytes == sent && result.last == 0)
        #expect(after == (false, true))
        #expect(try reply.receiveAll().frames == [Self.wanted])
    }

    @Test func abort_isSeen_andTheBodyIsReadAllTheSame() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        let before = reader.seesAbort()
        let sent = body(5000)
        try reply.send([.init(.body, Array(sent[..<3000])), .init(.abort, [])])
        try reply.send([.init(.body, Array(sent[3000...])), .init(.bodyEnd, [0])])
        let first = reader.seesAbort()
        let result = readAll(&reader, size: 700)
        let isIdle = reader.isIdle
        #expect(!before && first)
        #expect(result.bytes == sent && result.last == 0)
        #expect(isIdle)
    }

    @Test func abort_isSeenBehindABodyThatIsBeingRead() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        try reply.send([.init(.body, body(3000))])
        var byte: UInt8 = 0
        let count = withUnsafeMutableBytes(of: &byte) { reader.read(into: $0) }
        let before = reader.seesAbort()
        try reply.send([.init(.abort, [])])
        let after = reader.seesAbort()
        #expect(count == 1 && !before && after)
    }

    @Test func bodyThatBrokeOff_isAnAbort() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        try reply.send([.init(.body, body(3000)), .init(.bodyEnd, [1])])
        var byte: UInt8 = 0
        _ = withUnsafeMutableBytes(of: &byte) { reader.read(into: $0) }
        let isAborted = reader.seesAbort()
        #expect(isAborted)
    }

    @Test func exchangeThatHTTPDGaveUp_isAborted() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: false)
        let before = reader.seesAbort()
        shutdownNear(reply)
        let after = reader.seesAbort()
        reader.begin(reply.far.number, hasBody: false)
        #expect(!before && after)
    }

    @Test func bodyOfMoreThan64KiB_isAskedForAgain() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        let sent = body(100_000)
        let pieces = stride(from: 0, to: sent.count, by: 32_768).map { Array(sent[$0..<min($0 + 32_768, sent.count)]) }
        try reply.send(pieces.map { .init(.body, $0) } + [.init(.bodyEnd, [0])])
        let result = readAll(&reader, size: 10_000)
        #expect(result.bytes == sent && result.last == 0)
        #expect(try reply.receiveAll().frames == [Self.wanted, Self.wanted])
    }

    @Test func bodyThatBreaksOff_isAnError_afterItsBytes() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        try reply.send([.init(.body, [1, 2, 3]), .init(.bodyEnd, [1])])
        let result = readAll(&reader)
        let again = readAll(&reader)
        let isIdle = reader.isIdle
        #expect(result.bytes == [1, 2, 3] && result.last == Int64(SWSGI_ERROR_BODY))
        #expect(again.last == Int64(SWSGI_ERROR_BODY))
        #expect(!isIdle)
    }

    @Test func goneServer_isAnError_afterTheBytes() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        try reply.send([.init(.body, [1, 2, 3])])
        shutdown(reply.near.number, Int32(SHUT_WR))
        let result = readAll(&reader)
        #expect(result.bytes == [1, 2, 3] && result.last == Int64(SWSGI_ERROR_BODY))
    }

    @Test(
        arguments: [
            (.body, [UInt8](repeating: 0, count: 65_537)), (.data, [1]), (.end, [0]), (.wantBody, [1, 0, 0, 0]),
        ] as [(FrameKind, [UInt8])]
    )
    func frameThatWasNotAskedFor_isAnError(_ kind: FrameKind, _ payload: [UInt8]) throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        try reply.send([.init(kind, payload)])
        let result = readAll(&reader)
        #expect(result.bytes == [] && result.last == Int64(SWSGI_ERROR_BODY))
    }

    @Test func bodyNotReadToItsEnd_keepsTheReplyFromBeingUsedAgain() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        try reply.send([.init(.body, [1, 2, 3])])
        var piece = [UInt8](repeating: 0, count: 3)
        let count = piece.withUnsafeMutableBytes { reader.read(into: $0) }
        let isIdle = reader.isIdle
        #expect(count == 3)
        #expect(!isIdle)
    }

    @Test func emptyBuffer_readsNothing() throws {
        let reply = try Reply(.stream)
        var reader = BodyReader()
        reader.begin(reply.far.number, hasBody: true)
        let count = reader.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        #expect(count == 0)
        #expect(try reply.receive() == nil)
    }

    @Test func thousandRandomServers_neverTrap() throws {
        var random = FixedRandom(seed: 22)
        for _ in 0..<1000 {
            let reply = try Reply(.stream)
            var reader = BodyReader()
            reader.begin(reply.far.number, hasBody: true)
            var bytes = [65, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 66, 0, 0, 0, 1, 0, 0, 0, 0] as [UInt8]
            for _ in 0..<2 {
                bytes[Int.random(in: 0..<20, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = bytes.withUnsafeBytes { write(reply.near.number, $0.baseAddress, $0.count) }
            shutdown(reply.near.number, Int32(SHUT_WR))
            #expect(readAll(&reader).bytes.count <= bytes.count)
        }
    }
}
