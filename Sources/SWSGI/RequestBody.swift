import CSWSGI

/// What was read from the host and not yet given to the application.
struct InputBuffer {
    var bytes: [UInt8] = []
    var start = 0
    /// Set when reading has failed: nothing after that can be trusted.
    var isBroken = false

    var available: Int { bytes.count - start }

    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let taken = bytes[start..<start + count]
        start += count
        return taken
    }
}

/// The body of a request (`wsgi.input`), read as it arrives.
///
/// Reading past its end is safe and gives nothing.
///
/// Every read throws `ExchangeError`: `inputFailed` or `clientGone` when the body could not be read to its end, after
/// which no read succeeds, and `completed` when the request is over.
public struct RequestBody {
    let exchange: Exchange

    /// Bytes that are read at once at most.
    private static let most = 1 << 20

    /// Reads into `buffer`; waits for at least one byte.
    ///
    /// Returns how many bytes it read, 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(ExchangeError) -> Int {
        guard exchange.take() else { throw ExchangeError.inUse }
        defer { exchange.release() }
        return try readTaken(into: buffer)
    }

    /// Reads when the exchange has been taken.
    private func readTaken(into buffer: UnsafeMutableRawBufferPointer) throws(ExchangeError) -> Int {
        guard let pointer = exchange.pointer else {
            throw ExchangeError(.completed, "read() called on request body after request completed")
        }
        guard !exchange.input.isBroken else {
            throw ExchangeError(.inputFailed, "request data read error: input is already in error state")
        }
        guard let start = buffer.baseAddress, !buffer.isEmpty else { return 0 }
        if exchange.input.available > 0 {
            let taken = exchange.input.take(min(buffer.count, exchange.input.available))
            buffer.copyBytes(from: taken)
            return taken.count
        }
        let count = exchange.host.pointee.read(pointer, start, buffer.count)
        if count >= 0 { return min(Int(count), buffer.count) }
        exchange.input.isBroken = true
        try exchange.check(Int32(truncatingIfNeeded: count))
        throw ExchangeError(.inputFailed, "request data read error")
    }

    /// Reads up to `count` bytes, as many as have arrived; waits for at least one.
    ///
    /// Fewer than `count` are no sign of the end: `read(exactly:)` waits for all of them. Empty at the end. However large the number, no more than 1 MiB is read at once; with a number below 1, nothing.
    public func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        guard exchange.take() else { throw ExchangeError.inUse }
        defer { exchange.release() }
        return try readTaken(upTo: count)
    }

    private func readTaken(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        var failure: ExchangeError?
        let bytes = [UInt8](unsafeUninitializedCapacity: min(max(count, 0), Self.most)) { buffer, initialized in
            do throws(ExchangeError) {
                initialized = try readTaken(into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads `count` bytes, however many pieces they arrive in.
    ///
    /// Throws `inputTooShort` if the body ends before; what was left of it can still be read then. With a number below 1,
    /// nothing is read. Memory grows with what arrives: a number that the client has named may be a lie, and needs a limit
    /// of the application's own.
    public func read(exactly count: Int) throws(ExchangeError) -> [UInt8] {
        guard exchange.take() else { throw ExchangeError.inUse }
        defer { exchange.release() }
        var bytes = try readTaken(upTo: count)
        while bytes.count < count {
            let piece = try readTaken(upTo: count - bytes.count)
            guard !piece.isEmpty else {
                let there = bytes.count
                exchange.input.bytes = bytes
                exchange.input.start = 0
                throw ExchangeError(.inputTooShort, "request body ends after \(there) of \(count) bytes")
            }
            bytes += piece
        }
        return bytes
    }

    /// Reads a line with its line feed; the last one may have none.
    ///
    /// A line longer than `limit` bytes comes in pieces of that size. Nil at the end.
    public func readLine(limit: Int = 65536) throws(ExchangeError) -> [UInt8]? {
        guard exchange.take() else { throw ExchangeError.inUse }
        defer { exchange.release() }
        let limit = max(limit, 1)
        var searched = 0
        while true {
            let buffered = exchange.input.bytes[exchange.input.start...]
            if let end = buffered.dropFirst(searched).prefix(limit - searched).firstIndex(of: UInt8(ascii: "\n")) {
                return [UInt8](exchange.input.take(end + 1 - buffered.startIndex))
            }
            if buffered.count >= limit { return [UInt8](exchange.input.take(limit)) }
            searched = buffered.count
            guard try readMore() else {
                let rest = [UInt8](exchange.input.take(exchange.input.available))
                return rest.isEmpty ? nil : rest
            }
        }
    }

    /// Calls `body` with each line of what is left, with its line feed; the last one may have none.
    ///
    /// A line longer than `limit` bytes comes in pieces of that size.
    public func forEachLine(limit: Int = 65536, _ body: ([UInt8]) throws -> Void) throws {
        while let line = try readLine(limit: limit) { try body(line) }
    }

    /// Reads everything that is left.
    ///
    /// Throws `inputTooLarge` if that is more than `limit` bytes, without reading a body whose Content-Length says so.
    public func readAll(limit: Int) throws(ExchangeError) -> [UInt8] {
        let announced = exchange.value(of: "CONTENT_LENGTH").flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        var bytes: [UInt8] = []
        if announced <= limit { bytes.reserveCapacity(min(max(announced, 0), Self.most)) }
        while announced <= limit {
            // One byte more than allowed, so as to see whether there is more.
            let piece = try read(upTo: min(65535, limit - bytes.count) + 1)
            if piece.isEmpty { return bytes }
            bytes += piece
            if bytes.count > limit { break }
        }
        throw ExchangeError(.inputTooLarge, "request body is larger than \(limit) bytes")
    }

    /// Calls `body` with each piece of what is left, at most `size` bytes (and 1 MiB) long and valid only during the call.
    public func forEachChunk(
        of size: Int = 65536,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try withUnsafeTemporaryAllocation(byteCount: min(max(size, 1), Self.most), alignment: 1) { buffer in
            while case let count = try read(into: buffer), count > 0 {
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// Adds a piece to the buffer; false at the end.
    private func readMore() throws(ExchangeError) -> Bool {
        let kept = exchange.input
        exchange.input.bytes = []
        exchange.input.start = 0
        defer {
            exchange.input.bytes = kept.bytes[kept.start...] + exchange.input.bytes
            exchange.input.start = 0
        }
        exchange.input.bytes = try readTaken(upTo: 8192)
        return !exchange.input.bytes.isEmpty
    }
}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension RequestBody: Sendable {}
