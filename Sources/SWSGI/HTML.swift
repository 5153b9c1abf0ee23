/// Help with pages.
public enum HTML {
    /// The text with `&`, `<`, `>`, `"` and `'` written as character references: safe as content and in a quoted
    /// attribute, not in a script, a style or an unquoted attribute.
    public static func escape(_ text: some StringProtocol) -> String {
        guard let first = text.utf8.firstIndex(where: { reference($0) != nil }) else { return String(text) }
        var result = String(text[..<first])
        result.reserveCapacity(text.utf8.count + 32)
        for scalar in text[first...].unicodeScalars {
            if scalar.isASCII, let reference = reference(UInt8(truncatingIfNeeded: scalar.value)) {
                result += reference
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func reference(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }
}
