internal import Glibc

// The head of an exchange: one message on a process group's queue, with the reply end attached.
//
//     0  magic UInt32 | version UInt16 | flags UInt16 | bytes in all UInt32 | environ fields UInt32
//    16  request start Int64 | queue start Int64             microseconds since 1970
//    32  entry file: device UInt64 | inode UInt64 | size Int64 | modified Int64 | changed Int64
//    72  lengths of: entry file path, application group, symbol, request line (UInt32 each)
//    88  place in the group's `TakersPage` UInt32
//    92  the four texts, each followed by a NUL
//        then for each environ field: name length UInt32 | value length UInt32 | name NUL value NUL
//
// A head larger than `ExchangeHead.messageLimit` travels in sealed memory attached beside the reply end; the message is then
// the first 64 bytes alone, with `Flags.inMemory`. Host byte order: both ends are processes of one machine.

/// What a head says beside the environ.
///
/// Computed, as a constant of another module is looked up by a call that checks whether it has been made.
public struct ExchangeFlags: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt16

    /// Flags from bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Code older than the entry file's identity must not answer without asking for its replacement.
    public static var reloading: ExchangeFlags { ExchangeFlags(rawValue: 1) }
    /// This exchange has waited for new code: only that may answer.
    public static var fresh: ExchangeFlags { ExchangeFlags(rawValue: 2) }
    /// New code could not be had: the old may answer.
    public static var staleAccepted: ExchangeFlags { ExchangeFlags(rawValue: 4) }
    /// The request has a body.
    public static var body: ExchangeFlags { ExchangeFlags(rawValue: 8) }
    /// The rest of the head is in attached memory.
    public static var inMemory: ExchangeFlags { ExchangeFlags(rawValue: 16) }
    /// httpd wants to know when the application is about to run: a TAKEN frame, without which it must not.
    public static var announced: ExchangeFlags { ExchangeFlags(rawValue: 32) }
    /// This exchange is no activity for inactivity-timeout.
    public static var isNoActivity: ExchangeFlags { ExchangeFlags(rawValue: 64) }
}

/// Limits and places of a head's parts.
public enum ExchangeHead {
    /// Bytes that one message on the queue may have.
    public static let messageLimit = 64 * 1024
    /// Bytes that a head may have in all.
    public static let limit = 16 * 1024 * 1024
    /// Environ fields that a head may have.
    public static let fieldLimit = 65_536

    static let magic: UInt32 = 0x4753_5753
    static let version: UInt16 = 2
    static let fixedSize = 92
    static let memorySize = 64
}

/// Writes a head into a buffer that is used again for the next one; grows it when needed.
public struct ExchangeHeadWriter: ~Copyable {
    private var storage: UnsafeMutableRawBufferPointer
    private var count = 0
    private var fields: UInt32 = 0

    /// A writer with room for a usual head.
    public init() {
        storage = .allocate(byteCount: ExchangeHead.messageLimit, alignment: 8)
    }

    deinit {
        storage.deallocate()
    }

    /// What has been written since `begin`; `finish` makes it complete.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[0..<count]) }

    /// The message to send when the head itself travels in memory.
    public var memoryMessage: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: storage[0..<ExchangeHead.memorySize])
    }

    /// Whether the head is too large for a message.
    public var needsMemory: Bool { count > ExchangeHead.messageLimit }

    /// Whether the head is larger than any reader takes.
    public var isTooLarge: Bool { count > ExchangeHead.limit || fields > ExchangeHead.fieldLimit }

    /// Starts a new head; `place` is where the process that takes the exchange writes its number, 0: nowhere.
    public mutating func begin(
        identity: FileIdentity,
        requestStart: Int64,
        queueStart: Int64,
        place: UInt32 = 0,
        entryFile: UnsafePointer<CChar>,
        applicationGroup: UnsafePointer<CChar>,
        symbol: UnsafePointer<CChar>,
        line: UnsafePointer<CChar>
    ) {
        count = ExchangeHead.fixedSize
        fields = 0
        put(ExchangeHead.magic, at: 0)
        put(ExchangeHead.version, at: 4)
        put(requestStart, at: 16)
        put(queueStart, at: 24)
        put(identity.device, at: 32)
        put(identity.inode, at: 40)
        put(identity.size, at: 48)
        put(identity.modified, at: 56)
        put(identity.changed, at: 64)
        put(append(entryFile), at: 72)
        put(append(applicationGroup), at: 76)
        put(append(symbol), at: 80)
        put(append(line), at: 84)
        put(place, at: 88)
    }

    /// Adds an environ field.
    public mutating func add(_ name: UnsafePointer<CChar>, _ value: UnsafePointer<CChar>) {
        let place = count
        reserve(8)
        count += 8
        put(append(name), at: place)
        put(append(value), at: place + 4)
        fields += 1
    }

    /// Sets the numbers that are known only at the end.
    public mutating func finish(flags: ExchangeFlags) {
        put((needsMemory ? flags.union(.inMemory) : flags).rawValue, at: 6)
        put(UInt32(truncatingIfNeeded: count), at: 8)
        put(fields, at: 12)
    }

    private mutating func append(_ text: UnsafePointer<CChar>) -> UInt32 {
        let length = strlen(text)
        reserve(length + 1)
        storage.baseAddress?.advanced(by: count).copyMemory(from: text, byteCount: length + 1)
        count += length + 1
        return UInt32(truncatingIfNeeded: length)
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > storage.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: (count + more) * 2, alignment: 8)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[0..<count]))
        storage.deallocate()
        storage = larger
    }

    private func put<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        storage.storeBytes(of: number, toByteOffset: offset, as: Number.self)
    }
}

