extension Environ {
    /// The URL that the client asked for, put together again (PEP 3333, "URL Reconstruction").
    ///
    /// It is made of `wsgi.url_scheme`, the `Host` header or else the server's name and port, `SCRIPT_NAME`, `PATH_INFO` and
    /// `QUERY_STRING`. The host is what the client says: don't trust it further than httpd's configuration does.
    public var url: String {
        let scheme = self["wsgi.url_scheme", default: "http"]
        var url = scheme + "://"
        if let host = self["HTTP_HOST"], !host.isEmpty {
            url += host
        } else {
            url += self["SERVER_NAME", default: ""]
            let port = self["SERVER_PORT", default: ""]
            if !port.isEmpty, port != (scheme == "https" ? "443" : "80") { url += ":" + port }
        }
        url += percentEncoded(bytes("SCRIPT_NAME") ?? []) + percentEncoded(bytes("PATH_INFO") ?? [])
        if let query = self["QUERY_STRING"], !query.isEmpty { url += "?" + query }
        return url
    }
}

extension Request {
    /// The URL that the client asked for, put together again from the environ.
    public var url: String { environ.url }
}

/// A path as it stands in a URL: what RFC 3986 does not allow in one becomes `%XX`.
private func percentEncoded(_ path: [UInt8]) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    encoded.reserveCapacity(path.count)
    for byte in path {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            encoded.append(byte)
        // / - . _ ~ ! $ & ' ( ) * + , ; = : @
        case 0x2F, 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D, 0x3A, 0x40: encoded.append(byte)
        default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
