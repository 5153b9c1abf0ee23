import CSWSGI
import SWSGI
import Testing

private let plain = [("Content-Type", "text/plain")]
private let plainHead = Event.head(200, "OK", ["Content-Type: text/plain"])

private struct OwnError: Error, CustomStringConvertible {
    var description: String { "it broke" }
}

@Suite("What an application answers reaches the host")
struct ResponseTests {
    @Test func chunksLeaveWithoutFlush() {
        let host = FakeHost()
        let result = host.respond(
            export { _, startResponse in
                startResponse("200 OK", plain)
                return ["Hello, ", "", [0x77], "orld!\n"]
            }
        )
        #expect(result == 0)
        #expect(host.events == [plainHead, .write("Hello, "), .write("w"), .write("orld!\n")])
    }

    @Test func emptyBodyStillHasAHead() {
        let host = FakeHost()
        let result = host.respond(
            export { _, startResponse in
                startResponse("204 No Content")
                return []
            }
        )
        #expect(result == 0)
        #expect(host.events == [.head(204, "No Content", [])])
    }

    @Test func eachChunkOfASequenceIsSentBeforeTheNextIsMade() {
        nonisolated(unsafe) let host = FakeHost()
        let result = host.respond(
            export { _, startResponse in
                startResponse("200 OK", plain)
                return Body(
                    (1...2).lazy.map { number in
                        host.events.append(.asked(number))
                        return "chunk \(number)"
                    }
                )
            }
        )
        #expect(result == 0)
        let first: [Event] = [.asked(1), plainHead, .write("chunk 1"), .flush]
        #expect(host.events == first + [.asked(2), .write("chunk 2"), .flush])
    }

    @Test func writeComesBeforeTheBody() {
        let host = FakeHost()
        let result = host.respond(
            export { _, startResponse in
                let write = startResponse("200 OK", plain)
                try write("written")
                return ["returned"]
            }
        )
        #expect(result == 0)
        #expect(host.events == [plainHead, .write("written"), .flush, .write("returned")])
    }

    @Test func aStreamFlushesEachWrite() {
        let host = FakeHost()
        let result = host.respond(
            export(
                Typed { _ in
                    .stream(type: "text/plain") { writer in
                        try writer.write("one")
                        try writer.write([0x32])
                    }
                }
            )
        )
        #expect(result == 0)
        #expect(host.events == [plainHead, .write("one"), .flush, .write("2"), .flush])
    }

    @Test func aSecondStartWithAnErrorReplacesTheHead() {
        let host = FakeHost()
        let result = host.respond(
            export { _, startResponse in
                startResponse("200 OK", plain)
                startResponse("503 Service Unavailable", plain, after: OwnError())
                return ["sorry"]
            }
        )
        #expect(result == 0)
        #expect(host.events == [.head(503, "Service Unavailable", ["Content-Type: text/plain"]), .write("sorry")])
    }

    @Test func aSecondStartWithAnErrorAfterContentFailsWithThatError() {
        let host = FakeHost()
        let result = host.respond(
            export { _, startResponse in
                try startResponse("200 OK", plain)("content")
                startResponse("500 Oops", after: OwnError())
                return ["never"]
            }
        )
        #expect(result != 0)
        #expect(host.content == "content")
        #expect(host.logged.last?.hasSuffix("OwnError: it broke") == true)
    }

    @Test func aTypedApplicationIsToldOfTheEnd() {
        let host = FakeHost()
        let application = export(Typed(stop: { throw CancellationError() }) { _ in .text("never asked") })
        application.pointee.stopping?(application.pointee.context, host.hostTable)
        #expect(host.events.isEmpty)
    }
}

@Suite("What goes wrong is logged and never looks like an answer")
struct FailureTests {
    private func failure(_ host: FakeHost, _ application: ExportedApplication) -> String {
        #expect(host.respond(application) != 0)
        let prefix = "Exception occurred processing WSGI script '/srv/www/test.wsgi'. "
        guard case .log(errorLevel, let text) = host.events.last, text.hasPrefix(prefix) else { return "" }
        return String(text.dropFirst(prefix.count))
    }

    @Test func anErrorIsLoggedWithTypeAndDescription() {
        let host = FakeHost()
        let text = failure(host, export { _, _ in throw OwnError() })
        #expect(text == "SWSGITests.OwnError: it broke")
        #expect(host.events.count == 1)
    }

    @Test(arguments: [
        ("200", "no space following status code: \"200\""),
        ("20 OK", "status code must be a 3 digit integer: \"20 OK\""),
        ("2000 OK", "status code must be a 3 digit integer: \"2000 OK\""),
        ("OK", "status code must be a 3 digit integer: \"OK\""),
        ("100 Continue", "1xx can't be a final status: 100"),
        ("000 None", "status code must be 200 to 599: 0"),
        ("600 Much", "status code must be 200 to 599: 600"),
        ("200 O\nK", "control character in status reason phrase at byte 1: \"O\\nK\""),
    ])
    func badStatusLine(_ line: String, _ reason: String) {
        let host = FakeHost()
        let text = failure(
            host,
            export { _, startResponse in
                startResponse(line, plain)
                return ["never"]
            }
        )
        #expect(text == "SWSGI.ExchangeError: \(reason)")
        #expect(host.content.isEmpty)
    }