/// A received head: a checked view of bytes that must outlive it.
///
/// Nothing is copied but the places of the fields.
public struct ReceivedHead {
    /// Flags of the exchange.
    public let flags: ExchangeFlags
    /// The entry file's identity, as httpd saw it.
    public let identity: FileIdentity
    /// When httpd read the request, in microseconds since 1970.
    public let requestStart: Int64
    /// When httpd put the exchange on the queue, in microseconds since 1970.
    public let queueStart: Int64
    /// Where the process that takes the exchange writes its number; any value is possible.
    public let place: UInt32
    /// The entry file's path; like all texts here followed by a NUL.
    public let entryFile: UnsafeRawBufferPointer
    /// The application group; empty for `%{GLOBAL}`.
    public let applicationGroup: UnsafeRawBufferPointer
    /// The name of the exported function.
    public let symbol: UnsafeRawBufferPointer
    /// The request line, for log lines.
    public let line: UnsafeRawBufferPointer
    /// How many environ fields follow.
    public let fieldCount: Int
    private let fields: UnsafeRawBufferPointer

    /// The length that a message with `inMemory` announces, or nil when the head is in the message itself.
    public static func memoryLength(of message: UnsafeRawBufferPointer) throws(Malformed) -> Int? {
        guard message.count >= ExchangeHead.memorySize else { throw Malformed("head of \(message.count) bytes") }
        guard message.loadUnaligned(as: UInt32.self) == ExchangeHead.magic else {
            throw Malformed("wrong magic number")
        }
        guard message.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == ExchangeHead.version else {
            throw Malformed("unknown version")
        }
        let flags = ExchangeFlags(rawValue: message.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        guard flags.contains(.inMemory) else { return nil }
        let length = Int(message.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard length >= ExchangeHead.fixedSize, length <= ExchangeHead.limit else {
            throw Malformed("head of \(length) bytes")
        }
        return length
    }

    /// Checks a whole head: every length and every NUL.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        _ = try Self.memoryLength(of: bytes)
        var reader = ByteReader(bytes)
        _ = try reader.read(count: 6)
        flags = ExchangeFlags(rawValue: try reader.read())
        guard try reader.read(UInt32.self) == UInt32(bytes.count) else { throw Malformed("wrong length") }
        fieldCount = Int(try reader.read(UInt32.self))
        guard fieldCount <= ExchangeHead.fieldLimit else { throw Malformed("\(fieldCount) environ fields") }
        requestStart = try reader.read()
        queueStart = try reader.read()
        identity = FileIdentity(
            device: try reader.read(),
            inode: try reader.read(),
            size: try reader.read(),
            modified: try reader.read(),
            changed: try reader.read()
        )
        let lengths = (
            try reader.read(UInt32.self), try reader.read(UInt32.self), try reader.read(UInt32.self),
            try reader.read(UInt32.self)
        )
        place = try reader.read()
        entryFile = try Self.text(&reader, lengths.0)
        applicationGroup = try Self.text(&reader, lengths.1)
        symbol = try Self.text(&reader, lengths.2)
        line = try Self.text(&reader, lengths.3)
        fields = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - reader.remaining)...])
        for _ in 0..<fieldCount {
            let name = try reader.read(UInt32.self)
            let value = try reader.read(UInt32.self)
            _ = try Self.text(&reader, name)
            _ = try Self.text(&reader, value)
        }
        try reader.finish()
    }

    private static func text(_ reader: inout ByteReader, _ length: UInt32) throws(Malformed) -> UnsafeRawBufferPointer {
        let bytes = try reader.read(count: Int(length) + 1)
        guard bytes[Int(length)] == 0 else { throw Malformed("text without an end") }
        return UnsafeRawBufferPointer(rebasing: bytes[0..<Int(length)])
    }

    /// Looks an environ field up.
    public func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var offset = 0
        for _ in 0..<fieldCount {
            let lengths = fieldLengths(at: offset)
            if lengths.name == name.count, isEqual(name, at: offset + 8) {
                let start = offset + 8 + lengths.name + 1
                return UnsafeRawBufferPointer(rebasing: fields[start..<start + lengths.value])
            }
            offset += 8 + lengths.name + 1 + lengths.value + 1
        }
        return nil
    }

    /// The environ field at `index`, in the server's order.
    public func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard index >= 0, index < fieldCount else { return nil }
        var offset = 0
        for _ in 0..<index {
            let lengths = fieldLengths(at: offset)
            offset += 8 + lengths.name + 1 + lengths.value + 1
        }
        let lengths = fieldLengths(at: offset)
        let value = offset + 8 + lengths.name + 1
        return (
            UnsafeRawBufferPointer(rebasing: fields[offset + 8..<offset + 8 + lengths.name]),
            UnsafeRawBufferPointer(rebasing: fields[value..<value + lengths.value])
        )
    }

    private func isEqual(_ name: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard let bytes = name.baseAddress, let own = fields.baseAddress else { return name.isEmpty }
        return memcmp(bytes, own + offset, name.count) == 0
    }

    private func fieldLengths(at offset: Int) -> (name: Int, value: Int) {
        (
            Int(fields.loadUnaligned(fromByteOffset: offset, as: UInt32.self)),
            Int(fields.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
        )
    }
}
