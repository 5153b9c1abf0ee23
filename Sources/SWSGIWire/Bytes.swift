/// Received bytes that don't have the form they should have.
public struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, for a log line.
    public let description: String
    /// Whether what came has its form, but not at this place among the rest.
    public let isOutOfOrder: Bool

    /// An error that says what is wrong.
    public init(_ description: String, isOutOfOrder: Bool = false) {
        self.description = description
        self.isOutOfOrder = isOutOfOrder
    }
}

/// Builds a message: little-endian numbers, texts with their length in front.
public struct ByteWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    /// An empty message.
    public init() {}

    /// Adds a number in its own width.
    public mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Adds a text: its length in bytes (UInt32), then UTF-8.
    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(UInt32(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    /// Adds a text that may be absent.
    public mutating func write(_ text: String?) {
        write(UInt8(text == nil ? 0 : 1))
        if let text { write(text) }
    }

    /// Adds a list: its count (UInt32), then each element by `each`.
    public mutating func write<Element>(_ list: [Element], each: (inout ByteWriter, Element) -> Void) {
        write(UInt32(list.count))
        for element in list { each(&self, element) }
    }
}

/// Reads a message, never past its end.
public struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// A reader at the start of `bytes`, which must outlive it.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Bytes not read yet.
    public var remaining: Int { bytes.count - position }

    /// Takes the next number.
    public mutating func read<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(Malformed) -> Number
    {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw Malformed("ends inside a number") }
        let number = bytes.loadUnaligned(fromByteOffset: position, as: Number.self)
        position += size
        return Number(littleEndian: number)
    }

    /// Takes the next `count` bytes.
    public mutating func read(count: Int) throws(Malformed) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw Malformed("ends inside \(count) bytes") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// Takes the next text; a longer one than `limit` bytes is an error.
    public mutating func readText(limit: Int) throws(Malformed) -> String {
        let count = try Int(read(UInt32.self))
        guard count <= limit else { throw Malformed("text of \(count) bytes, more than \(limit)") }
        return String(decoding: try read(count: count), as: UTF8.self)
    }

    /// Takes the next text that may be absent.
    public mutating func readOptionalText(limit: Int) throws(Malformed) -> String? {
        try read(UInt8.self) == 0 ? nil : try readText(limit: limit)
    }

    /// Takes a list of at most `limit` elements.
    public mutating func readList<Element>(
        limit: Int,
        each: (inout ByteReader) throws(Malformed) -> Element
    ) throws(Malformed) -> [Element] {
        let count = try Int(read(UInt32.self))
        guard count <= limit else { throw Malformed("list of \(count), more than \(limit)") }
        var list: [Element] = []
        for _ in 0..<count { list.append(try each(&self)) }
        return list
    }

    /// Insists that everything has been read.
    public func finish() throws(Malformed) {
        guard remaining == 0 else { throw Malformed("\(remaining) bytes too many") }
    }
}
