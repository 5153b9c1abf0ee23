/// A header by which a reverse proxy says what its client asked for: those of mod_wsgi's `WSGITrustedProxyHeaders`, and RFC 7239.
public enum ProxyHeader: Int32, CaseIterable, Sendable {
    // Each header with the name that `WSGITrustedProxyHeaders` takes; in the order of their numbers.
    case forwardedFor, clientIP, realIP
    case forwardedHost, host
    case forwardedServer
    case forwardedPort
    case scriptName, forwardedScriptName
    case forwardedProto, forwardedScheme, scheme
    case forwardedHTTPS, forwardedSSL, https
    case forwarded

    /// What a header is about: who declares one header of a category controls all of them.
    public struct Category: OptionSet, Sendable {
        /// The bits.
        public let rawValue: UInt8

        /// Categories from bits.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// REMOTE_ADDR.
        public static let client = Category(rawValue: 1)
        /// HTTP_HOST.
        public static let host = Category(rawValue: 2)
        /// SERVER_NAME.
        public static let server = Category(rawValue: 4)
        /// SERVER_PORT.
        public static let port = Category(rawValue: 8)
        /// SCRIPT_NAME.
        public static let script = Category(rawValue: 16)
        /// wsgi.url_scheme.
        public static let scheme = Category(rawValue: 32)
    }

    /// The header's name.
    public var name: StaticString {
        switch self {
        case .forwardedFor: "X-Forwarded-For"
        case .clientIP: "X-Client-IP"
        case .realIP: "X-Real-IP"
        case .forwardedHost: "X-Forwarded-Host"
        case .host: "X-Host"
        case .forwardedServer: "X-Forwarded-Server"
        case .forwardedPort: "X-Forwarded-Port"
        case .scriptName: "X-Script-Name"
        case .forwardedScriptName: "X-Forwarded-Script-Name"
        case .forwardedProto: "X-Forwarded-Proto"
        case .forwardedScheme: "X-Forwarded-Scheme"
        case .scheme: "X-Scheme"
        case .forwardedHTTPS: "X-Forwarded-HTTPS"
        case .forwardedSSL: "X-Forwarded-SSL"
        case .https: "X-HTTPS"
        case .forwarded: "Forwarded"
        }
    }

    /// What it is about.
    public var categories: Category {
        switch self {
        case .forwardedFor, .clientIP, .realIP: .client
        case .forwardedHost, .host: .host
        case .forwardedServer: .server
        case .forwardedPort: .port
        case .scriptName, .forwardedScriptName: .script
        case .forwardedProto, .forwardedScheme, .scheme, .forwardedHTTPS, .forwardedSSL, .https: .scheme
        case .forwarded: [.client, .host, .scheme]
        }
    }

    /// The header of a name, without regard to case.
    public init?(_ name: String) {
        guard let found = Self.allCases.first(where: { $0.matches(name.utf8) }) else { return nil }
        self = found
    }

    /// The header of an environ key such as `HTTP_X_REAL_IP`.
    public init?(environKey: UnsafeRawBufferPointer) {
        let prefix: StaticString = "HTTP_"
        guard environKey.count > 6, environKey.prefix(5).elementsEqual(prefix.bytes) else { return nil }
        let name = UnsafeRawBufferPointer(rebasing: environKey[5...])
        // Most headers are none of these.
        guard name[0] == UInt8(ascii: "X") || name[0] == UInt8(ascii: "F") else { return nil }
        guard let found = Self.allCases.first(where: { $0.matches(name) }) else { return nil }
        self = found
    }

    private func matches(_ text: some Collection<UInt8>) -> Bool {
        text.count == name.utf8CodeUnitCount
            && zip(text, name.bytes).allSatisfy { byte, own in
                let letter = byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte
                return letter == own || letter | 0x20 == own | 0x20 && (own | 0x20) >= 0x61
            }
    }
}

extension StaticString {
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
