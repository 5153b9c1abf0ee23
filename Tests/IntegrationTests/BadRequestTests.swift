import Foundation
import Testing

/// Requests that are odd, wrong or hostile, by their numbers: what httpd refuses stays refused, and what it lets through is
/// shown to the application as it should be.
///
/// R1, R15, R33, R34 and R87 to R90 are among the tests of directives; R70 and R75 among those of protocols.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct BadRequestTests {
    private func withApplications(_ lines: String = "", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            // httpd's own lines about what it refuses.
            server.announce("AH0", "AH1")
            let facts = try server.deploy(.facts, as: "app")
            let echo = try server.deploy(.echo, as: "body")
            try server.start(
                "WSGIScriptAlias /body \(echo) process-group=one application-group=%{GLOBAL}\n"
                    + server.application(facts) + "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
                    + lines
            )
            try body(server)
        }
    }

    private func check(_ rows: [RawRequest], _ lines: String = "") throws {
        try withApplications(lines) { server in
            for row in rows { try row.check(server) }
            #expect(Facts(try server.get("/environ"))["REQUEST_METHOD"] == "GET")
        }
    }

    private static let length = "Content-Length"
    private static let chunked = "Transfer-Encoding: chunked"

    @Test func framing_R1toR18() throws {
        try check([
            .post("R2", "Content-Length: 3\r\nContent-Length: 3", "abc", 400),
            .post("R3", "Content-Length: 3\r\nContent-Length: 4", "abc", 400),
            .post("R4", "Content-Length: 3, 3", "abc", 400), .post("R5", "Content-Length: +3", "abc", 400),
            .post("R6", "Content-Length: -1", "abc", 400),
            .post("R7", "Content-Length: 18446744073709551616", "abc", 400),
            .post("R8", "Content-Length: 9223372036854775807", "abc", 413),
            .post("R9", "Content-Length: 0x3", "abc", 400),
            .post("R10", "Transfer-Encoding: gzip", "abc", 400),
            .post("R11", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n", 501),
            .post("R12", "Transfer-Encoding: chunked, identity", "0\r\n\r\n", 400),
            .post("R13", "Transfer-Encoding: xchunked", "0\r\n\r\n", 400),
            .post("R14", "Transfer-Encoding: ChUnKeD", "3\r\nabc\r\n0\r\n\r\n", 200),
            .post("R16", Self.chunked, "FFFFFFFFFFFFFFFFF\r\nabc", 413),
            .post("R17", Self.chunked, "-1\r\nabc\r\n0\r\n\r\n", 400),
            .post("R18", Self.chunked, "3\nabc\n0\n\n", 400),
            .post("R19", Self.chunked, "3\r\nab", 400, finishes: true),
            .post("R20", Self.chunked, "3\r\nabc\r\n0\r\nX-Trailer: 1\r\nContent-Length: 9\r\n\r\n", 200),
            .post("R21", "Content-Length: 10", "abc", 400, finishes: true),
        ])
    }

    @Test func stalledBodies_R19R21R73() throws {
        let lines = "Timeout 2\n"
        try check(
            [
                .post("R19", Self.chunked, "3\r\nab", 408), .post("R21", "Content-Length: 10", "abc", 408),
                .post("R73", "Content-Length: 10\r\nExpect: 100-continue", "", 408),
            ],
            lines
        )
    }

    @Test func headers_R22toR42() throws {
        let large = String(repeating: "x", count: 9000)
        let many = (0..<110).map { "X-Number-\($0): 1" }.joined(separator: "\r\n")
        try check([
            .get("R22", "X_Evil: 1\r\nX-Evil: 2", 200, seen: ["HTTP_X_EVIL": "2"]),
            .get(
                "R22",
                "X_Only: 1\r\nX.Dot: 2\r\nX!: 3",
                200,
                seen: ["HTTP_X_ONLY": nil, "HTTP_X_DOT": nil, "HTTP_X_": nil]
            ),
            .get("R23", "Proxy: http://evil\r\nX-Proxy: 1", 200, seen: ["HTTP_PROXY": nil, "HTTP_X_PROXY": "1"]),
            .get("R24", "X-A : 1", 400), .get("R25", "X-A: 1\r\n 2", 200, seen: ["HTTP_X_A": "1 2"]),
            .get("R26", "X-A: 1\u{0}2", 400), .get("R27", "X-A: 1\r2", 400),
            RawRequest("R28", "GET /environ HTTP/1.1\nHost: localhost\n\n", 400), .get("R29", "X-A: 1\u{1}2", 400),
            .get("R29", "X-A: 1\u{7f}2", 400), .get("R30", "X-A: caf\u{e9}", 200, seen: ["HTTP_X_A": "caf\u{e9}"]),
            .get("R31", ": 1", 400), .get("R32", "no colon", 400), .get("R35", "Host: other", 400),
            RawRequest("R36", "GET /environ HTTP/1.1\r\n\r\n", 400),
            RawRequest("R37", "GET /environ HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
            .get("R38", "Content-Type: a/b\r\nContent-Type: c/d", 200, seen: ["CONTENT_TYPE": "a/b, c/d"]),
            .get("R39", "Authorization: Basic eDp5", 200, seen: ["HTTP_AUTHORIZATION": nil]),
            .get("R40", "X-A: \(large)", 400),
            .get("R41", many, 400),
            .get(
                "R42",
                "mod_wsgi.process_group: t2\r\nmod_wsgi.x: 1",
                200,
                seen: ["mod_wsgi.process_group": "one", "mod_wsgi.x": nil]
            ),
            .get(
                "R86",
                "content-TYPE: a/b\r\ncontent-LENGTH: 0",
                200,
                seen: ["CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "0"]
            ),
        ])
    }

    @Test func headersOfUnderscores_areDroppedWhereHTTPDIsUnsafeToo_R22() throws {
        try check(
            [
                .get("R22", "X_Evil: 1\r\nX-Evil: 2", 200, seen: ["HTTP_X_EVIL": "2"]),
                .get("R22", "Content_Length: 5", 200, seen: ["CONTENT_LENGTH": nil]),
            ],
            "HttpProtocolOptions Unsafe\n"
        )
    }

    @Test func targets_R43toR64() throws {
        try check([
            .target("R43", "/" + String(repeating: "x", count: 9000), 414), .target("R44", "/a%00b/environ", 404),
            .target("R45", "/a%2Fb/environ", 404),
            .target("R46", "/a%5Cb/environ", 200, seen: ["PATH_INFO": "/a\\b/environ"]),
            .target("R47", "/../environ", 400), .target("R48", "/%2e%2e/%2e%2e/environ", 400),
            .target("R49", "/.%2e/environ", 400),
            .target("R49", "/a/.%2e/environ", 200, seen: ["PATH_INFO": "/environ"]),
            .target("R50", "/%%32e/environ", 400),
            .target("R50", "/%2541/environ", 200, seen: ["PATH_INFO": "/%41/environ"]),
            .target("R51", "//a//environ", 200, seen: ["PATH_INFO": "/a/environ", "REQUEST_URI": "//a//environ"]),
            .target("R52", "/%zz/environ", 400),
            .target("R53", "/\u{ff}/environ", 200, seen: ["PATH_INFO": "/\u{ff}/environ"]),
            .target("R54", "/%c0%ae/environ", 200, seen: ["PATH_INFO": "/\u{c0}\u{ae}/environ"]),
            .target("R55", "/\u{1}/environ", 400),
            .target("R56", "/a b/environ", 400), .target("R57", "/environ#frag", 400),
            .target("R58", "/a%0d%0aX-Injected:%201/environ", 200, seen: ["PATH_INFO": "/a\r\nX-Injected: 1/environ"]),
            .target("R59", "/environ?a=%0d%0ab", 200, seen: ["QUERY_STRING": "a=%0d%0ab"]),
            .target(
                "R60",
                "http://evil.example/environ",
                200,
                seen: ["HTTP_HOST": "evil.example", "SERVER_NAME": "evil.example"]
            ),
            RawRequest("R61", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 405),
            RawRequest("R62", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, seen: ["REQUEST_METHOD": nil]),
            .target("R63", "*", 400), .target("R64", "environ", 400),
        ])
    }

    @Test func encodedSlashes_R45() throws {
        try check(
            [
                .target(
                    "R45",
                    "/a%2Fb/environ",
                    200,
                    seen: ["PATH_INFO": "/a/b/environ", "REQUEST_URI": "/a%2Fb/environ"]
                )
            ],
            "AllowEncodedSlashes On\n"
        )
        try check(
            [
                .target(
                    "R45",
                    "/a%2Fb/environ",
                    200,
                    seen: ["PATH_INFO": "/a%2Fb/environ", "REQUEST_URI": "/a%2Fb/environ"]
                )
            ],
            "AllowEncodedSlashes NoDecode\n"
        )
    }

    @Test func repeatedSlashes_areHTTPDsToMerge_R51() throws {
        let rows: [(String, [String: String?])] = [
            ("/a//environ", ["SCRIPT_NAME": "", "PATH_INFO": "/a//environ", "REQUEST_URI": "/a//environ"]),
            ("/mount//a///environ", ["SCRIPT_NAME": "/mount", "PATH_INFO": "//a///environ"]),
            ("//mount/a//environ", ["SCRIPT_NAME": "/mount", "PATH_INFO": "/a//environ"]),
            ("/files//app.wsgi//a/environ", ["SCRIPT_NAME": "/files//app.wsgi", "PATH_INFO": "//a/environ"]),
            ("/////a/environ", ["SCRIPT_NAME": "", "PATH_INFO": "/a/environ"]),
        ]
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                "MergeSlashes Off\nWSGIScriptAlias /mount \(entry)\nWSGIScriptAlias /files \(server.www)/app\n"
                    + server.application(entry)
            )
            for (target, seen) in rows { try RawRequest.target("R51", target, 200, seen: seen).check(server) }
        }
    }

    @Test func canonicalName_R60() throws {
        try check(
            [.target("R60", "http://evil.example/environ", 200, seen: ["SERVER_NAME": "localhost"])],
            "UseCanonicalName On\n"
        )
    }

    @Test func methodsAndVersions_R65toR79() throws {
        func request(_ row: String, _ line: String, _ status: Int, seen: [String: String?] = [:]) -> RawRequest {
            RawRequest(row, "\(line)\r\nHost: localhost\r\n\r\n", status, seen: seen)
        }
        try check([
            request("R65", "get /environ HTTP/1.1", 200, seen: ["REQUEST_METHOD": "get"]),
            request("R66", "FOO /environ HTTP/1.1", 200, seen: ["REQUEST_METHOD": "FOO"]),
            request("R67", "GE(T /environ HTTP/1.1", 400),
            request("R68", "TRACE /environ HTTP/1.1", 200, seen: ["REQUEST_METHOD": nil]),
            request("R69", "GET /environ HTTP/1.2", 200, seen: ["SERVER_PROTOCOL": "HTTP/1.2"]),
            request("R71", "GET /environ HTTP/x", 400), .get("R72", "Expect: 200-maybe", 417),
            RawRequest("R77", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
            RawRequest("R78", "\u{16}\u{3}\u{1}\u{0}\u{5}\u{1}\u{0}\u{0}\u{1}\u{3}\r\n\r\n", 400),
            RawRequest(
                "R79",
                "\r\nGET /environ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                200,
                seen: ["REQUEST_METHOD": "GET"]
            ),
        ])
    }

    @Test func R76_getWithABody_leavesTheNextRequestAlone() throws {
        try withApplications { server in
            let connection = try HTTPConnection(port: server.port)
            let hidden = "GET /hidden/environ HTTP/1.1\r\nHost: a\r\n\r\n"
            try connection.send("GET /environ HTTP/1.1\r\nHost: a\r\nContent-Length: \(hidden.count)\r\n\r\n" + hidden)
            try connection.send("GET /next/environ HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(Facts(try connection.response())["PATH_INFO"] == "/environ")
            #expect(Facts(try connection.response())["PATH_INFO"] == "/next/environ")
        }
    }

    @Test func R80_slowHeads_occupyNoRequestThread() throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, options: "threads=1"))
            let slow = try (0..<50).map { _ in
                let connection = try HTTPConnection(port: server.port)
                try connection.send("GET /noread HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                return connection
            }
            for _ in 0..<20 { #expect(try server.get("/noread").text == "not read\n") }
            for connection in slow {
                try connection.send("1\r\n\r\n")
                #expect(try connection.response().status == 200)
            }
        }
    }

    @Test func R83_manyParts_areTheApplicationsAffair() throws {
        try withApplications { server in
            let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
            let body = Array(String(repeating: part, count: 100_000).utf8)
            let response = try server.request(
                "POST",
                "/body/count",
                headers: ["Content-Type: multipart/form-data; boundary=b"],
                body: body
            )
            #expect(response.text.hasPrefix("bytes=\(body.count) "))
        }
    }

    @Test func R84_inflatedBodies_areReadAndLimited() throws {
        try withServer { server in
            server.announce("AH0")
            server.extraModules += ["filter", "deflate"]
            let echo = try server.deploy(.echo, as: "app")
            let lines =
                "SetInputFilter DEFLATE\nDeflateInflateLimitRequestBody 20000000\nDeflateInflateRatioLimit 2000\n"
            try server.start(server.application(echo) + lines)
            for (size, isWithin) in [(5_000_000, true), (50_000_000, false)] {
                try Data(count: size).write(to: URL(fileURLWithPath: "\(server.directory)/body"))
                try run("/usr/bin/gzip", ["-kf", "\(server.directory)/body"]).check()
                let result = try server.curl(
                    "-w",
                    " %{http_code}",
                    "-H",
                    "Content-Encoding: gzip",
                    "--data-binary",
                    "@\(server.directory)/body.gz",
                    server.url("/count")
                )
                if isWithin {
                    #expect(result.output.hasPrefix("bytes=\(size) "), "\(result.output)")
                } else {
                    #expect(
                        result.output.hasSuffix(" 413") || result.output.hasSuffix(" 400"),
                        "\(result.output.suffix(40))"
                    )
                }
            }
        }
    }
}
