import Foundation
import Testing

/// Files that applications hand over to httpd.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct FileTests {
    private static let digits = "0123456789"

    /// Two applications: /c in C, and the rest in Swift.
    private func withFiles(_ lines: String = "", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.response, as: "app")
            let other = try server.deploy(bundle: CFixture.path("files"), as: "c")
            try server.start(
                server.application(other, at: "/c", group: "two", options: "threads=16")
                    + server.application(entry, options: "threads=8") + lines
            )
            try server.write(Self.digits, to: "digits", mode: 0o666)
            try body(server)
        }
    }

    /// A file that a daemon process may write to.
    private func owned(_ server: TestServer, _ name: String, _ bytes: Int) throws -> String {
        let path = "\(server.www)/\(name)"
        try Data((0..<bytes).map { UInt8(truncatingIfNeeded: $0 % 251) }).write(to: URL(fileURLWithPath: path))
        chown(path, uid_t(TestUser.first.uid), gid_t(TestUser.first.gid))
        return path
    }

    /// How often httpd's children have a file open.
    private func open(_ server: TestServer, _ name: String) -> Int {
        server.children.reduce(0) { $0 + $1.descriptors.values.count { $0.hasSuffix(name) } }
    }

    @Test(arguments: ["", "WSGIEnableSendfile On\n"]) func files_areSentAsTheyAre(_ lines: String) throws {
        try withFiles(lines) { server in
            let size = 3 << 20
            let big = try owned(server, "big", size)
            let connection = try HTTPConnection(port: server.port)
            let digits = "\(server.directory)/digits"
            for _ in 0..<2 {
                let response = try connection.get("/static?path=\(big)&type=image/x-test")
                #expect(response.status == 200 && response["Content-Length"] == "\(size)")
                #expect(response["Content-Type"] == "image/x-test" && response["Accept-Ranges"] == "bytes")
                #expect(response["ETag"] != nil && response["Last-Modified"] != nil)
                #expect(response.body == (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) })
            }
            let head = try connection.request("HEAD", "/static?path=\(big)")
            #expect(head.status == 200 && head["Content-Length"] == "\(size)")
            #expect(try connection.get("/part?path=\(digits)&from=2&length=3").text == "234")
            #expect(try connection.get("/part?path=\(digits)&from=10").text == "")
            #expect(try connection.get("/part?path=\(digits)&from=1&declared=9").text == "123456789")
            #expect(try connection.get("/c/mixed?\(digits)").text == "<0123456789|23401>")
            let closed = try owned(server, "closed", 100_000)
            #expect(try connection.get("/c/closed-mode?\(closed)").body.count == 100_000)
        }
    }

    /// The client gets 403 or 500, and the administrator a line with path, user and reason, in daemon and in embedded mode.
    @Test func fileThatCanNotBeRead_isNamedInTheLog() throws {
        try withServer { server in
            server.announce("SWSGI4140", "SWSGI4141")
            let entry = try server.deploy(.response, as: "app")
            let other = try server.deploy(.response, as: "other")
            try server.start(server.application(entry, at: "/daemon") + server.embedded(other, at: "/embedded"))
            let place = "\(server.directory)/files"
            try server.write("x", to: "\(place)/closed", mode: 0o600)
            try server.write("x", to: "\(place)/hidden/x")
            chmod("\(place)/hidden", 0o700)
            try server.write("x", to: "\(place)/two\nlines", mode: 0o600)
            try server.write("0123", to: "\(place)/digits")
            symlink("loop", "\(place)/loop")
            for (mode, uid) in [("daemon", TestUser.first.uid), ("embedded", 33)] {
                for (name, shown) in [("closed", "closed"), ("hidden/x", "hidden/x"), ("two%0Alines", "lines")] {
                    #expect(try server.get("/\(mode)/static?path=\(place)/\(name)").status == 403)
                    let line = try server.logs.waitForLine("SWSGI4140", shown, "uid \(uid)", "Permission denied")
                    #expect(line.level == "warn" && line.text.contains("'\(place)/"), "\(line)")
                }
                #expect(server.logs.lines(containing: "SWSGI4140", "two", "x0alines", "uid \(uid)").count == 1)
                #expect(try server.get("/\(mode)/static?path=\(place)/loop").status == 500)
                try server.logs.waitForLine("SWSGI4141", "/loop'", "Too many levels")
                #expect(try server.get("/\(mode)/part?path=\(place)/digits&from=9").status == 500)
                try server.logs.waitForLine("SWSGI4141", "/digits'", "has no such part")
                // What is not there is no reason for an alarm, nor is what is no file; nor does a NUL end a path.
                for name in ["nothing", ".", "digits%00.txt"] {
                    #expect(try server.get("/\(mode)/static?path=\(place)/\(name)").status == 404, "\(name)")
                }
            }
            #expect(server.logs.lines(containing: "SWSGI414", "nothing").isEmpty)
        }
    }

    @Test func fileThatIsNotThere_isAnswered404() throws {
        try withFiles { server in
            for path in ["/nowhere", "/", "\(server.directory)/digits/x"] {
                #expect(try server.get("/static?path=\(path)").status == 404, "\(path)")
            }
            try server.write("secret", to: "secret", mode: 0o600)
            #expect(try server.get("/static?path=\(server.directory)/secret").status == 403)
            server.announce("SWSGI4140", "SWSGI4141")
            #expect(try server.get("/part?path=\(server.directory)/digits&from=11").status == 500)
        }
    }

    @Test func contentLengthOfTheApplication_bindsFiles() throws {
        try withFiles { server in
            server.announce("SWSGI4025", "SWSGI4026", "Content length mismatch")
            let digits = "\(server.directory)/digits"
            let cut = try server.get("/part?path=\(digits)&declared=4")
            #expect(cut.text == "0123")
            #expect(throws: HTTPFailure.truncated(received: 10)) {
                try server.get("/part?path=\(digits)&declared=11")
            }
            #expect(server.logs.lines(containing: "SWSGI4025").count == 1)
            #expect(server.logs.lines(containing: "SWSGI4026").count == 1)
        }
    }

    @Test func descriptorOfManyExchanges_servesEachFromItsBeginning() throws {
        try withFiles { server in
            let size = 300_000
            let path = try owned(server, "shared", size)
            let expected = (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) }
            let clients = (0..<8).map { _ in
                Background { [port = server.port] in
                    let connection = try HTTPConnection(port: port)
                    return try (0..<20).allSatisfy { _ in try connection.get("/c/shared?\(path)").body == expected }
                }
            }
            for client in clients { #expect(try client.value()) }
        }
    }

    @Test func ranges_areCutByHTTPD() throws {
        try withFiles { server in
            let target = "/static?path=\(server.directory)/digits"
            let connection = try HTTPConnection(port: server.port)
            let first = try connection.get(target, headers: ["Range: bytes=2-4"])
            #expect(first.status == 206 && first.text == "234" && first["Content-Range"] == "bytes 2-4/10")
            #expect(try connection.get(target, headers: ["Range: bytes=-1"]).text == "9")
            let several = try connection.get(target, headers: ["Range: bytes=0-0,5-5"])
            #expect(several.status == 206 && several["Content-Type"]?.hasPrefix("multipart/byteranges") == true)
            #expect(try connection.get(target, headers: ["Range: bytes=10-"]).status == 416)
            let tag = try #require(first["ETag"])
            #expect(try connection.get(target, headers: ["Range: bytes=0-0", "If-Range: \(tag)"]).status == 206)
            #expect(try connection.get(target, headers: ["Range: bytes=0-0", "If-Range: \"x\""]).text == Self.digits)
            for _ in 0..<20 {
                #expect(try connection.get(target, headers: ["If-None-Match: \(tag)"]).status == 304)
                #expect(try connection.get(target, headers: ["If-Match: \"x\""]).status == 412)
                #expect(try connection.request("HEAD", target).status == 200)
            }
            // The files that nobody wanted are closed.
            try eventually("no open file") { open(server, "/digits") == 0 }
        }
    }

    /// R74.
    @Test func threeHundredRanges_areTheWholeFile() throws {
        try withFiles { server in
            let ranges = (0..<300).map { "\($0 % 10)-\($0 % 10)" }.joined(separator: ",")
            let response = try server.get(
                "/static?path=\(server.directory)/digits",
                headers: ["Range: bytes=\(ranges)"]
            )
            #expect(response.status == 200 && response.text == Self.digits)
        }
    }

    @Test func fileThatGrows_isSentAsAnnounced() throws {
        try withFiles { server in
            let path = try owned(server, "grows", 10)
            let connection = try HTTPConnection(port: server.port)
            #expect(try connection.get("/c/grows?\(path)").body.count == 10)
            #expect(try connection.get("/c/grows?\(path)").body.count == 14)
        }
    }

    @Test(arguments: ["", "WSGIEnableSendfile On\n"]) func fileThatShrinks_isNeverComplete(_ lines: String) throws {
        try withFiles(lines) { server in
            server.announce("SWSGI4040")
            let path = try owned(server, "shrinks", 10)
            // Before httpd has begun with it.
            let early = Result { try server.get("/c/shrinks?\(path)") }
            if case .success(let response) = early { #expect(response.status == 502) }
            // While httpd is at it: more than fits into the sockets.
            let size = 64 << 20
            let big = try owned(server, "big", 10)
            truncate(big, size)
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/static?path=\(big)")
            let head = try connection.readHead()
            #expect(head["Content-Length"] == "\(size)")
            truncate(big, 1 << 20)
            #expect(throws: HTTPFailure.self) { try connection.readBody(of: head) { _ in } }
            try server.logs.waitForLines(2, "SWSGI4040")
            let after = try server.get("/static?path=\(server.directory)/digits")
            #expect(after.text == Self.digits)
        }
    }

    @Test func filesAndTheirRanges_comeOverHTTP2() throws {
        try withServer { server in
            server.extraModules = ["http2"]
            let entry = try server.deploy(.response, as: "app")
            try server.start(server.application(entry) + "Protocols h2c http/1.1\nWSGIEnableSendfile On\n")
            let path = try owned(server, "big", 20 << 20)
            let (target, output) = (server.url("/static?path=\(path)"), "\(server.directory)/output")
            for range in ["0-", "1000-2000"] {
                try server.curl("--http2-prior-knowledge", "--range", range, "--output", output, target).check()
                let expected = try Data(contentsOf: URL(fileURLWithPath: path))
                let got = try Data(contentsOf: URL(fileURLWithPath: output))
                // Compared outside: of such amounts the difference would take for ever to describe.
                let isEqual = got == (range == "0-" ? expected : expected[1000...2000])
                #expect(isEqual, "\(range): \(got.count) bytes")
            }
            server.announce("SWSGI4040")
            truncate(path, 64 << 20)
            let shrinking = Background { [target] in
                try server.curl("--http2-prior-knowledge", "--limit-rate", "4M", "--output", output, target)
            }
            try eventually("the beginning of the file") {
                (try? FileManager.default.attributesOfItem(atPath: output)[.size] as? Int).map { $0 > 2000 } ?? false
            }
            truncate(path, 1 << 20)
            #expect(try shrinking.value().status != 0)
            try server.logs.waitForLines(1, "SWSGI4040")
        }
    }

    @Test func framesThatAreNoFiles_costOneExchangeEach() throws {
        try withServer { server in
            let entry = try server.deploy(bundle: CFixture.path("hostile"), as: "app")
            try server.start(server.application(entry, options: "threads=1"))
            server.announce("SWSGI5001", "SWSGI5002", "SWSGI4040")
            let paths = [
                "/none", "/pipe", "/directory", "/device", "/negative", "/empty", "/beyond", "/overflow", "/many",
                "/early",
            ]
            let children = Set(server.children.map(\.pid))
            for path in paths {
                // After a head nothing but the end of the connection tells the client.
                if let response = try? server.get(path) { #expect(response.status == 502, "\(path)") }
            }
            #expect(server.logs.lines(containing: "SWSGI500").count == paths.count - 1)
            #expect(server.logs.lines(containing: "SWSGI4040").count == 1)
            #expect(children.isSubset(of: server.children.map(\.pid)))
            #expect(open(server, "/etc/passwd") + open(server, "/dev/zero") == 0)
        }
    }
}