    @Test(arguments: [
        ("", "x", "header name is empty"),
        ("A B", "x", "space character in header name at byte 1: \"A B\""),
        ("A\r", "x", "control character in header name at byte 1: \"A\\r\""),
        ("A:", "x", "invalid character in header name at byte 1: \"A:\""),
        ("Ä", "x", "invalid character in header name at byte 0: \"Ä\""),
        ("A", "x\r\nB: y", "carriage return/line feed character in header value at byte 1: A: \"x\\r\\nB: y\""),
        ("A", "x\0", "control character in header value at byte 1: A: \"x\\0\""),
        ("Content-Length", "12a", "invalid Content-Length header value: \"12a\""),
        ("content-length", "-1", "invalid Content-Length header value: \"-1\""),
        ("Content-Length", "", "invalid Content-Length header value: \"\""),
    ])
    func badHeader(_ name: String, _ value: String, _ reason: String) {
        let host = FakeHost()
        let untyped = export { _, startResponse in
            startResponse("200 OK", [(name, value)])
            return ["never"]
        }
        #expect(failure(host, untyped) == "SWSGI.ExchangeError: \(reason)")
        let typed = export(Typed { _ in Response(headers: Headers([(name, value)]), body: "never") })
        #expect(failure(host, typed) == "SWSGI.ExchangeError: \(reason)")
        #expect(host.content.isEmpty)
    }

    @Test func startingTwice() {
        let host = FakeHost()
        let text = failure(
            host,
            export { _, startResponse in
                startResponse("200 OK", plain)
                startResponse("200 OK", plain)
                return ["never"]
            }
        )
        #expect(text == "SWSGI.ExchangeError: startResponse() called more than once without an error")
        #expect(host.content.isEmpty)
    }

    @Test func contentBeforeStart() {
        let reason = "SWSGI.ExchangeError: startResponse() must be called before response content is produced"
        #expect(failure(FakeHost(), export { _, _ in ["content"] }) == reason)
        #expect(failure(FakeHost(), export { _, _ in [] }) == reason)
    }

    @Test func aFailureAfterTheHeadIsAFailure() {
        let host = FakeHost()
        let application = export { _, startResponse in
            startResponse("200 OK", plain)
            return .stream { writer in
                try writer.write("some")
                throw HTTPError(.notFound)
            }
        }
        #expect(failure(host, application) == "SWSGI.HTTPError: 404 Not Found")
        #expect(host.content == "some")
    }

    @Test func anErrorWithAResponseIsAnswered() {
        let host = FakeHost()
        #expect(host.respond(export(Typed { _ in throw HTTPError(.forbidden, "not you") })) == 0)
        #expect(
            host.events.first == .log(LogLevel.info.rawValue, "answered with an error: SWSGI.HTTPError: 403 not you")
        )
        #expect(host.events.dropFirst().first == .head(403, "Forbidden", ["Content-Type: text/plain; charset=utf-8"]))
        #expect(host.content == "not you\n")
    }

    @Test func aClientThatHasGoneEndsAnEndlessStream() {
        let host = FakeHost()
        host.writeFailure = Int32(SWSGI_ERROR_CLIENT_GONE)
        host.writesUntilFailure = 2
        let result = host.respond(
            export { _, startResponse in
                startResponse("200 OK", plain)
                return .generate { "tick" }
            }
        )
        #expect(result == Int32(SWSGI_ERROR_CLIENT_GONE))
        #expect(host.events.last == .log(LogLevel.debug.rawValue, "Client closed connection."))
    }

    @Test func aHiddenWriteErrorStillFailsTheResponse() {
        let host = FakeHost()
        host.writeFailure = Int32(SWSGI_ERROR_CLIENT_GONE)
        let result = host.respond(
            export { _, startResponse in
                let write = startResponse("200 OK", plain)
                try? write("lost")
                return []
            }
        )
        #expect(result == Int32(SWSGI_ERROR_CLIENT_GONE))
    }

    @Test func contentBeyondItsLengthIsCutWithAWarning() {
        let host = FakeHost()
        host.writeFailure = Int32(SWSGI_ERROR_TOO_LONG)
        let result = host.respond(export(Typed { _ in .text("too much") }))
        #expect(result == 0)
        #expect(
            host.events.last
                == .log(
                    LogLevel.warning.rawValue,
                    "Content length mismatch: content beyond Content-Length is not sent"
                )
        )
    }

    @Test func aHeadThatTheHostRefusesIsAFailure() {
        let host = FakeHost()
        host.startResult = Int32(SWSGI_ERROR_HEAD_SIZE)
        let text = failure(host, export(Typed { _ in .text("never") }))
        #expect(text == "SWSGI.ExchangeError: the response's headers are too large")
    }
}

private let errorLevel = LogLevel.error.rawValue
