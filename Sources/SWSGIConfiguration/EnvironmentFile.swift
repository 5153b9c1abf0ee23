// Files of NAME=value lines, in a form that systemd's EnvironmentFile reads alike.

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
        var reader = Reader(text)
        var seen: Set<String> = []
        while let line = reader.line.map(trimmed) {
            let place = "environment-file \(path), line \(reader.number)"
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") {
                reader.skipLine()
                continue
            }
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
            do throws(Reader.Mistake) {
                variables.append((name, try reader.value(trimmed(line[line.index(after: equals)...]))))
            } catch {
                throw Problem(.environmentFile, "\(place): \(error.text(name))")
            }
        }
    }

    /// Whether two files say the same.
    public static func == (left: EnvironmentFile, right: EnvironmentFile) -> Bool {
        left.variables.elementsEqual(right.variables) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// The text of a file, line by line; a value in quotes may take several.
private struct Reader {
    enum Mistake: Error {
        case misplaced, open
        case followed(line: Int)

        func text(_ name: String) -> String {
            switch self {
            case .misplaced: "the value of \(name) has a quote or a backslash in a wrong place"
            case .open: "the quote before the value of \(name) is not closed in the rest of the file"
            case .followed(let line): "the value of \(name) ends in line \(line), and something follows its quote there"
            }
        }
    }

    private var rest: Substring.UnicodeScalarView
    /// The number of the line in which `rest` begins, from 1.
    private(set) var number = 1

    init(_ text: String) { rest = text[...].unicodeScalars }

    /// The rest of the line, without its end; nil at the end of the text.
    var line: Substring? { rest.isEmpty ? nil : Substring(rest.prefix { $0 != "\n" }) }

    /// Goes on to the next line.
    mutating func skipLine() {
        while let next = rest.popFirst(), next != "\n" {}
        number += 1
    }

    /// The value that begins with `start`, a part of the line, without its quotes; goes on to the line after it.
    ///
    /// In double quotes a backslash takes \, ", $ and ` as they are, joins two lines, and is plain before anything else; in
    /// single ones it is plain. Without quotes neither is allowed, as systemd and the shell would each read it in their own way.
    mutating func value(_ start: Substring) throws(Mistake) -> String {
        guard let quote = start.unicodeScalars.first, quote == "\"" || quote == "'" else {
            guard !start.unicodeScalars.contains(where: { $0 == "\"" || $0 == "'" || $0 == "\\" }) else {
                throw .misplaced
            }
            skipLine()
            return String(start)
        }
        let begin = number
        rest = rest[start.startIndex...].dropFirst()
        var value = String.UnicodeScalarView()
        while let next = rest.popFirst() {
            if next == quote {
                guard trimmed(line ?? "").isEmpty else {
                    if number == begin { throw .misplaced }
                    throw .followed(line: number)
                }
                skipLine()
                return String(value)
            }
            if next == "\n" { number += 1 }
            if next == "\\", quote == "\"", let escaped = rest.first, "\\\"$`\n".unicodeScalars.contains(escaped) {
                rest.removeFirst()
                if escaped == "\n" { number += 1 } else { value.append(escaped) }
            } else {
                value.append(next)
            }
        }
        throw .open
    }
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first == " " || first == "\t" || first == "\r" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return text
}
