import CSWSGI
import Glibc
import Synchronization

/// One request and its response, from the host's call of `respond` until its return.
///
/// Everything that the application gets for a request refers to this object, and nothing but this object knows the
/// host's exchange. When `respond` returns, the object forgets it: what the application has kept is then harmless.
/// The types that hold it are not Sendable: it belongs to one thread at a time. Code that gets around that meets an
/// error (`inUse`), not torn memory: what changes the object takes it for itself first, at the cost of one atomic
/// exchange and one store.
final class Exchange {
    /// The host's table, which lives as long as the process.
    let host: UnsafePointer<swsgi_host>

    /// The host's exchange; nil when the request is over.
    var pointer: OpaquePointer? { OpaquePointer(bitPattern: place.load(ordering: .relaxed)) }

    // Atomic for those who ask in another thread, against the contract, while the request ends.
    private let place: Atomic<UInt>

    /// How far the head of the response has come.
    var head = Head.none

    /// The first thing that went wrong and that makes the whole response fail.
    var failure: (any Error)?

    /// What was read of the request body and not yet asked for.
    var input = InputBuffer()

    /// Beginnings of lines that the application has not ended yet.
    var unfinishedLines = UnfinishedLines()

    /// Whether some thread is changing the object.
    private let isTaken = Atomic<Bool>(false)

    init(host: UnsafePointer<swsgi_host>, pointer: OpaquePointer) {
        self.host = host
        place = Atomic(UInt(bitPattern: pointer))
    }

    /// Takes the host's exchange away, at the end of `respond`.
    func end() {
        afterOthers {
            endLines()
            place.store(0, ordering: .relaxed)
            head = .none
            input = InputBuffer()
        }
    }

    /// Takes the object for changes; false if another thread has it.
    func take() -> Bool {
        isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    /// Gives the object back.
    func release() { isTaken.store(false, ordering: .releasing) }

    /// Calls `work` when no other thread is in the middle of a call, which none should be.
    func afterOthers<Result>(_ work: () throws -> Result) rethrows -> Result {
        var tries = 0
        while !take() {
            tries += 1
            if tries.isMultiple(of: 1000) { usleep(1000) }
        }
        defer { release() }
        return try work()
    }

    /// Whether nobody waits for the response any more; also when the request is over.
    var isCancelled: Bool {
        guard let pointer else { return true }
        return host.pointee.cancelled(pointer) != 0
    }

    /// Throws if nobody waits for the response any more.
    func checkCancellation() throws(ExchangeError) {
        if isCancelled { throw ExchangeError(.clientGone, "client connection closed") }
    }

    /// Logs what has been begun and not ended, for a caller that has taken the object.
    func endLines() {
        for (level, text) in unfinishedLines.take() { log(level, text) }
    }

    /// Writes to the error log of the request's virtual host, or to that of the process group when the request is over.
    func log(_ level: LogLevel, _ text: String) {
        text.withChunkBytes { bytes in
            host.pointee.log(
                host,
                pointer,
                level.rawValue,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count
            )
        }
    }
}

// The environ.
extension Exchange {
    /// The bytes of an environ value, which live until the request is over.
    func value(of name: String) -> UnsafeRawBufferPointer? {
        guard let pointer else { return nil }
        var name = name
        return name.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else { return nil }
                return value(pointer, start, characters.count)
            }
        }
    }

    /// As `value(of:)`, for a name made on the way: `prefix` and then `name` in upper case with `_` for `-`.
    func value(ofHeader name: String, prefix: StaticString) -> UnsafeRawBufferPointer? {
        guard let pointer else { return nil }
        let capacity = prefix.utf8CodeUnitCount + name.utf8.count
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            for index in 0..<prefix.utf8CodeUnitCount {
                buffer[index] = CChar(bitPattern: prefix.utf8Start[index])
            }
            let bytes = name.utf8.span
            for index in bytes.indices {
                buffer[prefix.utf8CodeUnitCount + index] = CChar(bitPattern: environByte(bytes[index]))
            }
            return value(pointer, start, capacity)
        }
    }

    private func value(_ pointer: OpaquePointer, _ name: UnsafePointer<CChar>, _ length: Int) -> UnsafeRawBufferPointer?
    {
        var value = swsgi_text()
        guard host.pointee.environ_get(pointer, name, length, &value) > 0 else { return nil }
        return UnsafeRawBufferPointer(start: value.bytes, count: value.length)
    }

    /// How many environ keys there are; 0 when the request is over.
    var valueCount: Int {
        guard let pointer else { return 0 }
        return host.pointee.environ_count(pointer)
    }

    /// The environ key and value at `index`.
    func entry(at index: Int) -> (name: String, value: String)? {
        guard let pointer else { return nil }
        var name = swsgi_text()
        var value = swsgi_text()
        guard host.pointee.environ_at(pointer, index, &name, &value) > 0 else { return nil }
        return (String(name), String(value))
    }
}

/// How a byte of a header's name is written in the environ.
private func environByte(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "-"): UInt8(ascii: "_")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
    default: byte
    }
}

extension String {
    /// Text of the host; what is no UTF-8 becomes U+FFFD.
    init(_ text: swsgi_text) {
        self.init(decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.length), as: UTF8.self)
    }
}
