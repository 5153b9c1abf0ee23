import CSWSGI
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

/// A response with its reply, as an application makes it.
struct Responder: ~Copyable {
    var buffer = ResponseBuffer()
    let reply: Reply

    init() throws {
        reply = try Reply()
        buffer.begin(reply.far.number)
    }

    mutating func start(_ status: UInt32 = 200, _ reason: String = "OK", _ headers: [(String, String)] = []) -> Int32 {
        let reason = Array(reason.utf8)
        return Self.withHeaders(headers) { fields in
            reason.withUnsafeBytes { buffer.start(status: status, reason: $0, headers: fields) }
        }
    }

    static func withHeaders(
        _ headers: [(String, String)],
        _ body: (UnsafeBufferPointer<swsgi_header>) -> Int32
    ) -> Int32 {
        let texts = headers.flatMap { [Array($0.0.utf8), Array($0.1.utf8)] }.map { bytes in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
            _ = copy.initialize(from: bytes.map { CChar(bitPattern: $0) } + [0])
            return copy
        }
        defer { for text in texts { text.deallocate() } }
        let list = stride(from: 0, to: texts.count, by: 2).map { index in
            swsgi_header(name: Self.text(texts[index]), value: Self.text(texts[index + 1]))
        }
        return list.withUnsafeBufferPointer(body)
    }

    mutating func interim(_ status: UInt32, _ headers: [(String, String)] = []) -> Int32 {
        Self.withHeaders(headers) { buffer.interim(status, $0) }
    }

    private static func text(_ bytes: UnsafeMutableBufferPointer<CChar>) -> swsgi_text {
        swsgi_text(bytes: bytes.baseAddress, length: bytes.count - 1)
    }

    mutating func write(_ bytes: [UInt8]) -> Int32 { bytes.withUnsafeBytes { buffer.write($0) } }

    mutating func write(_ text: String) -> Int32 { write(Array(text.utf8)) }
}

@Suite struct ResponseBufferTests {
    @Test func bodyOfTheTogetherLimit_comesWithItsHead_whateverTheHeadsSize() throws {
        for size in [0, 20_000, 200_000] {
            var responder = try Responder()
            let headers = size == 0 ? [] : [("X-Large", String(repeating: "x", count: size))]
            let results = [
                responder.start(200, "OK", headers),
                responder.write([UInt8](repeating: 0, count: ResponseHead.togetherLimit)),
            ]
            #expect(results == [0, 0])
            #expect(try responder.reply.receive() == nil)
            responder.buffer.end(.complete, returnsReply: true)
        }
    }

