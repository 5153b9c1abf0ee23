// Who the client is, by the headers of trusted proxies. Each proxy adds what it saw at the right end of a list.

/// How many hops are looked at.
private let hopLimit = 64

/// A node of X-Forwarded-For or of `for=` (RFC 7239, section 6): a literal address, perhaps with a port.
public struct ForwardedNode: Equatable, Sendable {
    /// The address.
    public let address: Address
    /// The port, 1 to 65535; nil: none is said.
    public let port: UInt16?
}

/// Reads a node: a literal address, which may be in brackets and have a port.
public func forwardedNode(_ text: UnsafeRawBufferPointer.SubSequence) -> ForwardedNode? {
    if let address = Address(text) { return ForwardedNode(address: address, port: nil) }
    if text.first == UInt8(ascii: "[") {
        guard let end = text.firstIndex(of: UInt8(ascii: "]")), isPort(text[(end + 1)...]) else { return nil }
        let inner = text[(text.startIndex + 1)..<end]
        guard inner.contains(UInt8(ascii: ":")), let address = Address(inner) else { return nil }
        return ForwardedNode(address: address, port: port(text[(end + 1)...]))
    }
    guard let colon = text.lastIndex(of: UInt8(ascii: ":")), isPort(text[colon...]) else { return nil }
    guard let address = Address(text[..<colon]), address.isIPv4 else { return nil }
    guard !text[..<colon].contains(UInt8(ascii: ":")) else { return nil }
    return ForwardedNode(address: address, port: port(text[colon...]))
}

/// The number after a colon, where it is one of a port.
private func port(_ text: UnsafeRawBufferPointer.SubSequence) -> UInt16? {
    UInt16(String(decoding: text.dropFirst(), as: UTF8.self)).flatMap { $0 == 0 ? nil : $0 }
}

/// Nothing, or a colon and up to five digits.
private func isPort(_ text: UnsafeRawBufferPointer.SubSequence) -> Bool {
    if text.isEmpty { return true }
    return text.first == UInt8(ascii: ":") && (2...6).contains(text.count)
        && text.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
}

/// Who the client is, and where in its header that stands.
public struct ForwardedClient: Equatable, Sendable {
    /// The client.
    public let node: ForwardedNode
    /// The byte of the header at which the client's element begins: what is before it, no trusted proxy wrote.
    public let start: Int
}

/// Walks a list of addresses from the right as long as they are trusted; the first other one is the client.
///
/// Empty elements are skipped; what is no literal address ends the walk. Nil: the list says nothing.
public func forwardedClient(
    _ list: UnsafeRawBufferPointer,
    isTrusted: (Address) -> Bool
) -> ForwardedClient? {
    var client: ForwardedClient?
    var rest = list[...]
    for _ in 0..<hopLimit {
        let comma = rest.lastIndex(of: UInt8(ascii: ","))
        let element = trimmed(rest[(comma.map { $0 + 1 } ?? rest.startIndex)...])
        if !element.isEmpty {
            guard let node = forwardedNode(element) else { return client }
            client = ForwardedClient(node: node, start: element.startIndex)
            guard isTrusted(node.address) else { return client }
        }
        guard let comma else { return client }
        rest = rest[..<comma]
    }
    return client
}

/// A view without blanks at its ends.
func trimmed(_ text: UnsafeRawBufferPointer.SubSequence) -> UnsafeRawBufferPointer.SubSequence {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var text = text
    while let first = text.first, isBlank(first) { text = text.dropFirst() }
    while let last = text.last, isBlank(last) { text = text.dropLast() }
    return text
}

/// What one element of `Forwarded` says (RFC 7239, section 4); values are without their quotes.
public struct ForwardedElement: Equatable, Sendable {
    /// `for=`: a literal address, or nil for anything else.
    public var client: ForwardedNode?
    /// `host=`, as it stands there.
    public var host: String?
    /// `proto=`, as it stands there.
    public var proto: String?
    /// The byte of the header at which it begins.
    public var start = 0
}

/// The element of a `Forwarded` header that a trusted proxy wrote about the client.
///
/// Nil when the header is not of the form of RFC 7239, as a whole: then nothing of it is believed.
public func forwardedElement(
    _ header: UnsafeRawBufferPointer,
    isTrusted: (Address) -> Bool
) -> ForwardedElement? {
    guard let elements = forwardedElements(header) else { return nil }
    var found: ForwardedElement?
    for element in elements.reversed().prefix(hopLimit) {
        guard let client = element.client else { return found ?? element }
        found = element
        guard isTrusted(client.address) else { break }
    }
    return found
}

/// All elements of a `Forwarded` header, or nil when its form is wrong.
func forwardedElements(_ header: UnsafeRawBufferPointer) -> [ForwardedElement]? {
    var scanner = ForwardedScanner(rest: header[...])
    var elements: [ForwardedElement] = []
    while true {
        scanner.skipBlanks()
        if scanner.take(UInt8(ascii: ",")) { continue }
        if scanner.rest.isEmpty { return elements }
        guard let element = scanner.element() else { return nil }
        elements.append(element)
        scanner.skipBlanks()
        guard scanner.rest.isEmpty || scanner.take(UInt8(ascii: ",")) else { return nil }
    }
}

private struct ForwardedScanner {
    var rest: UnsafeRawBufferPointer.SubSequence

    mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    mutating func skipBlanks() {
        while take(0x20) || take(0x09) {}
    }

    mutating func element() -> ForwardedElement? {
        var element = ForwardedElement()
        element.start = rest.startIndex
        repeat {
            skipBlanks()
            // A pair may be missing, at either end too.
            guard let next = rest.first, next != UInt8(ascii: ";"), next != UInt8(ascii: ",") else { continue }
            guard let name = token(), take(UInt8(ascii: "=")), let value = value() else { return nil }
            value.withUnsafeBytes { bytes in
                switch name {
                case "for": element.client = forwardedNode(bytes[...])
                case "host": element.host = String(decoding: bytes, as: UTF8.self)
                case "proto": element.proto = String(decoding: bytes, as: UTF8.self)
                default: break
                }
            }
            skipBlanks()
        } while take(UInt8(ascii: ";"))
        return element
    }

    /// A parameter's name, in lower case.
    private mutating func token() -> String? {
        let name = rest.prefix { isTokenByte($0) }
        guard !name.isEmpty else { return nil }
        rest = rest.dropFirst(name.count)
        return String(decoding: name.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private mutating func value() -> [UInt8]? {
        guard take(UInt8(ascii: "\"")) else {
            // Colons and brackets belong in quotes, and are often sent without.
            let value = rest.prefix { isTokenByte($0) || $0 == 0x3a || $0 == 0x5b || $0 == 0x5d }
            rest = rest.dropFirst(value.count)
            return value.isEmpty ? nil : Array(value)
        }
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return value }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            } else {
                value.append(byte)
            }
        }
        return nil
    }
}

/// RFC 9110, section 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
    default: false
    }
}
