import Glibc
import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

/// httpd in the same process, for tests: keeps what it is given.
private final class RecordingPeer: ExchangePeer {
    var fields: [(UnsafeRawBufferPointer, UnsafeRawBufferPointer)] = []
    /// Pieces of the request body, and then its end; nil: nothing has come yet.
    var body: [[UInt8]?] = []
    var failsReading = false
    var isGone = false
    var isCancelled = false
    private(set) var messages: [Message] = []
    private(set) var lines: [String] = []
    /// How many messages there were before each read that waited.
    private(set) var waits: [Int] = []

    init(_ fields: [(String, String)] = []) {
        self.fields = fields.map { (Self.permanent($0.0), Self.permanent($0.1)) }
    }

    private static func permanent(_ text: String) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: strdup(text), count: text.utf8.count)
    }

    var fieldCount: Int { fields.count }

    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        fields.first { $0.0.elementsEqual(name) }?.1
    }

    func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        fields.indices.contains(index) ? fields[index] : nil
    }

    func take(_ frames: UnsafeRawBufferPointer, _ more: UnsafeRawBufferPointer, file: Int32) -> Bool {
        var message = Message(
            frames: (try? Reply.frames((Array(frames) + Array(more))[...])) ?? [],
            isReplyReturned: false
        )
        if file >= 0 {
            message.file = try? Memory.read(file, limit: 1 << 20)
            close(file)
        }
        messages.append(message)
        return !isGone
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> Int64? {
        if waits { self.waits.append(messages.count) }
        if failsReading { return -1 }
        guard let next = body.first else { return 0 }
        guard let piece = next else {
            body.removeFirst()
            return waits ? read(into: buffer, waits: false) : nil
        }
        body.removeFirst()
        buffer.copyBytes(from: piece)
        return Int64(piece.count)
    }

    func log(_ level: LogLevel, _ line: UnsafeRawBufferPointer) {
        lines.append("\(level.name): \(String(decoding: line, as: UTF8.self))")
    }

    var frames: [Message.Frame] { messages.flatMap(\.frames) }
}

/// The same exchanges as over a reply socket, with httpd in the same process.
@Suite struct ExchangePeerTests {
    private func answer(_ loaded: Result<Instance, any Error>, _ peer: RecordingPeer) throws {
        let start: Int64 = 1_700_000_000_000_001
        Exchange().run(try loaded.get(), peer: peer, thread: 3, requestStart: start, hasBody: !peer.body.isEmpty)
    }

    private func request(_ path: String, _ query: String = "", _ more: [(String, String)] = []) -> RecordingPeer {
        RecordingPeer([("REQUEST_METHOD", "GET"), ("PATH_INFO", path), ("QUERY_STRING", query)] + more)
    }

    @Test func smallResponse_comesInOneCall_withItsLength() throws {
        let peer = request("/")
        try answer(Loaded.versionA, peer)
        #expect(peer.messages.count == 1)
        #expect(peer.frames.map(\.kind) == [.head, .data, .end])
        let head = try Head(peer.frames[0].payload)
        #expect(head.status == 200)
        #expect(head.contentLength == 10)
        #expect(peer.frames[1].text == "version A\n")
        #expect(peer.frames[2].payload == [0])
    }

    @Test func environ_hasTheKeysOfTheRequest_ofTheInstance_andOfTheExchange() throws {
        let peer = request("/environ", "", [("HTTP_X", "a"), ("EMPTY", "")])
        try answer(Loaded.facts, peer)
        let text = peer.messages.flatMap { $0.payloads(.data) }.joined()
        let lines = String(decoding: Array(text), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.count == 5 + 9 + 5)
        #expect(lines.prefix(5) == ["REQUEST_METHOD=GET", "PATH_INFO=/environ", "QUERY_STRING=", "HTTP_X=a", "EMPTY="])
        for line in [
            "mod_wsgi.thread_id=3", "mod_wsgi.request_start=1700000000.000001", "mod_wsgi.queue_start=0.000000",
            "mod_wsgi.daemon_start=0.000000",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func requestBody_isReadStraightFromHttpd() throws {
        let peer = request("/echo", "", [("CONTENT_LENGTH", "6")])
        peer.body = [[1, 2, 3], [4, 5, 6]]
        try answer(Loaded.echo, peer)
        #expect(Array(peer.messages.flatMap { $0.payloads(.data) }.joined()) == [1, 2, 3, 4, 5, 6])
        #expect(peer.frames.last == .init(.end, [0]))
        #expect(!peer.frames.contains { $0.kind == .wantBody })
    }

    @Test func readThatMustWait_letsTheResponseGoFirst() throws {
        let peer = request("/echo", "", [("CONTENT_LENGTH", "2")])
        peer.body = [[1], nil, [2]]
        try answer(Loaded.echo, peer)
        // The first read comes before the response has begun; of the others, the one that waits comes after a message.
        #expect(peer.waits.dropFirst().allSatisfy { $0 > 0 })
        #expect(Array(peer.messages.flatMap { $0.payloads(.data) }.joined()) == [1, 2])
    }

    @Test func requestBodyThatBreaksOff_failsTheExchange() throws {
        let peer = request("/count", "", [("CONTENT_LENGTH", "5000")])
        peer.failsReading = true
        try answer(Loaded.echo, peer)
        #expect(peer.frames.last == .init(.end, [1]))
    }

    @Test func largeStream_travelsWhole() throws {
        let peer = request("/generate", "bytes=100000")
        try answer(Loaded.echo, peer)
        let data = peer.messages.flatMap { $0.payloads(.data) }.joined()
        #expect(Array(data) == (0..<100_000).map { UInt8(truncatingIfNeeded: $0 % 251) })
        #expect(peer.frames.last == .init(.end, [0]))
    }

    @Test func clientThatHasGone_endsTheStream() throws {
        let peer = request("/generate", "bytes=10000000")
        peer.isGone = true
        peer.isCancelled = true
        try answer(Loaded.echo, peer)
        #expect(peer.messages.count == 1)
    }

    @Test func errorBeforeTheHead_leavesNothingButItsOutcome_andALine() throws {
        let peer = request("/throw")
        try answer(Loaded.trouble, peer)
        #expect(peer.frames == [.init(.end, [1])])
        #expect(peer.lines.contains { $0.hasPrefix("error: ") && $0.contains("thrown before the head") })
    }

    @Test func exchange_servesBothWaysInTurn() throws {
        let exchange = Exchange(thread: 1)
        let instance = try Loaded.versionA.get()
        let head = TestRequest().head
        for _ in 0..<3 {
            let peer = request("/")
            exchange.run(instance, peer: peer, thread: 1, requestStart: 0, hasBody: false)
            #expect(peer.frames.map(\.kind) == [.head, .data, .end])
            let reply = try Reply()
            try head.withUnsafeBytes {
                exchange.run(instance, head: try ReceivedHead($0), reply: reply.far.number) { true }
            }
            #expect(try reply.receive()?.isReplyReturned == true)
        }
    }
}