    @Test func responseThatIsReadBeside_isOneInPieces() throws {
        for isInterleaved in [false, true] {
            var responder = try Responder()
            responder.buffer.interleave()
            let results = [responder.start(), responder.write("one")]
            #expect(results == [0, 0])
            if isInterleaved { responder.buffer.interleave() }
            responder.buffer.end(.complete, returnsReply: true)
            let message = try #require(try responder.reply.receive())
            #expect(
                message.frames.map(\.kind) == (isInterleaved ? [.head, .data, .flush, .end] : [.head, .data, .end])
            )
            #expect(try Head(message.frames[0].payload).contentLength == (isInterleaved ? nil : 3))
        }
    }

    @Test func smallResponse_isOneMessage_withTheReplyEnd() throws {
        var responder = try Responder()
        let started = responder.start(404, "Not Found", [("Content-Type", "text/plain"), ("X", "")])
        let results = [started, responder.write("one "), responder.write(""), responder.write("two")]
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        let rest = try responder.reply.receive()
        #expect(results == [0, 0, 0, 0])
        #expect(message.frames.map(\.kind) == [.head, .data, .end])
        #expect(message.frames[1].text == "one two")
        #expect(message.frames[2].payload == [0])
        #expect(message.isReplyReturned)
        #expect(rest == nil)
        let head = try Head(message.frames[0].payload)
        #expect(head.status == 404 && head.reason == "Not Found")
        #expect(head.headers == ["Content-Type: text/plain", "X: "])
        #expect(head.contentLength == 7)
    }

    @Test func responseWithoutABody_hasALengthOfZero() throws {
        var responder = try Responder()
        _ = responder.start()
        responder.buffer.end(.complete, returnsReply: false)
        let message = try #require(try responder.reply.receive())
        #expect(message.frames.map(\.kind) == [.head, .end])
        #expect(try Head(message.frames[0].payload).contentLength == 0)
        #expect(!message.isReplyReturned)
    }

    @Test func flushedResponse_hasNoComputedLength() throws {
        var responder = try Responder()
        _ = responder.start()
        let results = [
            responder.write("one"), responder.buffer.flush(), responder.write("two"), responder.buffer.flush(),
        ]
        let again = responder.buffer.flush()
        responder.buffer.end(.complete, returnsReply: true)
        let first = try #require(try responder.reply.receive())
        let second = try #require(try responder.reply.receive())
        let last = try #require(try responder.reply.receive())
        #expect(results == [0, 0, 0, 0] && again == 0)
        #expect(try Head(first.frames[0].payload).contentLength == nil)
        #expect(first.frames.dropFirst().map(\.text) == ["one", ""])
        #expect(first.frames.last?.kind == .flush && second.frames.last?.kind == .flush)
        #expect(second.frames.map(\.text) == ["two", ""])
        #expect(last.frames == [Message.Frame(.end, [0])])
        #expect(last.isReplyReturned && !first.isReplyReturned && !second.isReplyReturned)
    }

    @Test func ownContentLength_isAnnouncedOnce_notAsAHeader() throws {
        var responder = try Responder()
        _ = responder.start(200, "OK", [("content-LENGTH", "7"), ("X", "1")])
        _ = responder.write("1234567")
        responder.buffer.end(.complete, returnsReply: true)
        let head = try Head(try #require(try responder.reply.receive()).frames[0].payload)
        #expect(head.contentLength == 7)
        #expect(head.headers == ["X: 1"])
    }

    @Test func bytesBeyondTheLength_areRefused_andOneOfThemTellsHTTPD() throws {
        var responder = try Responder()
        _ = responder.start(200, "OK", [("Content-Length", "5")])
        let results = [responder.write("123"), responder.write("4567890"), responder.write("x")]
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(results == [0, SWSGI_ERROR_TOO_LONG, SWSGI_ERROR_TOO_LONG].map { Int32($0) })
        #expect(message.frames[1].text == "123456")
    }

    @Test func shortResponse_keepsItsAnnouncedLength_forHTTPDToMiss() throws {
        var responder = try Responder()
        _ = responder.start(200, "OK", [("Content-Length", "100")])
        _ = responder.write("123")
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(try Head(message.frames[0].payload).contentLength == 100)
        #expect(message.frames[1].text == "123")
    }

    @Test(arguments: ["", "+5", "-1", "5 ", "0x5", "5,5", "1234567890123456789", "five"])
    func contentLengthThatIsNoNumber_isRefused(_ value: String) throws {
        var responder = try Responder()
        let result = responder.start(200, "OK", [("Content-Length", value)])
        let isStarted = responder.buffer.isStarted
        #expect(result == Int32(SWSGI_ERROR_CONTENT_LENGTH))
        #expect(!isStarted)
    }

    @Test(arguments: ["5", "6"]) func secondContentLength_isRefused(_ second: String) throws {
        var responder = try Responder()
        let result = responder.start(200, "OK", [("Content-Length", "5"), ("Content-Length", second)])
        #expect(result == Int32(SWSGI_ERROR_CONTENT_LENGTH))
    }

    static let badHeads: [(UInt32, String, [(String, String)], Int)] = [
        (199, "OK", [], -2), (600, "OK", [], -2), (0, "OK", [], -2), (100, "Continue", [], -2), (.max, "OK", [], -2),
        (200, String(repeating: "r", count: 257), [], -2), (200, "\u{E9}", [], -2), (200, "O\tK", [], -2),
        (200, "O\r\nK", [], -2), (200, "O\0K", [], -2), (200, "OK", [("", "x")], -3), (200, "OK", [("A B", "x")], -3),
        (200, "OK", [("A:", "x")], -3), (200, "OK", [("A\r\nB", "x")], -3), (200, "OK", [("Ä", "x")], -3),
        (200, "OK", [("A", "x\r\nB: y")], -4), (200, "OK", [("A", "x\n")], -4), (200, "OK", [("A", "x\0")], -4),
        (200, "OK", [("A", "\u{7f}")], -4), (200, "OK", Array(repeating: ("A", "x"), count: 1001), -8),
        (200, "OK", [("A", String(repeating: "x", count: FrameHeader.headLimit))], -8),
    ]

    @Test(arguments: badHeads.indices) func badHead_isRefused_andNothingOfItIsSent(_ index: Int) throws {
        let (status, reason, headers, expected) = Self.badHeads[index]
        var responder = try Responder()
        let result = responder.start(status, reason, headers)
        let (isStarted, hasPending) = (responder.buffer.isStarted, responder.buffer.hasPending)
        #expect(result == Int32(expected))
        #expect(!isStarted && !hasPending)
        let second = responder.start()
        #expect(second == 0)
    }

    @Test func headOf256KiB_isTaken_andALargerOneIsNot() throws {
        let half = (FrameHeader.headLimit - ResponseHead.fixedSize - "OK".utf8.count) / 2 - 9
        for (size, expected) in [(half + 1, Int32(SWSGI_ERROR_HEAD_SIZE)), (half, 0)] {
            var responder = try Responder()
            let value = String(repeating: "x", count: size)
            let result = responder.start(200, "OK", [("A", value), ("B", value)])
            #expect(result == expected)
        }
    }

    @Test func secondStart_isRefused() throws {
        var responder = try Responder()
        let results = [responder.start(), responder.start(404, "Not Found")]
        #expect(results == [0, Int32(SWSGI_ERROR_STARTED)])
    }

    @Test func writeBeforeTheStart_isRefused() throws {
        var responder = try Responder()
        let result = responder.write("x")
        #expect(result == Int32(SWSGI_ERROR_NOT_STARTED))
    }

    @Test func failureBeforeAnythingWasSent_leavesTheAnswerToHTTPD() throws {
        var responder = try Responder()
        _ = responder.start()
        _ = responder.write("half of it")
        responder.buffer.end(.failed, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(message.frames == [Message.Frame(.end, [1])])
        #expect(message.isReplyReturned)
    }

    @Test func failureAfterAFlush_sendsTheRest_andTheFailure() throws {
        var responder = try Responder()
        _ = responder.start()
        _ = responder.buffer.flush()
        _ = responder.write("half of it")
        responder.buffer.end(.failed, returnsReply: true)
        let message = try responder.reply.receiveAll()
        #expect(message.frames.map(\.kind) == [.head, .flush, .data, .end])
        #expect(message.frames[2].text == "half of it")
        #expect(message.frames[3].payload == [1])
    }

    @Test func largeWrite_isSentAtOnce_inFramesOfItsOwn() throws {
        var responder = try Responder()
        _ = responder.start()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let results = [responder.write("before"), responder.write(bytes), responder.write("after")]
        responder.buffer.end(.complete, returnsReply: true)
        let all = try responder.reply.receiveAll()
        #expect(results == [0, 0, 0])
        #expect(Array(all.payloads(.data).joined()) == Array("before".utf8) + bytes + Array("after".utf8))
        #expect(try Head(all.frames[0].payload).contentLength == nil)
        #expect(all.isReplyReturned)
    }

    @Test func flushAfterALargeWrite_isAFrameOfItsOwn_once() throws {
        var responder = try Responder()
        _ = responder.start()
        let written = responder.write([UInt8](repeating: 1, count: 100_000))
        _ = try responder.reply.receiveAll()
        let results = [responder.buffer.flush(), responder.buffer.flush()]
        let message = try responder.reply.receiveAll()
        #expect(written == 0 && results == [0, 0])
        #expect(message.frames == [Message.Frame(.flush, [])])
    }

    /// A46, A47.
    @Test func millionsOfSmallWrites_areFewFrames() throws {
        var responder = try Responder()
        _ = responder.start()
        var worst: Int32 = 0
        var all: [Message.Frame] = []
        for round in 0..<1_000_000 {
            worst = min(worst, responder.write(""), responder.write("x"))
            if round % 1000 == 0 { all += try responder.reply.receiveAll().frames }
        }
        responder.buffer.end(.complete, returnsReply: true)
        all += try responder.reply.receiveAll().frames
        #expect(worst == 0)
        #expect(all.filter { $0.kind == .data }.map(\.payload.count).reduce(0, +) == 1_000_000)
        #expect(all.count < 100)
    }

    @Test func goneClient_isTold_toEveryLaterCall() throws {
        var responder = try Responder()
        _ = responder.start()
        shutdownNear(responder.reply)
        let results = [responder.buffer.flush(), responder.write("x"), responder.buffer.flush()]
        responder.buffer.end(.complete, returnsReply: true)
        #expect(results == Array(repeating: Int32(SWSGI_ERROR_CLIENT_GONE), count: 3))
    }

    @Test func nextExchange_knowsNothingOfTheLast() throws {
        var responder = try Responder()
        _ = responder.start(200, "OK", [("Content-Length", "1")])
        _ = responder.write("12")
        responder.buffer.end(.complete, returnsReply: true)
        _ = try responder.reply.receive()
        responder.buffer.begin(responder.reply.far.number)
        let (isStarted, hasPending) = (responder.buffer.isStarted, responder.buffer.hasPending)
        let results = [responder.start(), responder.write("12")]
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(!isStarted && !hasPending)
        #expect(results == [0, 0])
        #expect(try Head(message.frames[0].payload).contentLength == 2)
    }
}
