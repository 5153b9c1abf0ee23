import Foundation
import Testing

/// What httpd makes of an application's status, headers and body; by the rows of the fault tables.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct ResponseTests {
    private func withAnswers(_ lines: String = "", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.response, as: "app")
            try server.start(server.application(entry, options: "threads=4") + lines)
            try body(server)
        }
    }

    /// The target that answers so.
    private func answer(_ status: Int = 200, _ body: String = "", _ headers: String...) -> String {
        let fields = (headers.map { ("h", $0) } + [("body", body)]).map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        }
        return "/answer?status=\(status)&" + fields.joined(separator: "&")
    }

    @Test func headersArriveAsTheyWereSent() throws {
        try withAnswers { server in
            // What is told of types: RangeTests.
            server.announce("SWSGI4048")
            let connection = try HTTPConnection(port: server.port)
            // A34, A35, A36, A38.
            #expect(try connection.get(answer(200, "x", "Location:/x")).status == 200)
            #expect(try connection.get(answer(200, "x", "X-Sendfile:/etc/passwd")).text == "x")
            #expect(try connection.get(answer(200, "x") + "&untyped=1")["Content-Type"] == nil)
            let handler = try connection.get(answer(200, "<?php", "Content-Type:application/x-httpd-php"))
            #expect(handler["Content-Type"] == "application/x-httpd-php" && handler.text == "<?php")
            // A37.
            let twice = try connection.get(answer(200, "x", "Content-Type:text/a", "Content-Type:text/b;charset=\"u"))
            #expect(twice.all("Content-Type") == ["text/b;charset=\"u"])
            // A39, and any other repeated header.
            let cookies = (0..<50).map { "Set-Cookie:n\($0)=v\($0); Path=/" }
            let fields = cookies.map { "h=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") }
            let many = try connection.get("/answer?" + fields.joined(separator: "&") + "&h=Link:a&h=Link:b")
            #expect(many.all("Set-Cookie") == (0..<50).map { "n\($0)=v\($0); Path=/" })
            #expect(many.all("Link") == ["a", "b"])
            // A40, A41.
            let challenge = try connection.get(
                answer(401, "no", "WWW-Authenticate:Basic realm=\"a\"", "WWW-Authenticate:X")
            )
            #expect(challenge.status == 401 && challenge.text == "no")
            #expect(challenge.all("WWW-Authenticate") == ["Basic realm=\"a\"", "X"])
            let own = try connection.get(answer(200, "x", "Date:yesterday", "Server:mine"))
            #expect(own.all("Date").count == 1 && own["Date"] != "yesterday")
            #expect(own.all("Server").count == 1 && own["Server"]?.hasPrefix("Apache") == true)
            // A23, A24.
            let values = try connection.get(
                answer(200, "x", "X-Empty:", "X-Blank:  ", "X-Wide:gr\u{fc}n", "X-Padded: a ")
            )
            #expect(values["X-Empty"] == "" && values["X-Blank"] == "" && values["X-Padded"] == "a")
            #expect(values["X-Wide"] == "gr\u{fc}n")
        }
    }

    /// A40.
    @Test func lastModifiedThatIsNoDate_isDropped() throws {
        try withAnswers { server in
            server.announce("SWSGI4042")
            for value in ["garbage", "", "2024-01-01", "0"] {
                let response = try server.get(answer(200, "x", "Last-Modified:\(value)"))
                #expect(response.status == 200 && response.text == "x" && response["Last-Modified"] == nil, "\(value)")
            }
            let date = "Sun, 06 Nov 1994 08:49:37 GMT"
            #expect(try server.get(answer(200, "x", "Last-Modified:\(date)"))["Last-Modified"] == date)
            // Once in each child of httpd, not for each response.
            #expect((1...2).contains(server.logs.lines(containing: "SWSGI4042").count))
        }
    }

    /// A42, A43, A44, A45.
    @Test func bodiesWhereNoneMayBe_areDropped() throws {
        try withAnswers { server in
            let connection = try HTTPConnection(port: server.port)
            for (status, length) in [(204, nil), (205, "0"), (304, nil)] as [(Int, String?)] {
                for target in [answer(status, "a body"), answer(status), answer(status, "", "Content-Length:10")] {
                    try connection.sendHead("GET", target)
                    let head = try connection.readHead()
                    #expect(head.status == status, "\(target)")
                    #expect(head["Content-Length"] == length && head["Transfer-Encoding"] == nil, "\(target)")
                    // Not a byte follows: the next response begins right here.
                    #expect(try connection.get(answer(200, "next")).text == "next", "\(target)")
                }
            }
            #expect(server.logs.lines(containing: "SWSGI4041").count == 5)
            let head = try connection.request("HEAD", answer(200, "a body"))
            #expect(head["Content-Length"] == "6")
            #expect(try connection.request("HEAD", answer(200, "", "Content-Length:99"))["Content-Length"] == "99")
            #expect(try connection.get(answer(200, "next")).text == "next")
        }
    }

    /// R85.
    @Test func conditionalRequests_areAnsweredByHTTPD() throws {
        try withAnswers { server in
            let date = "Sun, 06 Nov 1994 08:49:37 GMT"
            let target = answer(200, "content", "ETag:\"a\"", "Last-Modified:\(date)", "Cache-Control:no-cache")
            let connection = try HTTPConnection(port: server.port)
            func status(_ method: String, _ target: String, _ headers: String...) throws -> Int {
                try connection.request(method, target, headers: headers).status
            }
            for method in ["GET", "HEAD"] {
                #expect(try status(method, target) == 200)
                #expect(try status(method, target, "If-None-Match: \"a\"") == 304)
                #expect(try status(method, target, "If-None-Match: \"b\"") == 200)
                #expect(try status(method, target, "If-Modified-Since: \(date)") == 304)
                #expect(try status(method, target, "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT") == 200)
                #expect(try status(method, target, "If-Match: \"b\"") == 412)
                #expect(try status(method, target, "If-Match: \"a\"") == 200)
            }
            let response = try connection.get(target, headers: ["If-None-Match: \"a\""])
            #expect(response["ETag"] == "\"a\"" && response["Cache-Control"] == "no-cache")
            #expect(response["Content-Length"] == nil && response["Content-Type"] == nil)
            // Only of 200, of GET and HEAD, and with a validator.
            #expect(try status("POST", target, "If-None-Match: \"a\"") == 200)
            #expect(try status("GET", answer(404, "x", "ETag:\"a\""), "If-None-Match: \"a\"") == 404)
            #expect(try status("GET", answer(200, "x"), "If-None-Match: \"a\"") == 200)
            #expect(try status("GET", answer(200, "x"), "If-Modified-Since: \(date)") == 200)
        }
    }

    @Test func streamThatNobodyWants_isReadToItsEnd() throws {
        try withAnswers { server in
            let connection = try HTTPConnection(port: server.port)
            let target = "/stream?count=5000&h=ETag:%22a%22"
            for _ in 0..<3 {
                #expect(try connection.get(target, headers: ["If-None-Match: \"a\""]).status == 304)
                #expect(try connection.get(target, headers: ["If-Match: \"b\""]).status == 412)
            }
            // The same two processes' channels go on being used: no descriptor more, and the whole stream at last.
            #expect(try connection.get(target).text == (0..<5000).map { "line \($0)\n" }.joined())
        }
    }

    @Test func earlyHints_comeBeforeTheResponse() throws {
        try withAnswers { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/hints?count=3")
            for _ in 0..<3 {
                let hint = try connection.readHead()
                #expect(hint.status == 103 && hint["Link"] == "</style.css>; rel=preload" && hint["X-Hint"] == "1")
                #expect(hint.headers.count == 2)
            }
            let final = try connection.response()
            #expect(final.status == 200 && final["X-Hint"] == nil && final.text == "0 bytes\n")
            // A flood ends at its limit, and the response comes all the same.
            try connection.sendHead("GET", "/hints?count=1000")
            var head = try connection.readHead()
            var hints = 0
            while head.status == 103 {
                hints += 1
                head = try connection.readHead()
            }
            #expect(hints == 100 && head.status == 200)
        }
    }

    @Test func earlyHints_leaveTheClientItsContinue() throws {
        try withAnswers { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/hints", ["Content-Length: 5", "Expect: 100-continue"])
            #expect(try connection.readHead().status == 103)
            #expect(try connection.readHead().status == 100)
            try connection.send("12345")
            #expect(try connection.response().text == "5 bytes\n")
        }
    }

    @Test func clientOfHTTP10_getsNoHints() throws {
        try withAnswers { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.send("GET /hints HTTP/1.0\r\n\r\n")
            let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix("0 bytes\n"))
        }
    }

    @Test func earlyHintsAndTrailers_comeOverHTTP2() throws {
        try withServer { server in
            server.extraModules = ["http2"]
            let entry = try server.deploy(.response, as: "app")
            try server.start(server.application(entry) + "Protocols h2c http/1.1\nH2EarlyHints On\n")
            let result = try server.curl("--http2-prior-knowledge", "--include", server.url("/hints?count=2")).check()
            #expect(result.output.components(separatedBy: "HTTP/2 103").count == 3, "\(result.output)")
            #expect(result.output.contains("link: </style.css>; rel=preload"))
            #expect(result.output.hasSuffix("0 bytes\n"))
            // So many that the content has no length: curl does not look for trailers after one.
            let target = "/trailers?count=20000"
            let lines = (0..<20000).map { "line \($0)\n" }.joined()
            let trailers = try server.curl("--http2-prior-knowledge", "--include", server.url(target)).check()
            #expect(trailers.output.hasSuffix("\r\n" + lines + "x-lines: 20000\r\n"))
            // httpd sends none in chunks; the response is whole all the same.
            #expect(try server.get(target).text == lines)
        }
    }

    @Test func rangesOfContentInOnePiece_areCut() throws {
        try withAnswers { server in
            let connection = try HTTPConnection(port: server.port)
            let target = answer(200, "0123456789", "ETag:\"a\"")
            let part = try connection.get(target, headers: ["Range: bytes=2-4"])
            #expect(part.status == 206 && part.text == "234")
            #expect(try connection.get(target, headers: ["Range: bytes=20-"]).status == 416)
            #expect(try connection.get(target, headers: ["Range: bytes=2-4", "If-Range: \"b\""]).status == 200)
            let own = answer(206, "234", "Content-Range:bytes 2-4/10")
            let passed = try connection.get(own, headers: ["Range: bytes=2-4"])
            #expect(passed.status == 206 && passed.text == "234" && passed["Content-Range"] == "bytes 2-4/10")
            let stream = try connection.get("/stream?count=3&h=ETag:%22a%22", headers: ["Range: bytes=0-0"])
            // Pieces that happened to come together can be cut, others are sent whole: both are right.
            #expect(stream.text == (stream.status == 206 ? "l" : "line 0\nline 1\nline 2\n"))
        }
    }
}
