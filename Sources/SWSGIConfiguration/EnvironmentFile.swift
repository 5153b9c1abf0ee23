// Files of NAME=value lines, in the simple form of systemd's EnvironmentFile.

/// Names of environment variables.
public enum EnvironmentName {
    /// Whether text may be one.
    static func isValid(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// What the loader, the C library and the Swift runtime obey: they load, or run, what such a variable names.
    private static let refusedPrefixes = ["LD_", "GLIBC_", "MALLOC_", "SWIFT_"]
    private static let refusedNames = ["GCONV_PATH", "GETCONF_DIR", "LOCPATH", "NLSPATH", "HOSTALIASES", "RES_OPTIONS"]

    /// Whether a variable of this name is not for applications to set.
    public static func isRefused(_ name: String) -> Bool {
        refusedNames.contains(name) || refusedPrefixes.contains { name.hasPrefix($0) }
    }
}

/// What a file of `environment-file=` says.
public struct EnvironmentFile: Equatable, Sendable {
    /// The variables, as NAME=value, in the file's order.
    public private(set) var variables: [(name: String, value: String)] = []

    /// Bytes that a file may have.
    public static let limit = 64 * 1024

    /// Reads the text of the file at `path`; what it says of a mistake never shows a value.
    public init(text: [UInt8], path: String) throws(Problem) {
        guard let text = String(validating: text, as: UTF8.self), !text.utf8.contains(0) else {
            throw Problem(.environmentFile, "environment-file \(path) is not UTF-8 text")
        }
        var seen: Set<String> = []
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            let place = "environment-file \(path), line \(index + 1)"
            guard let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                throw Problem(.environmentFile, "\(place): this is not NAME=value")
            }
            let name = String(trimmed(line[..<equals]))
            guard EnvironmentName.isValid(name) else {
                throw Problem(.environmentFile, "\(place): what stands before '=' is not the name of a variable")
            }
            guard !EnvironmentName.isRefused(name) else {
                throw Problem(.variableRefused, "\(place): \(name) may not be set")
            }
            guard seen.insert(name).inserted else {
                throw Problem(.environmentFile, "\(place): \(name) stands there a second time")
            }
            guard let value = Self.value(trimmed(line[line.index(after: equals)...])) else {
                throw Problem(
                    .environmentFile,
                    "\(place): the value of \(name) has a quote or a backslash in a wrong place"
                )
            }
            variables.append((name, value))
        }
    }

    /// A value without its quotes: in double ones a backslash takes what it has before \, ", $ and ` as it is, in single ones it is
    /// plain, and without quotes it is not allowed, as systemd and the shell would each read it in their own way.
    private static func value(_ text: Substring) -> String? {
        guard let quote = text.unicodeScalars.first, quote == "\"" || quote == "'" else {
            return text.unicodeScalars.contains { $0 == "\"" || $0 == "'" || $0 == "\\" } ? nil : String(text)
        }
        var rest = text.unicodeScalars.dropFirst()
        var value = String.UnicodeScalarView()
        while let next = rest.popFirst() {
            if next == quote { return rest.isEmpty ? String(value) : nil }
            if next == "\\", quote == "\"", let escaped = rest.first, "\\\"$`".unicodeScalars.contains(escaped) {
                value.append(rest.removeFirst())
            } else {
                value.append(next)
            }
        }
        return nil
    }

    /// Whether two files say the same.
    public static func == (left: EnvironmentFile, right: EnvironmentFile) -> Bool {
        left.variables.elementsEqual(right.variables) { $0.name == $1.name && $0.value == $1.value }
    }
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first == " " || first == "\t" || first == "\r" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return text
}
