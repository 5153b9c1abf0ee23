import CSWSGI
import Glibc
import SWSGI
import Synchronization
import Testing

private struct Broken: Error {}

/// The end of bodies (`close()` of PEP 3333), the texts of all errors, and exchanges in the hands of two threads.
@Suite struct ContractTests {
    /// Lets an application answer, and tells how often the end of its body was called.
    private func ends(_ host: FakeHost, _ body: @escaping @Sendable (StartResponse) throws -> Body) -> Int {
        let ends = Atomic<Int>(0)
        let application = export { _, startResponse in
            try body(startResponse).onEnd { ends.add(1, ordering: .relaxed) }
        }
        _ = host.respond(application)
        return ends.load(ordering: .relaxed)
    }

    @Test func bodyEnd_isCalledOnce_whateverHappens() {
        #expect(
            ends(FakeHost()) {
                $0("200 OK"); return ["all of it"]
            } == 1
        )
        #expect(
            ends(FakeHost()) {
                $0("200 OK"); return Body((1...3).lazy.map { "\($0)" })
            } == 1
        )
        #expect(
            ends(FakeHost()) {
                $0("200 OK"); return .generate { throw Broken() }
            } == 1
        )
        #expect(
            ends(FakeHost()) {
                $0("200 OK"); return .stream { _ in throw HTTPError(.notFound) }
            } == 1
        )
        #expect(
            ends(FakeHost()) {
                $0("bad status"); return ["never"]
            } == 1
        )
        #expect(ends(FakeHost()) { _ in ["content before start"] } == 1)
        let gone = FakeHost()
        gone.writeFailure = Int32(SWSGI_ERROR_CLIENT_GONE)
        gone.writesUntilFailure = 2
        #expect(
            ends(gone) {
                $0("200 OK"); return .generate { "tick" }
            } == 1
        )
    }

    @Test func bodyEnd_isCalledForABodyThatIsNeverSent() {
        let ends = Atomic<Int>(0)
        let application = export(
            Typed { _ in
                _ = Response(body: Body("lost").onEnd { ends.add(1, ordering: .relaxed) })
                throw HTTPError(.notFound)
            }
        )
        #expect(FakeHost().respond(application) == 0)
        #expect(ends.load(ordering: .relaxed) == 1)
    }

    @Test func bodyEnds_areCalledFromTheOutsideIn_afterTheContent() {
        nonisolated(unsafe) let host = FakeHost()
        let application = export { _, startResponse in
            startResponse("200 OK")
            return Body("content").onEnd { host.events.append(.asked(1)) }.onEnd { host.events.append(.asked(2)) }
        }
        #expect(host.respond(application) == 0)
        #expect(host.events == [.head(200, "OK", []), .write("content"), .asked(2), .asked(1)])
    }

    @Test func sequenceOfAnIteratorWithAnEnd_isReleased() {
        final class Chunks: Sequence, IteratorProtocol {
            let released: @Sendable () -> Void
            var left = 3
            init(_ released: @escaping @Sendable () -> Void) { self.released = released }
            deinit { released() }
            func next() -> String? {
                left -= 1
                return left < 0 ? nil : "chunk"
            }
        }
        let releases = Atomic<Int>(0)
        let host = FakeHost()
        host.writeFailure = Int32(SWSGI_ERROR_CLIENT_GONE)
        host.writesUntilFailure = 1
        let application = export { _, startResponse in
            startResponse("200 OK")
            return Body(Chunks { releases.add(1, ordering: .relaxed) })
        }
        #expect(host.respond(application) == Int32(SWSGI_ERROR_CLIENT_GONE))
        #expect(releases.load(ordering: .relaxed) == 1)
    }

    /// What the host says, in the application's words.
    @Test(
        arguments: [
            (SWSGI_ERROR_CLIENT_GONE, "client connection closed", .clientGone),
            (SWSGI_ERROR_STATUS, "the host refused the status line", .invalidStatus),
            (SWSGI_ERROR_HEADER_NAME, "the host refused a header name", .invalidHeader),
            (SWSGI_ERROR_HEADER_VALUE, "the host refused a header value", .invalidHeader),
            (SWSGI_ERROR_STARTED, "the response has been started before", .alreadyStarted),
            (SWSGI_ERROR_NOT_STARTED, "the response has not been started", .notStarted),
            (
                SWSGI_ERROR_TOO_LONG, "Content length mismatch: content beyond Content-Length is not sent",
                .contentTooLong
            ),
            (SWSGI_ERROR_HEAD_SIZE, "the response's headers are too large", .headTooLarge),
            (SWSGI_ERROR_CONTENT_LENGTH, "invalid Content-Length header value", .invalidHeader),
            (SWSGI_ERROR_ENDED, "the request is over", .completed),
            (SWSGI_ERROR_IN_USE, "the exchange is being used by another thread", .inUse),
            (-99, "the host failed with code -99", .hostFailed),
        ] as [(Int, String, ExchangeError.Code)]
    )
    func errorsOfTheHost_haveTheirTexts(_ result: Int, _ text: String, _ code: ExchangeError.Code) {
        let host = FakeHost()
        host.writeFailure = Int32(result)
        let thrown = Mutex<ExchangeError?>(nil)
        _ = host.respond(
            export { _, startResponse in
                do {
                    try startResponse("200 OK")("content")
                } catch let error as ExchangeError {
                    thrown.withLock { $0 = error }
                }
                return []
            }
        )
        #expect(thrown.withLock { $0?.message } == text)
        #expect(thrown.withLock { $0?.code } == code)
    }

    @Test(arguments: [("7", "7"), ("7", "8"), ("0", "0")])
    func A30_twoContentLengths_areRefused(_ first: String, _ second: String) {
        let host = FakeHost()
        let headers = [("Content-Length", first), ("CONTENT-LENGTH", second)]
        #expect(host.respond(export(Typed { _ in Response(headers: Headers(headers), body: "never") })) != 0)
        #expect(
            host.logged.last?.hasSuffix("Content-Length header is given twice: \"\(first)\", \"\(second)\"") == true
        )
        #expect(host.content.isEmpty)
    }

    @Test func A17_reasonOver256Bytes_isRefusedInBothForms() {
        let reason = String(repeating: "r", count: 257)
        for application in [
            export(Typed { _ in Response(status: Status(200, reason)) }),
            export { _, startResponse in
                startResponse("200 \(reason)")
                return []
            },
        ] {
            let host = FakeHost()
            #expect(host.respond(application) != 0)
            #expect(host.logged.last?.hasSuffix("status reason phrase is longer than 256 bytes: 257") == true)
        }
    }

    @Test func A51_hugeAndNegativeCounts_areBounded() {
        let host = FakeHost(["CONTENT_LENGTH": "\(Int.max)"])
        host.body = ["abc", "def"]
        let application = export(
            Typed { request in
                #expect(try request.body.read(upTo: .min) == [])
                #expect(try request.body.read(upTo: 1) == Array("a".utf8))
                #expect(throws: ExchangeError.self) { try request.body.readAll(limit: -1) }
                return .bytes(try request.body.readAll(limit: .max), type: "a/b")
            }
        )
        #expect(host.respond(application) == 0)
        #expect(host.content == "bcdef")
        host.body = ["abc"]
        #expect(
            host.respond(
                export(
                    Typed {
                        try $0.body.forEachChunk(of: .max) { _ in }; return .text("read")
                    }
                )
            ) == 0
        )
    }

    @Test func lines_comeOneByOne() {
        let host = FakeHost()
        host.body = ["one\ntw", "o\nlast"]
        let lines = Mutex<[String]>([])
        let application = export(
            Typed { request in
                try request.body.forEachLine(limit: 4) { line in
                    lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
                }
                return .text("read")
            }
        )
        #expect(host.respond(application) == 0)
        #expect(lines.withLock { $0 } == ["one\n", "two\n", "last"])
    }

    @Test(
        arguments: [
            (
                ["HTTP_HOST": "a.example:8080", "SCRIPT_NAME": "/app", "PATH_INFO": "/a b/é"],
                "http://a.example:8080/app/a%20b/%C3%A9"
            ),
            (["SERVER_NAME": "b.example", "SERVER_PORT": "443", "wsgi.url_scheme": "https"], "https://b.example"),
            (["SERVER_NAME": "b.example", "SERVER_PORT": "80", "QUERY_STRING": "a=%20"], "http://b.example?a=%20"),
            (["SERVER_NAME": "b.example", "SERVER_PORT": "81", "PATH_INFO": "/?#"], "http://b.example:81/%3F%23"),
        ] as [(KeyValuePairs<String, String>, String)]
    )
    func url_isPutTogetherAgain(_ environ: KeyValuePairs<String, String>, _ url: String) {
        let host = FakeHost(environ)
        #expect(host.respond(export(Typed { .text($0.url) })) == 0)
        #expect(host.content == url)
    }

    @Test func statusValue_startsTheResponse_alsoThroughMiddleware() {
        let application: @Sendable (Environ, StartResponse) throws -> Body = { _, startResponse in
            startResponse(.notFound, ["A": "1", "B": "2"])
            return ["none"]
        }
        let host = FakeHost()
        #expect(host.respond(export(application)) == 0)
        #expect(host.events == [.head(404, "Not Found", ["A: 1", "B: 2"]), .write("none")])
        host.events = []
        let wrapped = export { environ, startResponse in
            let outer = startResponse.changing { status, headers in
                if status == "404 Not Found" { status = (410 as Status).line }
                headers.append(("C", "3"))
            }
            return try application(environ, outer)
        }
        #expect(host.respond(wrapped) == 0)
        #expect(host.events == [.head(410, "Gone", ["A: 1", "B: 2", "C: 3"]), .write("none")])
    }

    @Test(
        arguments: [(99, "OK"), (101, "Switching Protocols"), (600, "x"), (200, "a\nb"), (200, "é")]
            as [(UInt16, String)]
    )
    func statusValueThatCantBeSent_failsTheResponse(_ code: UInt16, _ reason: String) {
        let host = FakeHost()
        let application = export { _, startResponse in
            startResponse(Status(code, reason), [("A", "1")])
            return ["never"]
        }
        #expect(host.respond(application) != 0)
        #expect(host.content.isEmpty)
        #expect(host.logged.last?.contains("status") == true)
    }

    @Test func secondStartWithAStatusValue_needsAnError() {
        let host = FakeHost()
        let application = export { _, startResponse in
            startResponse(.ok)
            startResponse(.internalServerError, after: Broken())
            startResponse(201)
            return ["never"]
        }
        #expect(host.respond(application) != 0)
        #expect(host.logged.last?.hasSuffix("startResponse() called more than once without an error") == true)
    }

    @Test func middleware_changesTheHead_theInnerFirst() {
        let application: @Sendable (Environ, StartResponse) throws -> Body = { _, startResponse in
            startResponse("200 OK", [("A", "1")])
            return ["content"]
        }
        let host = FakeHost()
        let wrapped = export { environ, startResponse in
            let outer = startResponse.changing { status, headers in
                status = "201 Created"
                headers.append(("C", "3"))
            }
            return try application(environ, outer.changing { _, headers in headers.append(("B", "2")) })
        }
        #expect(host.respond(wrapped) == 0)
        #expect(host.events == [.head(201, "Created", ["A: 1", "B: 2", "C: 3"]), .write("content")])
    }
}
