import Foundation
import Testing

/// httpd's output filters see applications' responses as they see those of CGI programs.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct OutputFilterTests {
    private func withFilters(_ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.extraModules = ["filter", "deflate", "include", "ratelimit", "substitute"]
            let entry = try server.deploy(.response, as: "app")
            let aliases = ["deflate", "ssi", "slow", "other"].map { "WSGIScriptAlias /\($0) \(entry)" }
            try server.start(
                """
                \(aliases.joined(separator: "\n"))
                \(server.application(entry, options: "threads=4", inDirectory: "Options +Includes"))
                AddOutputFilterByType DEFLATE text/plain
                <Location /ssi>
                    SetOutputFilter INCLUDES
                </Location>
                <Location /slow>
                    SetOutputFilter RATE_LIMIT
                    SetEnv rate-limit 400
                </Location>
                <Location /other>
                    AddOutputFilterByType SUBSTITUTE text/html
                    Substitute s/line/LINE/
                    Header set X-Added yes
                    Header edit X-Own a b
                </Location>
                """
            )
            try body(server)
        }
    }

    private func query(_ fields: KeyValuePairs<String, String>) -> String {
        fields.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }
            .joined(separator: "&")
    }

    /// A text that shrinks well, as a file that daemon processes may read.
    private func text(_ server: TestServer, lines: Int = 20_000) throws -> (path: String, content: String) {
        let content = (0..<lines).map { "line \($0)\n" }.joined()
        return (try server.write(content, to: "text"), content)
    }

    @Test func deflate_packsEveryKindOfBody() throws {
        try withFilters { server in
            let (path, content) = try text(server)
            let type = ("h", "Content-Type:text/plain")
            let small = String(repeating: "small ", count: 1000)
            let targets = [
                ("/answer?" + query(["body": small, type.0: type.1]), small),
                ("/stream?count=20000&" + query([type.0: type.1]), content),
                ("/static?path=\(path)&type=text/plain", content),
            ]
            for (target, expected) in targets {
                let result = try server.curl("--compressed", "--include", server.url(target)).check()
                #expect(result.output.contains("Content-Encoding: gzip\r\n"), "\(target)")
                #expect(result.output.hasSuffix("\r\n\r\n" + expected), "\(target)")
                let plain = try server.get(target)
                #expect(plain["Content-Encoding"] == nil && plain.text == expected, "\(target)")
                #expect(plain["Vary"] == "Accept-Encoding", "\(target)")
            }
            // By type: nothing else is packed.
            let other = try server.get("/static?path=\(path)&type=text/html", headers: ["Accept-Encoding: gzip"])
            #expect(other["Content-Encoding"] == nil && other.text == content)
            let head = try server.request("HEAD", targets[2].0, headers: ["Accept-Encoding: gzip"])
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test func fileThatShrinksUnderAFilter_isNeverComplete() throws {
        try withFilters { server in
            server.announce("SWSGI4040", "AH10298")
            // More than the sockets take, even packed: noise.
            var noise = [UInt8](repeating: 0, count: 32 << 20)
            var state: UInt64 = 1
            for index in noise.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                noise[index] = UInt8(truncatingIfNeeded: state >> 56)
            }
            let path = "\(server.directory)/noise"
            try Data(noise).write(to: URL(fileURLWithPath: path))
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/static?path=\(path)&type=text/plain", ["Accept-Encoding: gzip"])
            let head = try connection.readHead()
            #expect(head["Transfer-Encoding"] == "chunked")
            truncate(path, 1 << 20)
            #expect(throws: HTTPFailure.self) { try connection.readBody(of: head) { _ in } }
            try server.logs.waitForLines(1, "SWSGI4040")
        }
    }

    @Test func otherFilters_changeWhatTheyShould() throws {
        try withFilters { server in
            let (path, content) = try text(server)
            let changed = content.replacingOccurrences(of: "line", with: "LINE")
            let html = "/other/static?path=\(path)&type=text/html"
            let response = try server.get(html)
            #expect(response.text == changed && response["X-Added"] == "yes")
            let own = try server.get("/other/answer?" + query(["h": "X-Own:a", "body": "x"]))
            #expect(own["X-Own"] == "b" && own["X-Added"] == "yes")
            // Ranges are of what the filters have made.
            let part = try server.get(html, headers: ["Range: bytes=0-3"])
            #expect(part.text == (part.status == 206 ? "LINE" : changed))
            let slow = try server.get("/slow/static?path=\(path)&type=text/html")
            #expect(slow.text == content)
        }
    }

    @Test func pagesOfApplications_mayIncludeOthers() throws {
        try withFilters { server in
            let type = "Content-Type:text/html"
            let echo = "<!--#echo var=\"REQUEST_METHOD\" -->"
            #expect(try server.get("/ssi/answer?" + query(["h": type, "body": "[\(echo)]"])).text == "[GET]")
            let (path, content) = try text(server, lines: 10)
            let includes = [
                ("/answer?body=inner", "inner"), ("/stream?count=3", "line 0\nline 1\nline 2\n"),
                ("/static?path=\(path)", content), ("/answer?status=204", ""),
            ]
            for (inner, expected) in includes {
                let page = "a<!--#include virtual=\"\(inner)\" -->b<!--#include virtual=\"\(inner)\" -->c"
                let connection = try HTTPConnection(port: server.port)
                for _ in 0..<2 {
                    let response = try connection.get("/ssi/answer?" + query(["h": type, "body": page]))
                    #expect(response.status == 200 && response.text == "a\(expected)b\(expected)c", "\(inner)")
                }
            }
        }
    }
}
