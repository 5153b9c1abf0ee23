import CSWSGI
import SWSGI
import Synchronization
import Testing

/// Lets `look` see a request on `host`.
private func seeing(_ host: FakeHost, _ look: @escaping @Sendable (Request) throws -> Void) {
    let result = host.respond(
        export(
            Typed { request throws in
                try look(request)
                return .text("seen")
            }
        )
    )
    #expect(result == 0)
}

@Suite("A request is what the host says")
struct RequestTests {
    @Test func theEnvironIsLookedUp() {
        let host = FakeHost(["REQUEST_METHOD": "GET", "PATH_INFO": "/a b", "EMPTY": "", "X": "é"])
        seeing(host) { request throws in
            let environ = request.environ
            #expect(environ["PATH_INFO"] == "/a b")
            #expect(environ["EMPTY"] == "")
            #expect(environ["NONE"] == nil)
            #expect(environ["NONE", default: "other"] == "other")
            #expect(environ.bytes("X") == [0xC3, 0xA9])
            #expect(environ.count == 4)
            #expect(environ.map(\.name) == ["REQUEST_METHOD", "PATH_INFO", "EMPTY", "X"])
            #expect(request.method == "GET")
            #expect(environ.server.threads == 4)
            #expect(environ.server.entryFile == "/srv/www/test.wsgi")
            #expect(environ.server.entryDirectory == "/srv/www")
        }
    }

