internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore

// Directives that act on one request, and may stand in .htaccess files: those run in httpd's children, in any thread.

@c @implementation
func swsgi_flag(
    _ directive: UnsafePointer<CChar>,
    _ value: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    parsed(message, capacity) { () throws(Problem) in
        try flag(String(cString: value), directive: String(cString: directive)) ? 1 : 0
    }
}

@c @implementation
func swsgi_parse_head(
    _ value: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    parsed(message, capacity) { () throws(Problem) in try HeadMapping(String(cString: value)).rawValue }
}

@c @implementation
func swsgi_parse_override(
    _ arguments: UnsafePointer<CChar>,
    _ statuses: UnsafeMutablePointer<UInt8>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    parsed(message, capacity) { () throws(Problem) in
        switch try ErrorOverride(String(cString: arguments)) {
        case .none: return Int32(SWSGI_OVERRIDE_NONE)
        case .errors: return Int32(SWSGI_OVERRIDE_ERRORS)
        case .listed(let list):
            for status in list { statuses[status / 8] |= 1 << UInt8(status % 8) }
            return Int32(SWSGI_OVERRIDE_LISTED)
        }
    }
}

@c @implementation
func swsgi_parse_network(
    _ text: UnsafePointer<CChar>,
    _ network: UnsafeMutablePointer<swsgi_network>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    let result = parsed(message, capacity) { () throws(Problem) in
        let text = String(cString: text)
        guard let parsed = Network(text) else {
            throw Problem(
                .networkInvalid,
                "WSGITrustedProxies: '\(text)' is no IP address or network, such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32"
            )
        }
        network.pointee = swsgi_network(high: parsed.base.high, low: parsed.base.low, bits: Int32(parsed.bits))
        return 1
    }
    return max(0, result)
}

@c @implementation
func swsgi_parse_proxy_header(
    _ name: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    parsed(message, capacity) { () throws(Problem) in
        let name = String(cString: name)
        guard let header = ProxyHeader(name) else {
            let known = ProxyHeader.allCases.map { "\($0.name)" }.joined(separator: ", ")
            throw Problem(.proxyHeaderUnknown, "WSGITrustedProxyHeaders: '\(name)' is none of \(known)")
        }
        return header.rawValue
    }
}

// In a child there is nothing to note: its configuration has been checked, and its threads share it.

@c @implementation
func swsgi_note_network(_ network: UnsafePointer<swsgi_network>, _ place: UnsafePointer<swsgi_place>) {
    guard !parent.isChild else { return }
    let base = Address(high: network.pointee.high, low: network.pointee.low)
    parent.configuration.proxies.note(
        Network(base: base, bits: Int(network.pointee.bits)),
        at: Place(place.pointee)
    )
}

@c @implementation
func swsgi_note_header(_ header: Int32, _ place: UnsafePointer<swsgi_place>) {
    guard !parent.isChild, let header = ProxyHeader(rawValue: header) else { return }
    parent.configuration.proxies.note(header, at: Place(place.pointee))
}

private func parsed(
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int,
    _ parse: () throws(Problem) -> Int32
) -> Int32 {
    do throws(Problem) {
        return try parse()
    } catch {
        write(error, to: message, capacity)
        return -1
    }
}
