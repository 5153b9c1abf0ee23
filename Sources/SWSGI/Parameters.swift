/// Names and values of a query string or a form, in order; names may occur more than once.
public struct Parameters: Sendable, Sequence {
    private let fields: [(name: String, value: String)]

    /// Decodes `name=value&name=value` (URL Standard, "application/x-www-form-urlencoded parsing"): `+` is a space,
    /// `%XX` a byte, and what is no UTF-8 becomes U+FFFD.
    public init(decoding text: some Collection<UInt8>) {
        fields = text.split(separator: UInt8(ascii: "&")).map { field in
            let equals = field.firstIndex(of: UInt8(ascii: "="))
            let value = equals.map { field[field.index(after: $0)...] }
            return (percentDecoded(field[..<(equals ?? field.endIndex)]), value.map { percentDecoded($0) } ?? "")
        }
    }

    /// The first value of `name`, if there is one.
    ///
    /// Names are compared exactly.
    public subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// Every value of `name`, in order.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    /// How many fields there are.
    public var count: Int { fields.count }

    /// The fields in order.
    public func makeIterator() -> some IteratorProtocol<(name: String, value: String)> { fields.makeIterator() }
}

/// Bytes with `+` as a space and `%XX` as a byte; a `%` without two hexadecimal digits stays as it is.
private func percentDecoded(_ text: some Collection<UInt8>) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = text.startIndex
    while index != text.endIndex {
        let byte = text[index]
        text.formIndex(after: &index)
        if byte == UInt8(ascii: "+") {
            bytes.append(UInt8(ascii: " "))
        } else if byte == UInt8(ascii: "%"), let (value, next) = hexadecimalPair(text, at: index) {
            bytes.append(value)
            index = next
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

private func hexadecimalPair<Text: Collection<UInt8>>(_ text: Text, at index: Text.Index) -> (UInt8, Text.Index)? {
    guard index != text.endIndex, let high = hexadecimal(text[index]) else { return nil }
    let second = text.index(after: index)
    guard second != text.endIndex, let low = hexadecimal(text[second]) else { return nil }
    return (high << 4 | low, text.index(after: second))
}

private func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
