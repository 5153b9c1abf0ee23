import Foundation
import Glibc

/// What can go wrong for a client.
enum HTTPFailure: Error, Equatable, CustomStringConvertible {
    case connect(String)
    /// The connection ended before one byte of the response.
    case closedBeforeResponse
    /// The connection ended within the response.
    case truncated(received: Int)
    case timeout
    case malformed(String)

    var description: String {
        switch self {
        case .connect(let reason): "connect: \(reason)"
        case .closedBeforeResponse: "closed before the response"
        case .truncated(let received): "cut short after \(received) bytes of body"
        case .timeout: "no answer in time"
        case .malformed(let what): "malformed: \(what)"
        }
    }
}

struct HTTPResponse: Sendable {
    let status: Int
    let reason: String
    let headers: [(name: String, value: String)]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Every value of a header.
    func all(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// One connection to 127.0.0.1, with everything visible that a browser would hide.
final class HTTPConnection {
    private var socket: Int32
    private let timeout: Double
    private var buffer: [UInt8] = []
    private var start = 0
    private var chunk = [UInt8](repeating: 0, count: 256 * 1024)

    init(port: UInt16, timeout: Double = 60) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.timeout = timeout
        guard socket >= 0 else { throw HTTPFailure.connect(String(cString: strerror(errno))) }
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in.loopback(port)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw HTTPFailure.connect(String(cString: strerror(errno))) }
    }

    deinit { if socket >= 0 { close(socket) } }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// Closes with a reset, as a client does that is killed.
    func reset() {
        var off = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
        close(socket)
        socket = -1
    }

    // MARK: - Sending

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try send($0) }
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws {
        var sent = 0
        let deadline = Deadline(timeout)
        while sent < bytes.count {
            guard let base = bytes.baseAddress else { return }
            let count = Glibc.send(
                socket,
                base + sent,
                bytes.count - sent,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, until: deadline)
            } else if errno != EINTR {
                throw HTTPFailure.closedBeforeResponse
            }
        }
    }

    /// Sends a request's head; `Host` is added.
    func sendHead(_ method: String, _ target: String, _ headers: [String] = []) throws {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: localhost"] + headers
        try send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// One request, and its whole response.
    func request(
        _ method: String,
        _ target: String,
        headers: [String] = [],
        body: [UInt8]? = nil
    ) throws -> HTTPResponse {
        try sendHead(method, target, headers + (body.map { ["Content-Length: \($0.count)"] } ?? []))
        if let body { try send(body) }
        return try response(to: method)
    }

    func get(_ target: String, headers: [String] = []) throws -> HTTPResponse {
        try request("GET", target, headers: headers)
    }

    // MARK: - Receiving

    /// Reads a final response, with its body; interim ones are skipped.
    func response(to method: String = "GET") throws -> HTTPResponse {
        var head = try readHead()
        while head.status < 200 { head = try readHead() }
        var body: [UInt8] = []
        try readBody(of: head, method: method) { body.append(contentsOf: $0) }
        head.body = body
        return head
    }

    /// Reads a status line and headers, interim ones too.
    func readHead() throws -> HTTPResponse {
        var lines: [String] = []
        while true {
            let line = try readLine(first: lines.isEmpty)
            if line.isEmpty { break }
            lines.append(line)
        }
        guard let first = lines.first else { throw HTTPFailure.malformed("no status line") }
        let words = first.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw HTTPFailure.malformed("status line '\(first)'")
        }
        let headers = try lines.dropFirst().map { line -> (name: String, value: String) in
            guard let colon = line.utf8.firstIndex(of: 58) else { throw HTTPFailure.malformed("header '\(line)'") }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (String(line[..<colon]), value)
        }
        return HTTPResponse(status: status, reason: words.count > 2 ? String(words[2]) : "", headers: headers, body: [])
    }

    /// Hands the body over piece by piece, as it arrives; throws when it is not complete.
    func readBody(of head: HTTPResponse, method: String = "GET", _ take: (ArraySlice<UInt8>) throws -> Void) throws {
        if method == "HEAD" || head.status == 204 || head.status == 304 { return }
        var received = 0
        func counted(_ piece: ArraySlice<UInt8>) throws {
            received += piece.count
            try take(piece)
        }
        do {
            if head["Transfer-Encoding"]?.lowercased() == "chunked" {
                try readChunks(counted)
            } else if let length = head["Content-Length"] {
                guard let count = Int(length) else { throw HTTPFailure.malformed("Content-Length '\(length)'") }
                try readExactly(count, counted)
            } else {
                while let piece = try more() { try counted(piece) }
            }
        } catch HTTPFailure.closedBeforeResponse {
            throw HTTPFailure.truncated(received: received)
        }
    }

    /// Waits for the end of the connection; gives what came before it.
    func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try more() { bytes += piece }
        return bytes
    }

    private func readChunks(_ take: (ArraySlice<UInt8>) throws -> Void) throws {
        while true {
            let line = try readLine()
            guard let count = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw HTTPFailure.malformed("chunk size '\(line)'")
            }
            if count == 0 { break }
            try readExactly(count, take)
            guard try readLine().isEmpty else { throw HTTPFailure.malformed("no line end after a chunk") }
        }
        while try !readLine().isEmpty {}
    }

    private func readExactly(_ count: Int, _ take: (ArraySlice<UInt8>) throws -> Void) throws {
        var left = count
        while left > 0 {
            guard let piece = try more(atMost: left) else { throw HTTPFailure.closedBeforeResponse }
            left -= piece.count
            try take(piece)
        }
    }

    private func readLine(first: Bool = false) throws -> String {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 10) {
                let line = buffer[start..<end]
                start = end + 1
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            searched = buffer.count
            let had = buffer.count - start
            let moved = start
            guard try fill() else {
                throw first && had == 0 ? HTTPFailure.closedBeforeResponse : HTTPFailure.truncated(received: 0)
            }
            searched -= moved
        }
    }

    /// Bytes from the buffer, or new ones; nil at the end of the connection.
    private func more(atMost limit: Int = .max) throws -> ArraySlice<UInt8>? {
        if start == buffer.count, try !fill() { return nil }
        let end = min(buffer.count, limit == .max ? .max : start + limit)
        defer { start = end }
        return buffer[start..<end]
    }

    /// Receives once; false at the end of the connection.
    private func fill() throws -> Bool {
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        let deadline = Deadline(timeout)
        while true {
            let count = recv(socket, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                buffer.append(contentsOf: chunk[..<count])
                return true
            }
            if count == 0 || errno == ECONNRESET { return false }
            if errno == EAGAIN { try wait(for: POLLIN, until: deadline) } else if errno != EINTR { return false }
        }
    }

    private func wait(for events: Int32, until deadline: Deadline) throws {
        var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
        let ready = poll(&entry, 1, deadline.milliseconds)
        if ready == 0, deadline.hasPassed { throw HTTPFailure.timeout }
    }
}
