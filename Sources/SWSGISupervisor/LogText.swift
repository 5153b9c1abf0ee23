/// Cuts what comes through a pipe into lines of a bounded length.
struct LineSplitter {
    /// Bytes of a line; longer ones become several.
    static let limit = 8192

    private var partial: [UInt8] = []

    /// Adds bytes and returns the lines that they complete.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(take())
            } else {
                if partial.count == Self.limit { lines.append(take()) }
                partial.append(byte)
            }
        }
        return lines
    }

    /// What is left without a newline, or nil.
    mutating func finish() -> String? {
        partial.isEmpty ? nil : take()
    }

    private mutating func take() -> String {
        defer { partial.removeAll(keepingCapacity: true) }
        if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
        return LogText.escaped(partial)
    }
}

/// Text that may stand in a log line, whoever wrote it.
enum LogText {
    /// UTF-8 in which nothing can end the line or steer a terminal: control characters but tab, and bytes that are not UTF-8,
    /// become \xHH, as httpd writes them.
    static func escaped(_ bytes: some Collection<UInt8>) -> String {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return String(decoding: bytes, as: UTF8.self) }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 16)
        var rest = bytes[...]
        while let first = rest.first {
            let length = validLength(rest)
            let character = rest.prefix(max(length, 1))
            if length == 0 || isControl(first, character.dropFirst().first) {
                for byte in character { append(byte, to: &text) }
            } else {
                text.append(contentsOf: character)
            }
            rest = rest.dropFirst(max(length, 1))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// C0 but tab, DEL, and C1 in its two bytes.
    private static func isControl(_ first: UInt8, _ second: UInt8?) -> Bool {
        if first < 0x20 { return first != UInt8(ascii: "\t") }
        if first == 0x7f { return true }
        guard first == 0xc2, let second else { return false }
        return second < 0xa0
    }

    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        text += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// Bytes of the character that begins here; 0 when none does.
    private static func validLength(_ bytes: some Collection<UInt8>) -> Int {
        guard let first = bytes.first else { return 0 }
        let length =
            switch first {
            case 0..<0x80: 1
            case 0xc2..<0xe0: 2
            case 0xe0..<0xf0: 3
            case 0xf0..<0xf5: 4
            default: 0
            }
        let character = Array(bytes.prefix(length))
        guard length > 1, character.count == length else { return length == 1 ? 1 : 0 }
        return String(validating: character, as: UTF8.self) == nil ? 0 : length
    }
}
