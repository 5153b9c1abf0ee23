internal import SWSGIWire

/// What the headers of proxies change in a request's environ.
///
/// Source: mod_wsgi's directives `WSGITrustedProxyHeaders` and `WSGITrustedProxies`; RFC 7239.
public struct ProxyOverrides: Equatable, Sendable {
    /// REMOTE_ADDR.
    public private(set) var client: String?
    /// REMOTE_PORT; nil beside a client: the header does not say it.
    public private(set) var clientPort: UInt16?
    /// HTTP_X_FORWARDED_FOR without what no trusted proxy wrote; nil: it stays as it is.
    public private(set) var forwardedFor: String?
    /// HTTP_FORWARDED without what no trusted proxy wrote; nil: it stays as it is.
    public private(set) var forwarded: String?
    /// HTTP_HOST.
    public private(set) var host: String?
    /// SERVER_NAME.
    public private(set) var server: String?
    /// SERVER_PORT.
    public private(set) var port: String?
    /// SCRIPT_NAME, and mod_wsgi.mount_point.
    public private(set) var script: String?
    /// wsgi.url_scheme.
    public private(set) var isSecure: Bool?
    private var dropped: UInt32 = 0

    /// Whether a header is to be kept from the application.
    public func drops(_ header: ProxyHeader) -> Bool { dropped & Self.bit(header) != 0 }

    private static func bit(_ header: ProxyHeader) -> UInt32 { 1 << UInt32(header.rawValue) }

    /// Reads the declared headers of a trusted peer; of any other peer, believes none of their categories.
    ///
    /// Of a category only the header that was used, the first declared one that is there, stays in the environ: a proxy
    /// that sets one header passes the others on as a client wrote them. Of a list the part stays that trusted proxies wrote.
    ///
    /// - Parameters:
    ///   - declared: the headers of `WSGITrustedProxyHeaders`, in their order.
    ///   - peer: the address that the connection comes from.
    ///   - isTrusted: whether an address is that of a trusted proxy.
    ///   - value: gives a header's value.
    public init(
        declared: [ProxyHeader],
        peer: Address?,
        isTrusted: (Address) -> Bool,
        value: (ProxyHeader) -> UnsafeRawBufferPointer?
    ) {
        let controlled = declared.reduce(into: ProxyHeader.Category()) { $0.formUnion($1.categories) }
        for header in ProxyHeader.allCases where !header.categories.isDisjoint(with: controlled) {
            dropped |= Self.bit(header)
        }
        guard let peer, isTrusted(peer) else { return }
        var open = controlled
        for header in declared where !header.categories.isDisjoint(with: open) {
            guard let value = value(header), apply(header, value, to: open, isTrusted) else { continue }
            open.subtract(header.categories)
            dropped &= ~Self.bit(header)
        }
    }

    /// Whether the header said something that can be used.
    private mutating func apply(
        _ header: ProxyHeader,
        _ value: UnsafeRawBufferPointer,
        to open: ProxyHeader.Category,
        _ isTrusted: (Address) -> Bool
    ) -> Bool {
        switch header {
        case .forwardedFor:
            let found = forwardedClient(value, isTrusted: isTrusted)
            if let found { set(found.node) }
            // Without an address at its end, the end is all that the peer wrote.
            forwardedFor = Self.part(of: value, from: found?.start ?? Self.last(value).startIndex)
        case .clientIP, .realIP: if let node = forwardedNode(trimmed(value[...])) { set(node) }
        case .forwardedHost, .host: host = Self.host(value)
        case .forwardedServer: server = Self.host(value)
        case .forwardedPort: port = Self.port(value)
        case .scriptName, .forwardedScriptName: script = Self.path(value)
        case .forwardedProto, .forwardedScheme, .scheme: isSecure = Self.isSecure(scheme: value)
        case .forwardedHTTPS, .forwardedSSL, .https: isSecure = Self.isSecure(flag: value)
        case .forwarded: return applyForwarded(value, to: open, isTrusted)
        }
        return true
    }

    private mutating func set(_ node: ForwardedNode) {
        client = node.address.text
        clientPort = node.port
    }

    /// What of a list begins at that byte; nil: all of it.
    private static func part(of list: UnsafeRawBufferPointer, from start: Int) -> String? {
        trimmed(list[...]).startIndex == start ? nil : String(decoding: list[start...], as: UTF8.self)
    }

    private mutating func applyForwarded(
        _ value: UnsafeRawBufferPointer,
        to open: ProxyHeader.Category,
        _ isTrusted: (Address) -> Bool
    ) -> Bool {
        guard let element = forwardedElement(value, isTrusted: isTrusted) else { return false }
        if open.contains(.client), let node = element.client { set(node) }
        forwarded = Self.part(of: value, from: element.start)
        if open.contains(.host), var name = element.host {
            host = name.withUTF8 { Self.host(UnsafeRawBufferPointer($0)) }
        }
        if open.contains(.scheme), var proto = element.proto {
            isSecure = proto.withUTF8 { Self.isSecure(scheme: UnsafeRawBufferPointer($0)) }
        }
        return true
    }

    /// The last element of a list: what the nearest proxy added.
    private static func last(_ list: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer.SubSequence {
        let comma = list.lastIndex(of: UInt8(ascii: ","))
        return trimmed(list[(comma.map { $0 + 1 } ?? 0)...])
    }

    /// A name or address, perhaps with a port.
    private static func host(_ value: UnsafeRawBufferPointer) -> String? {
        let name = last(value)
        let isHost = name.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
                UInt8(ascii: "]"):
                true
            default: false
            }
        }
        return (1...255).contains(name.count) && isHost ? String(decoding: name, as: UTF8.self) : nil
    }

    private static func port(_ value: UnsafeRawBufferPointer) -> String? {
        let digits = String(decoding: last(value), as: UTF8.self)
        guard let number = UInt16(digits), number > 0, digits.utf8.first != UInt8(ascii: "+") else { return nil }
        return String(number)
    }

    /// A path from the root, or nothing.
    private static func path(_ value: UnsafeRawBufferPointer) -> String? {
        guard HeaderSyntax.isValue(value) else { return nil }
        var path = last(value)
        if path.last == UInt8(ascii: "/") { path = path.dropLast() }
        guard path.isEmpty || path.first == UInt8(ascii: "/") else { return nil }
        return String(decoding: path, as: UTF8.self)
    }

    private static func isSecure(scheme value: UnsafeRawBufferPointer) -> Bool? {
        switch String(decoding: last(value), as: UTF8.self).lowercased() {
        case "https": true
        case "http": false
        default: nil
        }
    }

    private static func isSecure(flag value: UnsafeRawBufferPointer) -> Bool? {
        switch String(decoding: last(value), as: UTF8.self).lowercased() {
        case "on", "true", "1": true
        case "off", "false", "0": false
        default: nil
        }
    }
}
