internal import CSWSGIModule
internal import Glibc
internal import SWSGIModuleCore
internal import SWSGIWire

/// The environ of a request as it is behind trusted proxies: made only where WSGITrustedProxyHeaders is set.
struct ProxyEnviron {
    private let overrides: ProxyOverrides
    /// Keys with their new values.
    private let replaced: [(key: StaticString, value: String)]

    init?(_ facts: swsgi_request_facts, _ fields: UnsafeBufferPointer<swsgi_field>) {
        guard let numbers = facts.proxy_headers, facts.proxy_header_count > 0 else { return nil }
        let declared = UnsafeBufferPointer(start: numbers, count: Int(facts.proxy_header_count))
            .compactMap { ProxyHeader(rawValue: $0) }
        var values = [UnsafeRawBufferPointer?](repeating: nil, count: ProxyHeader.allCases.count)
        for field in fields {
            guard let name = field.name, let value = field.value, let header = ProxyHeader(environKey: bytes(name))
            else {
                continue
            }
            values[Int(header.rawValue)] = bytes(value)
        }
        let proxies = facts.proxies.map { UnsafeBufferPointer(start: $0, count: Int(facts.proxy_count)) }
        overrides = ProxyOverrides(
            declared: declared,
            peer: Address(bytes(facts.peer)),
            isTrusted: { address in
                // Without a list everybody is trusted, as in mod_wsgi; a line at start warns of it.
                proxies?.contains { Network($0).contains(address) } ?? true
            },
            value: { values[Int($0.rawValue)] }
        )
        let found: [(key: StaticString, value: String?)] = [
            ("REMOTE_ADDR", overrides.client), ("REMOTE_PORT", overrides.clientPort.map { String($0) }),
            ("HTTP_X_FORWARDED_FOR", overrides.forwardedFor), ("HTTP_FORWARDED", overrides.forwarded),
            ("HTTP_HOST", overrides.host), ("SERVER_NAME", overrides.server),
            ("SERVER_PORT", overrides.port), ("SCRIPT_NAME", overrides.script),
            ("mod_wsgi.mount_point", overrides.script),
            ("wsgi.url_scheme", overrides.isSecure.map { $0 ? "https" : "http" }),
        ]
        replaced = found.compactMap { field in field.value.map { (field.key, $0) } }
    }

    /// Whether a field goes into the environ as it is.
    func keeps(_ name: UnsafePointer<CChar>) -> Bool {
        if let header = ProxyHeader(environKey: bytes(name)), overrides.drops(header) { return false }
        // The port is that of the proxy.
        if overrides.client != nil, strcmp(name, "REMOTE_PORT") == 0 { return false }
        return !replaced.contains { key(of: $0, is: name) }
    }

    /// Adds what the headers of proxies have put in place of other fields.
    func add(to head: inout ExchangeHeadWriter) {
        for (key, value) in replaced {
            UnsafeRawPointer(key.utf8Start).withMemoryRebound(to: CChar.self, capacity: key.utf8CodeUnitCount + 1) {
                key in
                value.withCString { head.add(key, $0) }
            }
        }
    }

    /// The same as fields that live as long as the request.
    func replacedFields(_ request: OpaquePointer) -> [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] {
        replaced.map { key, value in
            let name = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
            return (name, bytes(text(value, request)))
        }
    }

    private func key(of field: (key: StaticString, value: String), is name: UnsafePointer<CChar>) -> Bool {
        UnsafeRawPointer(field.key.utf8Start).withMemoryRebound(
            to: CChar.self,
            capacity: field.key.utf8CodeUnitCount + 1
        ) {
            strcmp($0, name) == 0
        }
    }
}

private func bytes(_ text: UnsafePointer<CChar>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text, count: strlen(text))
}

extension Network {
    fileprivate init(_ network: swsgi_network) {
        self.init(base: Address(high: network.high, low: network.low), bits: Int(network.bits))
    }
}
