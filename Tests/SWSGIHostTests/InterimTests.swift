import CSWSGI
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

@Suite struct InterimTests {
    @Test func interimResponse_isSentAtOnce_andTheResponseFollows() throws {
        var responder = try Responder()
        let results = [responder.interim(103, [("Link", "</a>")]), responder.interim(102)]
        let first = try #require(try responder.reply.receive())
        let second = try #require(try responder.reply.receive())
        _ = responder.start()
        responder.buffer.end(.complete, returnsReply: true)
        let last = try #require(try responder.reply.receive())
        #expect(results == [0, 0])
        #expect(first.frames.map(\.kind) == [.interim] && second.frames.map(\.kind) == [.interim])
        try first.frames[0].payload.withUnsafeBytes { bytes in
            let head = try ReceivedResponseHead(bytes, statuses: 102...103)
            #expect(head.status == 103 && head.headerCount == 1)
        }
        #expect(last.frames.map(\.kind) == [.head, .end] && last.isReplyReturned)
    }

    static let refused: [(UInt32, [(String, String)], Int)] = [
        (100, [], SWSGI_ERROR_STATUS), (101, [], SWSGI_ERROR_STATUS), (104, [], SWSGI_ERROR_STATUS),
        (200, [], SWSGI_ERROR_STATUS), (0, [], SWSGI_ERROR_STATUS), (103, [("A B", "x")], SWSGI_ERROR_HEADER_NAME),
        (103, [("Content-Length", "5")], SWSGI_ERROR_HEADER_NAME), (103, [("A", "x\r\n")], SWSGI_ERROR_HEADER_VALUE),
        (103, [("A", String(repeating: "x", count: 20_000))], SWSGI_ERROR_HEAD_SIZE),
    ]

    @Test(arguments: refused.indices) func whatIsNoInterimResponse_isRefused(_ index: Int) throws {
        let (status, headers, expected) = Self.refused[index]
        var responder = try Responder()
        let result = responder.interim(status, headers)
        let sent = try responder.reply.receive()
        #expect(result == Int32(expected) && sent == nil)
    }

    @Test func trailers_travelWithTheEnd() throws {
        var responder = try Responder()
        let before = Responder.withHeaders([("A", "1")]) { responder.buffer.trailers($0) }
        _ = responder.start()
        let results = [
            responder.write("body"),
            Responder.withHeaders([("Content-Length", "1")]) { responder.buffer.trailers($0) },
            Responder.withHeaders([("A", "x\n")]) { responder.buffer.trailers($0) },
            Responder.withHeaders([("A", "1"), ("B", "")]) { responder.buffer.trailers($0) },
            Responder.withHeaders([("C", "2")]) { responder.buffer.trailers($0) },
            responder.write("more"),
        ]
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        let errors = [SWSGI_ERROR_NOT_STARTED, SWSGI_ERROR_HEADER_NAME, SWSGI_ERROR_HEADER_VALUE, SWSGI_ERROR_STARTED]
        #expect([before, results[1], results[2], results[4]] == errors.map { Int32($0) })
        #expect([results[0], results[3], results[5]] == [0, 0, 0])
        #expect(message.frames.map(\.kind) == [.head, .data, .trailers, .data, .end])
        try message.frames[2].payload.withUnsafeBytes { bytes in
            let trailers = try ReceivedResponseHead(bytes, statuses: 0...0)
            #expect(trailers.headerCount == 2)
        }
    }

    @Test func interimResponseAfterTheStart_isRefused() throws {
        var responder = try Responder()
        _ = responder.start()
        let result = responder.interim(103)
        #expect(result == Int32(SWSGI_ERROR_STARTED))
    }

    @Test func flood_endsAtTheLimit_andTheNextExchangeBeginsAnew() throws {
        var responder = try Responder()
        var results: [Int32] = []
        for _ in 0..<ResponseHead.interimLimit + 1 { results.append(responder.interim(102)) }
        let count = try responder.reply.receiveAll().frames.count
        responder.buffer.begin(responder.reply.far.number)
        let next = responder.interim(102)
        #expect(results.dropLast().allSatisfy { $0 == 0 } && results.last == Int32(SWSGI_ERROR_LIMIT))
        #expect(count == ResponseHead.interimLimit && next == 0)
    }
}
