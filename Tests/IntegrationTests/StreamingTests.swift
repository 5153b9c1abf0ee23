import Foundation
import Testing

/// Bodies of any size, in both directions, in bounded memory.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct StreamingTests {
    private static let gibibyte = 1 << 30
    /// FNV-1a, 64 bits, of so many bytes of the pattern.
    private static let hash = "7a09afe5583d93a5"
    /// KiB of any process.
    private static let limit = Machine.isSanitized ? .max : 32 * 1024

    private func withEcho(_ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=4"))
            try eventually("two processes") { server.daemons.count == 2 }
            try body(server)
        }
    }

    private func watch(_ server: TestServer) -> MemoryWatch {
        let pids = server.processes.map(\.pid)
        return MemoryWatch { pids.compactMap { ProcessFacts(pid: $0) } }
    }

    private func expectSmall(_ watch: MemoryWatch) {
        let samples = watch.finish()
        #expect(samples.count >= 6)
        for sample in samples { #expect(sample.kilobytes < Self.limit, "\(sample.name)") }
    }

    @Test(.tags(.long)) func uploadOfOneGibibyte_needsLittleMemory() throws {
        try withEcho { server in
            let memory = watch(server)
            let connection = try HTTPConnection(port: server.port, timeout: 240)
            try connection.sendHead("POST", "/count", ["Content-Length: \(Self.gibibyte)"])
            var sent = 0
            let piece = (0..<Pattern.period * 1024).map { UInt8(truncatingIfNeeded: $0 % Pattern.period) }
            try piece.withUnsafeBytes { bytes in
                while sent < Self.gibibyte {
                    let count = min(bytes.count, Self.gibibyte - sent)
                    try connection.send(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                    sent += count
                }
            }
            let response = try connection.response()
            #expect(response.status == 200)
            #expect(response.text == "bytes=\(Self.gibibyte) fnv=\(Self.hash)\n")
            expectSmall(memory)
        }
    }

    @Test(.tags(.long)) func downloadOfOneGibibyte_needsLittleMemoryAndIsRight() throws {
        try withEcho { server in
            let memory = watch(server)
            let connection = try HTTPConnection(port: server.port, timeout: 240)
            try connection.sendHead("GET", "/generate?bytes=\(Self.gibibyte)")
            let head = try connection.readHead()
            #expect(head.status == 200)
            var pattern = Pattern()
            try connection.readBody(of: head) { pattern.check($0) }
            #expect(pattern.isRight)
            #expect(pattern.count == Self.gibibyte)
            expectSmall(memory)
        }
    }

    @Test func slowClient_doesNotFillAnyMemory() throws {
        try withEcho { server in
            let memory = watch(server)
            let connection = try HTTPConnection(port: server.port, timeout: 60)
            try connection.sendHead("GET", "/generate?bytes=\(Self.gibibyte)")
            _ = try connection.readHead()
            // The client reads nothing more: the application must be held back, not the bytes kept.
            letPass(2)
            expectSmall(memory)
            connection.reset()
            try eventually("five descriptors in each process") {
                server.daemons.allSatisfy { $0.hostDescriptors.count == 5 }
            }
        }
    }

    @Test func echoOfTwentyMebibytes_isTheSameBytes() throws {
        try withEcho { server in
            let size = 20 << 20
            // The response begins before the request has been read: both directions must move at once.
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 % Pattern.period) }
            try Data(bytes).write(to: URL(fileURLWithPath: "\(server.directory)/upload"))
            let result = try server.curl(
                "--data-binary",
                "@\(server.directory)/upload",
                "--output",
                "\(server.directory)/download",
                "--header",
                "Expect:",
                server.url("/echo")
            )
            #expect(result.status == 0, "\(result.errors)")
            let back = try Data(contentsOf: URL(fileURLWithPath: "\(server.directory)/download"))
            #expect(back == Data(bytes))
        }
    }

    @Test func chunkedRequest_isReadToItsEnd() throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/echo", ["Transfer-Encoding: chunked"])
            for piece in ["hello ", "chunked ", "world"] {
                try connection.send("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n")
            }
            try connection.send("0\r\n\r\n")
            let response = try connection.response()
            #expect(response.status == 200)
            #expect(response.text == "hello chunked world")
            #expect(try connection.get("/noread").text == "not read\n")
        }
    }

    @Test func interactiveEcho_answersPieceByPiece() throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port, timeout: 30)
            try connection.sendHead("POST", "/echo", ["Transfer-Encoding: chunked"])
            try connection.send("5\r\nfirst\r\n")
            let head = try connection.readHead()
            #expect(head.status == 200)
            var pieces: [String] = []
            try connection.readBody(of: head) { bytes in
                pieces.append(String(decoding: bytes, as: UTF8.self))
                if pieces == ["first"] { try connection.send("6\r\nsecond\r\n0\r\n\r\n") }
            }
            #expect(pieces.joined() == "firstsecond")
            #expect(pieces.first == "first")
        }
    }

    @Test func answerGivenAfterAPartOfTheBody_isNotHeldBackUntilTheRest() throws {
        try withServer { server in
            try server.write("", to: "www/app/x")
            let source = """
                static const char *first(const swsgi_host *host, swsgi_exchange *exchange) {
                    char buffer[4096];
                    return host->read(exchange, buffer, sizeof buffer) == 5 ? "five" : "not five";
                }
                """
            try CFixture.compile(
                CFixture.answering("first(host, exchange)", before: source),
                to: "\(server.www)/app/app.so"
            )
            try server.start(server.application(try server.writeEntry("app", ["bundle = app.so"])))
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/", ["Content-Length: 1000"])
            try connection.send("first")
            let head = try connection.readHead()
            #expect(head.status == 200)
        }
    }

    @Test(arguments: [0, 1, 10_000, 1 << 20])
    func bodyThatIsNotRead_leavesTheConnectionUsable(size: Int) throws {
        try withEcho { server in
            let connection = try HTTPConnection(port: server.port)
            let body = [UInt8](repeating: 120, count: size)
            #expect(try connection.request("POST", "/noread", body: body).text == "not read\n")
            let again = (try? connection.get("/noread")) ?? HTTPResponse(status: 0, reason: "", headers: [], body: [])
            #expect(again.text == "not read\n")
        }
    }

    @Test func clientThatBreaksOffItsUpload_costsNothing() throws {
        try withEcho { server in
            server.announce("SWSGI4023", "SWSGI4031", "request data read error")
            for _ in 0..<10 {
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead("POST", "/count", ["Content-Length: 1000000"])
                try connection.send([UInt8](repeating: 1, count: 5000))
                connection.reset()
            }
            try eventually("five descriptors in each process") {
                server.daemons.allSatisfy { $0.hostDescriptors.count == 5 }
            }
            let load = try LoadGenerator(port: server.port, connections: 8, requests: 200, targets: ["/noread"]).wait()
            #expect(load.failures.isEmpty, "\(load)")
        }
    }

    /// A55.
    @Test func clientThatLeaves_endsTheStream() throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, options: "threads=1"))
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/generate?bytes=\(1 << 40)")
            _ = try connection.readHead()
            connection.reset()
            // The only thread must be free again.
            #expect(try server.get("/noread", timeout: 30).text == "not read\n")
        }
    }
}

/// The bytes that FixtureEcho generates.
private struct Pattern {
    static let period = 251
    private static let twice = (0..<period * 4096).map { UInt8(truncatingIfNeeded: $0 % period) }
    private(set) var count = 0
    private(set) var isRight = true

    mutating func check(_ bytes: ArraySlice<UInt8>) {
        var left = bytes
        while !left.isEmpty {
            let start = count % Pattern.period
            let piece = left.prefix(Pattern.twice.count - start)
            let same = piece.withUnsafeBytes { received in
                Pattern.twice.withUnsafeBytes { expected in
                    guard let first = received.baseAddress, let second = expected.baseAddress else { return true }
                    return memcmp(first, second + start, received.count) == 0
                }
            }
            if !same { isRight = false }
            count += piece.count
            left = left.dropFirst(piece.count)
        }
    }
}
