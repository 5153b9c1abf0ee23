import Foundation
import Testing

/// What RFC 9110 says of methods, statuses and types, whatever an application makes of them; with and without a daemon process.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct RangeTests {
    static let modes = ["daemon", "embedded"]

    private func with(_ mode: String, _ lines: String = "", modules: [String] = [], _ body: (TestServer) throws -> Void)
        throws
    {
        try withServer { server in
            server.extraModules += modules
            let entry = try server.deploy(.response, as: "app")
            // The longer alias must come first.
            try server.start(
                lines.replacingOccurrences(of: "ENTRY", with: entry)
                    + (mode == "embedded" ? server.embedded(entry) : server.application(entry))
            )
            try body(server)
        }
    }

    /// The same application, with httpd's pages in place of its errors.
    private let replaced = "<Location /replaced>\nWSGIErrorOverride On\n</Location>\nWSGIScriptAlias /replaced ENTRY\n"

    @Test(arguments: modes) func ranges_areOfGETAlone(mode: String) throws {
        try with(mode) { server in
            let path = try server.write("0123456789", to: "digits")
            let long = try server.write(String(repeating: "0123456789", count: 5000), to: "long")
            let part = try server.get("/static?path=\(long)", headers: ["Range: bytes=10002-10003"])
            #expect(part.status == 206 && part.text == "23")
            let connection = try HTTPConnection(port: server.port)
            for target in ["/answer?body=0123456789&h=ETag:%22a%22", "/static?path=\(path)"] {
                for method in ["POST", "PUT", "DELETE", "PATCH", "HEAD", "FROB"] {
                    for range in [
                        ["Range: bytes=100-"], ["Range: bytes=0-1"], ["Range: bytes=0-1", "If-Range: \"a\""],
                    ] {
                        let body: [UInt8]? = method == "HEAD" ? nil : Array("body".utf8)
                        let response = try connection.request(method, target, headers: range, body: body)
                        #expect(response.status == 200, "\(method) \(target) \(range)")
                        #expect(response["Content-Range"] == nil && response["Content-Length"] == "10")
                        if method != "HEAD" { #expect(response.text == "0123456789", "\(method) \(target) \(range)") }
                    }
                }
                #expect(try connection.get(target, headers: ["Range: bytes=0-1"]).status == 206)
                #expect(try connection.get(target, headers: ["Range: bytes=100-"]).status == 416)
            }
        }
    }

    @Test(arguments: modes) func headOfAFile_saysWhatGETSays(mode: String) throws {
        try with(mode) { server in
            let path = try server.write(String(repeating: "0123456789", count: 50_000), to: "digits")
            let connection = try HTTPConnection(port: server.port)
            let get = try connection.get("/static?path=\(path)")
            let head = try connection.request("HEAD", "/static?path=\(path)")
            for name in ["Accept-Ranges", "Content-Length", "ETag", "Last-Modified", "Content-Type"] {
                #expect(head[name] != nil && head[name] == get[name], "\(name)")
            }
        }
    }

    @Test(arguments: modes) func statusWithoutAReason_arrives(mode: String) throws {
        try with(mode, replaced) { server in
            let connection = try HTTPConnection(port: server.port)
            for status in [200, 299, 399, 404, 418, 499, 599] {
                let response = try connection.get("/answer?status=\(status)&unnamed=1&body=x")
                #expect(response.status == status && response.text == "x")
                guard status >= 400 else { continue }
                let replaced = try connection.get("/replaced/answer?status=\(status)&unnamed=1&body=x")
                #expect(
                    replaced.status == status && replaced["Content-Type"]?.hasPrefix("text/html") == true,
                    "\(status)"
                )
            }
            #expect(try connection.get("/answer?status=404&unnamed=1&body=x").reason == "Not Found")
        }
    }

    @Test(arguments: modes) func methodsThatAreAllowed_areNamed(mode: String) throws {
        try with(mode, replaced) { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("CONNECT", "localhost:80")
            let refused = try connection.response()
            let allowed = Set(
                (refused["Allow"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            )
            #expect(refused.status == 405)
            #expect(allowed.isSuperset(of: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]), "\(allowed)")
            let own = try server.get("/replaced/answer?status=405&h=Allow:GET,%20PURGE")
            #expect(own.status == 405 && own.all("Allow").count == 1)
            #expect(own["Allow"]?.contains("GET") == true && own["Allow"]?.contains("PURGE") == true)
            #expect(own["Allow"]?.contains("POST") == false)
        }
    }

    @Test(arguments: modes) func framing_isThatOfTheApplication_howeverFast(mode: String) throws {
        try with(mode) { server in
            let connection = try HTTPConnection(port: server.port)
            for _ in 0..<30 {
                let stream = try connection.get("/stream?count=3")
                #expect(stream["Transfer-Encoding"] == "chunked" && stream["Content-Length"] == nil)
                let empty = try connection.get("/stream?count=0")
                #expect(empty["Content-Length"] == "0" && empty["Transfer-Encoding"] == nil)
                let large = try connection.get("/large?bytes=60000")
                #expect(large["Transfer-Encoding"] == "chunked" && large.body.count == 60000)
                let small = try connection.get("/large?bytes=6000")
                #expect(small["Content-Length"] == "6000" && small.body.count == 6000)
            }
        }
    }

    /// Each of them has a body that the filter packs, in one piece, in several, or in a file.
    @Test(arguments: modes) func headUnderAFilter_saysWhatGETSays(mode: String) throws {
        try with(mode, "AddOutputFilterByType DEFLATE text/plain\n", modules: ["filter", "deflate"]) { server in
            let path = try server.write(String(repeating: "0123456789", count: 50_000), to: "digits")
            let small = try server.write(String(repeating: "0123456789", count: 100), to: "few")
            let connection = try HTTPConnection(port: server.port)
            let targets = [
                "/answer?body=\(String(repeating: "small", count: 100))&h=ETag:%22a%22", "/large?bytes=6000",
                "/large?bytes=60000", "/large?bytes=600000", "/stream?count=1000", "/stream?count=3",
                "/static?path=\(path)&type=text/plain", "/static?path=\(small)&type=text/plain",
            ]
            for target in targets {
                for accepts in [["Accept-Encoding: gzip"], []] {
                    let get = try connection.get(target, headers: accepts)
                    #expect(get["Vary"] == "Accept-Encoding" && (get["Content-Encoding"] == "gzip") == !accepts.isEmpty)
                    for _ in 0..<5 {
                        let head = try connection.request("HEAD", target, headers: accepts)
                        #expect(head.status == 200)
                        for name in ["ETag", "Vary", "Content-Encoding", "Content-Length"] {
                            #expect(head[name] == get[name], "\(target) \(accepts) \(name)")
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: modes) func contentTypes_areOneOrSaidToBeWrong(mode: String) throws {
        try with(mode) { server in
            server.announce("SWSGI4048")
            let rows = [
                ("/answer?body=x&untyped=1", nil, "no Content-Type"),
                ("/answer?body=x&h=Content-Type:&untyped=1", nil, "an empty Content-Type"),
                ("/answer?body=x&h=Content-Type:text/a&h=Content-Type:text/b", "text/b", "more than one Content-Type"),
                ("/answer?status=204&h=Content-Type:text/a", nil, "a status without content"),
                ("/answer?status=304&h=Content-Type:text/a", nil, "a status without content"),
            ]
            for (target, type, line) in rows {
                #expect(try server.get(target)["Content-Type"] == type, "\(target)")
                try server.logs.waitForLine("SWSGI4048", line)
            }
            #expect(try server.get("/answer?untyped=1")["Content-Type"] == nil)
        }
    }
}