    @Test func headersAreFoundByTheirHTTPNames() {
        let host = FakeHost(["HTTP_USER_AGENT": "test", "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "12"])
        seeing(host) { request throws in
            #expect(request.headers["User-Agent"] == "test")
            #expect(request.headers["user-agent"] == "test")
            #expect(request.headers["Content-Type"] == "text/plain")
            #expect(request.headers["content-length"] == "12")
            #expect(request.contentLength == 12)
            #expect(request.headers["Accept"] == nil)
            #expect(request.headers[""] == nil)
        }
    }

    @Test func theQueryIsDecoded() {
        let host = FakeHost(["QUERY_STRING": "a=1&b=x+y%21&a=2&flag&=v"])
        seeing(host) { request throws in
            #expect(request.query["b"] == "x y!")
            #expect(request.query["a"] == "1")
            #expect(request.query.all("a") == ["1", "2"])
            #expect(request.query["flag"] == "")
            #expect(request.query["c"] == nil)
        }
        seeing(FakeHost()) { request throws in #expect(request.query.count == 0) }
    }

    @Test func closureForm_reachesAllThatTheTypedFormHas() {
        let host = FakeHost([
            "QUERY_STRING": "a=1&b=x+y%21&a=2", "HTTP_USER_AGENT": "test", "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
        ])
        host.body = ["name=J%C3%B6rg"]
        let result = host.respond(
            export { environ, startResponse in
                #expect(environ.query["b"] == "x y!")
                #expect(environ.query.all("a") == ["1", "2"])
                #expect(environ.request.headers["User-Agent"] == "test")
                #expect(environ.request.method == "POST")
                let name = try environ.form()["name"]
                return startResponse(.text("Hello, \(name ?? "")", status: .created))
            }
        )
        #expect(result == 0)
        #expect(host.events.first == .head(201, "Created", ["Content-Type: text/plain; charset=utf-8"]))
        #expect(host.content == "Hello, Jörg")
    }

    @Test func linesOfTheErrorStreamAreLoggedWhole() {
        let host = FakeHost()
        seeing(host) { request throws in
            let environ = request.environ
            print("one", 1, to: &environ.errors)
            environ.errors.write("begin")
            environ.errors.write("ning\nnext\nrest")
            environ.errors.log(.warning, "careful")
        }
        #expect(host.logged == ["one 1", "beginning\nnext", "careful", "rest"])
    }

    @Test func linesOfTheErrorStream_haveTheirLevels_andDoNotMix() {
        let host = FakeHost()
        seeing(host) { request throws in
            print("low", 1, to: &request.log[.info])
            request.log[.warning].write("care")
            print("other", to: &request.log)
            request.log[.debug].write("rest")
            request.log[.warning].write("ful\n")
            var notices = request.environ.errors[.notice]
            print("of", "note", separator: "", to: &notices)
            request.log[.critical].write("last")
            request.log[.debug].flush()
            request.log[.info].write("end")
        }
        let lines: [Event] = host.events.filter { if case .log = $0 { true } else { false } }
        #expect(
            lines == [
                .log(6, "low 1"), .log(3, "other"), .log(4, "careful"), .log(5, "ofnote"), .log(7, "rest"),
                .log(2, "last"), .log(6, "end"),
            ]
        )
    }

    @Test func cancellation_endsTheResponseQuietly() {
        let host = FakeHost()
        host.isCancelled = true
        let result = host.respond(
            export { environ, _ in
                try environ.checkCancellation()
                return ["never"]
            }
        )
        #expect(result == Int32(SWSGI_ERROR_CLIENT_GONE))
        #expect(host.logged == ["Client closed connection."])
    }

    @Test func whatFailsAfterTheCancellation_isNoError() {
        struct Broken: Error {}
        let host = FakeHost()
        host.isCancelled = true
        let result = host.respond(export { _, _ in throw Broken() })
        #expect(result == Int32(SWSGI_ERROR_CLIENT_GONE))
        #expect(host.logged.count == 1 && host.logged[0].hasPrefix("Client closed connection."))
    }

    @Test func whatIsKeptBeyondTheRequestIsHarmless() throws {
        let host = FakeHost(["PATH_INFO": "/", "QUERY_STRING": "a=1"])
        host.body = ["body"]
        nonisolated(unsafe) var kept: (Environ, StartResponse, ResponseWriter)?
        let result = host.respond(
            export { environ, startResponse in
                kept = (environ, startResponse, startResponse("200 OK"))
                return ["done"]
            }
        )
        #expect(result == 0)
        let (environ, startResponse, writer) = try #require(kept)
        let before = host.events.count
        #expect(environ["PATH_INFO"] == nil)
        #expect(environ.count == 0)
        #expect(Array(environ).isEmpty)
        #expect(environ.isCancelled)
        #expect(throws: ExchangeError.self) { try environ.input.read(upTo: 10) }
        #expect(throws: ExchangeError.self) { try writer.write("late") }
        startResponse("200 OK")
        #expect(host.events.count == before + 1)
        #expect(host.logged == ["after the request: startResponse() called after request completed"])
        #expect(host.reads == 0)
    }
}

@Suite("A request body can be read in every way, to its end and no further")
struct RequestBodyTests {
    @Test func reading() {
        let host = FakeHost()
        host.body = ["abc", "def"]
        seeing(host) { request throws in
            #expect(try request.body.read(upTo: 2) == Array("ab".utf8))
            #expect(try request.body.read(upTo: 100) == Array("c".utf8))
            #expect(try request.body.read(upTo: 0) == [])
            #expect(try request.body.read(upTo: 100) == Array("def".utf8))
            #expect(try request.body.read(upTo: 100) == [])
            #expect(try request.body.read(upTo: 100) == [])
        }
    }

    @Test func exactCount_isReadAcrossPieces() {
        let host = FakeHost()
        host.body = ["abc", "d", "efg"]
        seeing(host) { request throws in
            #expect(try request.body.read(exactly: 2) == Array("ab".utf8))
            #expect(try request.body.read(exactly: 4) == Array("cdef".utf8))
            #expect(try request.body.read(exactly: 0) == [])
            #expect(try request.body.read(exactly: .min) == [])
            #expect(try request.body.read(exactly: 1) == Array("g".utf8))
        }
    }

    @Test func bodyThatEndsBeforeTheExactCount_isAnError_andLosesNothing() {
        let host = FakeHost()
        host.body = ["ab", "c"]
        seeing(host) { request throws in
            let error = #expect(throws: ExchangeError.self) { try request.body.read(exactly: .max) }
            #expect(error?.code == .inputTooShort)
            #expect(error?.message == "request body ends after 3 of \(Int.max) bytes")
            #expect(try request.body.read(exactly: 3) == Array("abc".utf8))
            #expect(throws: ExchangeError.self) { try request.body.read(exactly: 1) }
            #expect(try request.body.readAll(limit: 10) == [])
        }
        host.body = ["ab"]
        #expect(host.respond(export(Typed { .bytes(try $0.body.read(exactly: 3), type: "a/b") })) == 0)
        #expect(host.events.contains(.head(400, "Bad Request", ["Content-Type: text/plain; charset=utf-8"])))
    }

    @Test func bodyThatBreaksBeforeTheExactCount_hasFailed() {
        let host = FakeHost()
        host.body = ["ab", nil, "c"]
        seeing(host) { request throws in
            let error = #expect(throws: ExchangeError.self) { try request.body.read(exactly: 3) }
            #expect(error?.code == .inputFailed)
            #expect(throws: ExchangeError.self) { try request.body.read(exactly: 1) }
        }
    }

    @Test func lines() {
        let host = FakeHost()
        host.body = ["one\ntw", "o\n\nvery long line", "\nlast"]
        seeing(host) { request throws in
            #expect(try request.body.readLine() == Array("one\n".utf8))
            #expect(try request.body.readLine() == Array("two\n".utf8))
            #expect(try request.body.readLine() == Array("\n".utf8))
            #expect(try request.body.readLine(limit: 4) == Array("very".utf8))
            #expect(try request.body.read(upTo: 6) == Array(" long ".utf8))
            #expect(try request.body.readLine() == Array("line\n".utf8))
            #expect(try request.body.readLine() == Array("last".utf8))
            #expect(try request.body.readLine() == nil)
        }
    }

    @Test func allWithinALimit() {
        let host = FakeHost()
        host.body = ["abc", "def"]
        seeing(host) { request throws in #expect(try request.body.readAll(limit: 6) == Array("abcdef".utf8)) }
        host.body = ["abc", "def"]
        #expect(host.respond(export(Typed { .bytes(try $0.body.readAll(limit: 5), type: "a/b") })) == 0)
        #expect(
            host.events.suffix(2).first == .head(413, "Content Too Large", ["Content-Type: text/plain; charset=utf-8"])
        )
    }

    @Test func anAnnouncedBodyOverTheLimitIsNotRead() {
        let host = FakeHost(["CONTENT_LENGTH": "7"])
        host.body = ["abcdefg"]
        #expect(host.respond(export(Typed { .bytes(try $0.body.readAll(limit: 5), type: "a/b") })) == 0)
        #expect(host.reads == 0)
    }

    @Test func chunks() {
        let host = FakeHost()
        host.body = ["abc", "def"]
        seeing(host) { request throws in
            let sizes = Mutex<[Int]>([])
            try request.body.forEachChunk(of: 2) { bytes in sizes.withLock { $0.append(bytes.count) } }
            #expect(sizes.withLock { $0 } == [2, 1, 2, 1])
        }
    }

    @Test func aBodyThatBreaksStaysBroken() {
        let host = FakeHost()
        host.body = ["abc", nil, "def"]
        seeing(host) { request throws in
            #expect(try request.body.read(upTo: 10) == Array("abc".utf8))
            #expect(throws: ExchangeError.self) { try request.body.read(upTo: 10) }
            #expect(throws: ExchangeError.self) { try request.body.read(upTo: 10) }
            #expect(throws: ExchangeError.self) { try request.body.readLine() }
        }
        #expect(host.reads == 2)
    }

    @Test func forms() {
        let host = FakeHost(["CONTENT_TYPE": "Application/x-www-form-urlencoded; charset=UTF-8"])
        host.body = ["name=J%C3%B6rg&me", "ssage=a+b%0D%0Ac"]
        seeing(host) { request throws in
            let form = try request.form()
            #expect(form["name"] == "Jörg")
            #expect(form["message"] == "a b\r\nc")
        }
        let other = FakeHost(["CONTENT_TYPE": "text/plain"])
        #expect(other.respond(export(Typed { .text(try $0.form()["a"] ?? "") })) == 0)
        #expect(
            other.events.contains(.head(415, "Unsupported Media Type", ["Content-Type: text/plain; charset=utf-8"]))
        )
    }
}
