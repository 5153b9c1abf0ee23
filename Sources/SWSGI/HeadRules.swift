/// What a status line and a header field must look like before they may leave the application (PEP 3333, RFC 9110).
enum HeadRules {
    /// Splits "200 OK" into code and reason.
    static func status(line: String) throws(ExchangeError) -> (code: UInt32, reason: String) {
        var code: UInt32 = 0
        var digits = 0
        for byte in line.utf8.prefix(4) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            code = code * 10 + UInt32(byte - UInt8(ascii: "0"))
            digits += 1
        }
        guard digits == 3 else {
            throw ExchangeError(.invalidStatus, "status code must be a 3 digit integer: \(shown(line))")
        }
        let rest = line.utf8.dropFirst(3)
        guard rest.first == UInt8(ascii: " ") else {
            throw ExchangeError(.invalidStatus, "no space following status code: \(shown(line))")
        }
        let reason = String(Substring(rest.dropFirst()))
        try check(status: code, reason: reason)
        return (code, reason)
    }

    /// Bytes that a reason phrase may have.
    private static let reasonLimit = 256

    /// A final status is 200 to 599, and its reason phrase is short ASCII without control characters and without a space at an
    /// end; it may be empty.
    static func check(status code: UInt32, reason: String) throws(ExchangeError) {
        guard (200...599).contains(code) else {
            let rule = (100...199).contains(code) ? "1xx can't be a final status" : "status code must be 200 to 599"
            throw ExchangeError(.invalidStatus, "\(rule): \(code)")
        }
        if let (place, byte) = first(in: reason, where: { isControl($0) || $0 >= 0x80 }) {
            let what = isControl(byte) ? "control" : "invalid"
            throw ExchangeError(
                .invalidStatus,
                "\(what) character in status reason phrase at byte \(place): \(shown(reason))"
            )
        }
        guard reason.utf8.first != UInt8(ascii: " "), reason.utf8.last != UInt8(ascii: " ") else {
            throw ExchangeError(.invalidStatus, "space at an end of the status reason phrase: \(shown(reason))")
        }
        guard reason.utf8.count <= reasonLimit else {
            throw ExchangeError(
                .invalidStatus,
                "status reason phrase is longer than \(reasonLimit) bytes: \(reason.utf8.count)"
            )
        }
    }

    /// Each name is a token, each value has no control characters but tabs, and there is at most one Content-Length.
    static func check(_ fields: [(String, String)]) throws(ExchangeError) {
        var length: String?
        for (name, value) in fields {
            try check(name: name, value: value)
            guard equalsIgnoringCase(name, "content-length") else { continue }
            if let length {
                throw ExchangeError(
                    .invalidHeader,
                    "Content-Length header is given twice: \(shown(length)), \(shown(value))"
                )
            }
            length = value
        }
    }

    /// A name is a token.
    static func check(name: String) throws(ExchangeError) {
        guard !name.isEmpty else { throw ExchangeError(.invalidHeader, "header name is empty") }
        if let (place, byte) = first(in: name, where: { !isToken($0) }) {
            let what =
                switch byte {
                case 0x20: "space"
                case _ where isControl(byte): "control"
                default: "invalid"
                }
            throw ExchangeError(.invalidHeader, "\(what) character in header name at byte \(place): \(shown(name))")
        }
    }

    /// A name is a token, a value has no control characters but tabs, a Content-Length is a decimal number.
    static func check(name: String, value: String) throws(ExchangeError) {
        try check(name: name)
        if let (place, byte) = first(in: value, where: { isControl($0) && $0 != 0x09 }) {
            let what = byte == 0x0D || byte == 0x0A ? "carriage return/line feed" : "control"
            throw ExchangeError(
                .invalidHeader,
                "\(what) character in header value at byte \(place): \(name): \(shown(value))"
            )
        }
        if equalsIgnoringCase(name, "content-length"), !isDecimal(value) {
            throw ExchangeError(.invalidHeader, "invalid Content-Length header value: \(shown(value))")
        }
    }

    /// The first byte that is so, in one look at all of them: text that is right has none.
    @inline(__always)
    private static func first(in text: String, where isWrong: (UInt8) -> Bool) -> (place: Int, byte: UInt8)? {
        var text = text
        return text.withUTF8 { bytes in bytes.firstIndex(where: isWrong).map { ($0, bytes[$0]) } }
    }

    private static func isDecimal(_ value: String) -> Bool {
        let bytes = value.utf8
        return !bytes.isEmpty && bytes.count <= 18
            && bytes.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        // ! # $ % & ' * + - . ^ _ ` | ~
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    /// A value as it may stand in the log: quoted, escaped and not too long.
    private static func shown(_ value: String) -> String {
        String(reflecting: value.utf8.count > 120 ? value.prefix(100) + "..." : value[...])
    }
}

/// Compares ASCII without regard to case.
///
/// By spans: an iterator over the bytes of a string takes ten times as long.
func equalsIgnoringCase(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.utf8.span, right.utf8.span)
    guard left.count == right.count else { return false }
    for index in left.indices where lowercaseASCII(left[index]) != lowercaseASCII(right[index]) { return false }
    return true
}

/// The lower case of an ASCII letter; any other byte is itself.
func lowercaseASCII(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
