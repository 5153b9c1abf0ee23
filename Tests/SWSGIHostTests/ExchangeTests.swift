import Foundation
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

@Suite struct ExchangeTests {
    private func trouble(_ path: String) throws -> [Message] {
        try Loaded.trouble.get().answer(TestRequest(path: path))
    }

    @Test func smallResponse_isOneMessage_withTheReplyEnd() throws {
        let messages = try Loaded.versionA.get().answer(TestRequest())
        #expect(messages.count == 1)
        let message = try #require(messages.first)
        #expect(message.frames.map(\.kind) == [.head, .data, .end])
        #expect(message.isReplyReturned)
        let head = try Head(message.frames[0].payload)
        #expect(head.status == 200)
        #expect(head.contentLength == 10)
        #expect(head.headers.first == "Content-Type: text/plain")
        #expect(message.frames[1].text == "version A\n")
        #expect(message.frames[2].payload == [0])
    }

    @Test func oneExchangeAfterTheOther_usesTheSameMemory() throws {
        let instance = try Loaded.versionA.get()
        let exchange = Exchange(thread: 1)
        let head = TestRequest().head
        for _ in 0..<100 {
            let reply = try Reply()
            try head.withUnsafeBytes {
                exchange.run(instance, head: try ReceivedHead($0), reply: reply.far.number) { true }
            }
            let message = try reply.receive()
            #expect(message?.payloads(.data).count == 1)
        }
    }

