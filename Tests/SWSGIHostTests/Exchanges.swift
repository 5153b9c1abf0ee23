import Glibc
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

/// One message that came from an exchange.
struct Message {
    var frames: [Frame]
    var isReplyReturned: Bool
    /// What the attached file has, if there is one.
    var file: [UInt8]?

    struct Frame: Equatable {
        var kind: FrameKind
        var payload: [UInt8]

        init(_ kind: FrameKind, _ payload: [UInt8]) {
            self.kind = kind
            self.payload = payload
        }

        var text: String { String(decoding: payload, as: UTF8.self) }
    }

    func payloads(_ kind: FrameKind) -> [[UInt8]] { frames.filter { $0.kind == kind }.map(\.payload) }
}

/// A request for tests.
struct TestRequest {
    var path = "/"
    var query = ""
    var fields: [(String, String)] = []
    var hasBody = false

    var head: [UInt8] {
        var writer = ExchangeHeadWriter()
        writer.begin(
            identity: .none,
            requestStart: 1_700_000_000_000_001,
            queueStart: 1_700_000_000_500_000,
            entryFile: "/app.wsgi",
            applicationGroup: "",
            symbol: "",
            line: "GET / HTTP/1.1"
        )
        for field in [("REQUEST_METHOD", "GET"), ("PATH_INFO", path), ("QUERY_STRING", query)] + fields {
            writer.add(field.0, field.1)
        }
        writer.finish(flags: hasBody ? .body : [])
        return Array(writer.bytes)
    }
}

/// A reply socket with httpd's end in the test.
struct Reply: ~Copyable {
    let near: Descriptor
    let far: Descriptor

    /// Of messages: each send is seen as one; or a stream, as it is in truth.
    init(_ kind: Socket.Kind = .messages) throws {
        let pair = try Socket.pair(kind)
        near = pair.first
        far = pair.second
    }

    /// Sends what httpd would send.
    func send(_ frames: [Message.Frame]) throws {
        for frame in frames {
            var bytes = [UInt8](repeating: 0, count: FrameHeader.size) + frame.payload
            bytes.withUnsafeMutableBytes { FrameHeader(frame.kind, length: frame.payload.count).write(to: $0) }
            let sent = try bytes.withUnsafeBytes { try Socket.send(near.number, $0, waits: false) }
            try #require(sent == bytes.count)
        }
    }

    /// The next message, or what is there of a stream.
    func receive() throws -> Message? {
        var bytes = [UInt8](repeating: 0, count: 1024 * 1024)
        let received: Socket.Received
        do {
            received = try bytes.withUnsafeMutableBytes { try Socket.receive(near.number, into: $0, waits: false) }
        } catch let error as Errno where error.wouldBlock {
            return nil
        }
        var message = Message(frames: try Self.frames(bytes[..<received.count]), isReplyReturned: false)
        for descriptor in [received.descriptors.0, received.descriptors.1] where descriptor >= 0 {
            var mine = stat()
            var theirs = stat()
            #expect(fstat(far.number, &mine) == 0 && fstat(descriptor, &theirs) == 0)
            if mine.st_ino == theirs.st_ino { message.isReplyReturned = true }
            if theirs.st_mode & S_IFMT == S_IFREG { message.file = try Memory.read(descriptor, limit: 1 << 20) }
        }
        received.closeDescriptors()
        return message
    }

    /// All frames that are there.
    func receiveAll() throws -> Message {
        var all = Message(frames: [], isReplyReturned: false)
        while let message = try receive() {
            all.frames += message.frames
            all.isReplyReturned = all.isReplyReturned || message.isReplyReturned
        }
        return all
    }

    static func frames(_ bytes: ArraySlice<UInt8>) throws -> [Message.Frame] {
        var frames: [Message.Frame] = []
        var rest = bytes
        while !rest.isEmpty {
            let header = try rest.withUnsafeBytes { try FrameHeader($0) }
            rest = rest.dropFirst(FrameHeader.size)
            frames.append(Message.Frame(header.kind, Array(rest.prefix(header.length))))
            rest = rest.dropFirst(header.length)
        }
        return frames
    }
}

/// A response head, as httpd reads it.
struct Head: Equatable {
    var status = 0
    var reason = ""
    var contentLength: Int64?
    var headers: [String] = []

    init(_ payload: [UInt8]) throws {
        try payload.withUnsafeBytes { bytes in
            let head = try ReceivedResponseHead(bytes)
            status = head.status
            reason = String(decoding: head.reason, as: UTF8.self)
            contentLength = head.contentLength
            head.forEachHeader {
                headers.append("\(String(decoding: $0, as: UTF8.self)): \(String(decoding: $1, as: UTF8.self))")
            }
        }
    }
}
