import Glibc
import SWSGIConfiguration
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire
import Testing

/// Numbers that look random and are the same in every run.
struct FixedRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 32) | (state << 32)
    }

    mutating func text(of letters: String, upTo limit: Int) -> String {
        String((0..<Int.random(in: 0...limit, using: &self)).compactMap { _ in letters.randomElement(using: &self) })
    }

    mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// The problem that `body` ends with, or nil.
func problem(_ body: () throws(Problem) -> Void) -> Problem? {
    do throws(Problem) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The writing end of a pipe, to give away, and whether all its copies have been closed.
struct Tracer: ~Copyable {
    private let reading: Descriptor

    /// The end to give away.
    let writing: Int32

    init() throws {
        let pipe = try Descriptor.pipe(nonBlockingRead: true)
        writing = dup(pipe.writing.number)
        reading = pipe.reading
    }

    var isClosed: Bool {
        var poll = pollfd(fd: reading.number, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0 && Int32(poll.revents) & POLLHUP != 0
    }
}

/// Sends bytes that a socket has room for.
func send(_ socket: Int32, _ bytes: [UInt8], _ descriptors: (Int32, Int32) = (-1, -1)) throws {
    let sent = try bytes.withUnsafeBytes { try Socket.send(socket, $0, descriptors: descriptors, waits: false) }
    try #require(sent == bytes.count)
}

/// Receives what is there.
func receive(_ socket: Int32) throws -> (bytes: [UInt8], descriptors: (Int32, Int32)) {
    var bytes = [UInt8](repeating: 0, count: 100_000)
    let received = try bytes.withUnsafeMutableBytes { try Socket.receive(socket, into: $0, waits: false) }
    return (Array(bytes[..<received.count]), received.descriptors)
}

/// The bytes of a frame.
func frame(_ kind: FrameKind, _ payload: [UInt8]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: FrameHeader.size) + payload
    bytes.withUnsafeMutableBytes { FrameHeader(kind, length: payload.count).write(to: $0) }
    return bytes
}

/// Whether two descriptors are of one file or socket.
func isSame(_ left: Int32, _ right: Int32) -> Bool {
    var first = stat()
    var second = stat()
    return fstat(left, &first) == 0 && fstat(right, &second) == 0 && first.st_ino == second.st_ino
        && first.st_dev == second.st_dev
}