    @Test func environ_hasTheKeysOfTheRequest_ofTheInstance_andOfTheExchange() throws {
        let request = TestRequest(path: "/environ", fields: [("HTTP_X", "a"), ("EMPTY", "")])
        let messages = try Loaded.facts.get().answer(request)
        let text = String(decoding: messages.flatMap { $0.payloads(.data) }.joined(), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 5 + 9 + 5)
        #expect(lines.prefix(5) == ["REQUEST_METHOD=GET", "PATH_INFO=/environ", "QUERY_STRING=", "HTTP_X=a", "EMPTY="])
        for line in [
            "wsgi.version=1.0", "wsgi.multithread=true", "wsgi.multiprocess=false", "mod_wsgi.process_group=tests",
            "mod_wsgi.application_group=", "mod_wsgi.callable_object=application", "mod_wsgi.thread_id=7",
            "mod_wsgi.request_start=1700000000.000001", "mod_wsgi.queue_start=1700000000.500000",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func requestBody_isAskedFor_andRead() throws {
        let body = (0..<5000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let request = TestRequest(path: "/echo", fields: [("CONTENT_LENGTH", "5000")], hasBody: true)
        let frames: [Message.Frame] = [
            .init(.body, Array(body[..<100])), .init(.body, Array(body[100...])), .init(.bodyEnd, [0]),
        ]
        let messages = try Loaded.echo.get().answer(request, body: frames, over: .stream)
        let all = Message(
            frames: messages.flatMap(\.frames),
            isReplyReturned: messages.contains { $0.isReplyReturned }
        )
        #expect(all.payloads(.wantBody) == [[0, 0, 1, 0]])
        #expect(Array(all.payloads(.data).joined()) == body)
        #expect(all.payloads(.end) == [[0]])
        #expect(all.isReplyReturned)
    }

    @Test func requestBodyThatNobodyReads_isNotAskedFor() throws {
        let request = TestRequest(path: "/noread", fields: [("CONTENT_LENGTH", "5000")], hasBody: true)
        let messages = try Loaded.echo.get().answer(request)
        #expect(messages.count == 1)
        #expect(messages.first?.frames.map(\.kind) == [.head, .data, .end])
        #expect(messages.first?.isReplyReturned == true)
    }

    @Test func requestBodyThatBreaksOff_failsTheExchange() throws {
        let request = TestRequest(path: "/count", fields: [("CONTENT_LENGTH", "5000")], hasBody: true)
        let frames: [Message.Frame] = [.init(.body, [1, 2, 3]), .init(.bodyEnd, [1])]
        let messages = try Loaded.echo.get().answer(request, body: frames, over: .stream)
        let ends = messages.flatMap { $0.payloads(.end) }
        #expect(ends.count == 1)
        #expect(!messages.contains { $0.isReplyReturned })
    }

    @Test func streamOfMoreThan64KiB_travelsWhole() throws {
        let request = TestRequest(path: "/generate", query: "bytes=100000")
        let messages = try Loaded.echo.get().answer(request)
        let data = messages.flatMap { $0.payloads(.data) }.joined()
        #expect(Array(data) == (0..<100_000).map { UInt8(truncatingIfNeeded: $0 % 251) })
        #expect(messages.last?.payloads(.end) == [[0]])
        #expect(messages.last?.isReplyReturned == true)
    }

    @Test func errorBeforeTheHead_isAFailure_withALogLine() throws {
        let messages = try trouble("/throw")
        #expect(messages.flatMap { $0.payloads(.head) } == [])
        #expect(messages.last?.payloads(.end) == [[1]])
        #expect(messages.last?.isReplyReturned == true)
        let logs = messages.flatMap { $0.payloads(.log) }
        #expect(logs.count == 1)
        #expect(logs.first?.first == 3)
        #expect(logs.first.map { String(decoding: $0, as: UTF8.self) }?.contains("thrown before the head") == true)
    }

    @Test func neverStartedResponse_isAFailure() throws {
        let messages = try trouble("/never-start")
        #expect(messages.flatMap { $0.payloads(.head) } == [])
        #expect(messages.last?.payloads(.end) == [[1]])
        #expect(messages.flatMap { $0.payloads(.log) }.count == 1)
    }

    @Test func invalidHeader_isRefused_andNothingOfItIsSent() throws {
        let messages = try trouble("/bad-header")
        #expect(messages.flatMap { $0.payloads(.head) } == [])
        #expect(messages.last?.payloads(.end) == [[1]])
    }

    @Test func shortResponse_keepsItsAnnouncedLength() throws {
        let message = try #require(try trouble("/short").first)
        #expect(try Head(message.frames[0].payload).contentLength == 100)
        #expect(message.frames[1].text == "0123456789")
    }

    @Test func longResponse_isCut_oneByteAfterItsLength() throws {
        let messages = try trouble("/long")
        let data = messages.flatMap { $0.payloads(.data) }.joined()
        #expect(data.count == 11)
    }

    @Test func logLines_areFramesWithTheirLevels_beforeTheResponse() throws {
        let messages = try trouble("/log")
        let logs = messages.flatMap { $0.payloads(.log) }
        #expect(logs.compactMap(\.first) == [2, 3, 4, 5, 6, 7, 3])
        let texts = logs.map { String(decoding: $0.dropFirst(), as: UTF8.self) }
        #expect(texts.last == "[pid \(ProcessInfo.processInfo.processIdentifier)] a line through wsgi.errors")
        #expect(messages.last?.frames.map(\.kind) == [.head, .data, .end])
    }

    @Test(arguments: [ExchangeOutcome.failed, .notLoaded]) func refusedExchange_isAnEnd_withTheReplyEnd(
        _ outcome: ExchangeOutcome
    ) throws {
        let reply = try Reply()
        Exchange.refuse(reply.far.number, outcome)
        let message = try #require(try reply.receive())
        #expect(message.frames == [.init(.end, [outcome.rawValue])])
        #expect(message.isReplyReturned)
    }

    @Test(arguments: [(true, 1), (false, 0)] as [(Bool, UInt8)]) func exchangeForOtherCode_isARetry_withTheReplyEnd(
        _ acceptsStale: Bool,
        _ byte: UInt8
    ) throws {
        let reply = try Reply()
        Exchange.retry(reply.far.number, acceptsStale: acceptsStale)
        let message = try #require(try reply.receive())
        #expect(message.frames == [.init(.retry, [byte])])
        #expect(message.isReplyReturned)
    }

    @Test func goneServer_endsTheExchangeQuietly() throws {
        let reply = try Reply(.stream)
        shutdownNear(reply)
        let head = TestRequest().head
        let instance = try Loaded.versionA.get()
        try head.withUnsafeBytes {
            Exchange(thread: 1).run(instance, head: try ReceivedHead($0), reply: reply.far.number) { true }
        }
        Exchange.refuse(reply.far.number, .failed)
    }
}
