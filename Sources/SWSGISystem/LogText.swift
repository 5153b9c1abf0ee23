internal import Glibc

/// Text that may stand in a log line, whoever wrote it.
public enum LogText {
    /// UTF-8 in which nothing can end the line or steer a terminal: control characters but tab, and bytes that are not UTF-8,
    /// become \xHH, as httpd writes them.
    public static func escaped(_ bytes: some Collection<UInt8>) -> String {
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

    /// The time as httpd writes it at the beginning of a line.
    public static func time() -> String {
        let now = Clock.wall
        var seconds = time_t(now / 1_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let micros = String(now % 1_000_000 + 1_000_000).dropFirst()
        return "\(format("%a %b %d %H:%M:%S", &parts)).\(micros) \(parts.tm_year + 1900)"
    }

    /// The time zone of our environment, for that of programs that write into the same log: TZ=..., or nothing.
    public static var zone: [String] { getenv("TZ").map { ["TZ=\(String(cString: $0))"] } ?? [] }

    private static func format(_ pattern: String, _ parts: inout tm) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress, strftime(start, buffer.count, pattern, &parts) > 0 else { return "" }
            return String(cString: start)
        }
    }
}
