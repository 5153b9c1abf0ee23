// Entry files: UTF-8 text, one `key = value` per line, `#` comments, paths relative to the file itself.

/// Why an entry file, a bundle or an option can't be used: a code and what happened.
public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which message.
    public let code: MessageCode
    /// What happened, to whom.
    public let what: String

    /// A problem from its parts.
    public init(_ code: MessageCode, _ what: String) {
        self.code = code
        self.what = what
    }

    /// The log line's text, with its code.
    public var description: String { code.text(what) }
}

/// What a text entry file says.
public struct EntryFile: Equatable, Sendable {
    /// Absolute path of the bundle.
    public var bundle = ""
    /// Name of the exported function, or nil for the default.
    public var symbol: String?
    /// Directory to work in, absolute; nil: stay.
    public var directory: String?
    /// Directories in which the bundle's libraries are looked for, absolute.
    public var libraryPath: [String] = []
    /// Variables for the process's environment, in the file's order.
    public var environment: [(name: String, value: String)] = []

    /// Bytes that a text entry file may have.
    public static let limit = 64 * 1024

    /// An entry file that is the bundle itself.
    public init(bundle: String) {
        self.bundle = bundle
    }

    /// Reads the text of the entry file at `path`.
    public init(text: [UInt8], path: String) throws(Problem) {
        guard let text = String(validating: text, as: UTF8.self), !text.utf8.contains(0) else {
            throw Problem(.entryNotText, "entry file \(path) is neither an ELF shared object nor UTF-8 text")
        }
        do throws(Problem) {
            try read(text, path: path)
        } catch {
            // Only what can't be read anyway is looked at.
            guard PythonScript.looksLike(text) else { throw error }
            throw Problem(.entryPython, "entry file \(path): this is a Python script; mod_swsgi runs Swift bundles")
        }
    }

    private mutating func read(_ text: String, path: String) throws(Problem) {
        let base = Self.directory(of: path)
        var seen: Set<String> = []
        // CR LF is one character.
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            let line = Self.trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let place = "entry file \(path), line \(index + 1)"
            guard let equals = line.firstIndex(of: "=") else {
                throw Problem(.entrySyntax, "\(place): '\(line)' is not 'key = value'")
            }
            let key = String(Self.trimmed(line[..<equals]))
            let value = String(Self.trimmed(line[line.index(after: equals)...]))
            guard seen.insert(key).inserted else {
                throw Problem(.entryKeyRepeated, "\(place): key '\(key)' stands there a second time")
            }
            try set(key, value, base: base, place: place)
        }
        guard !bundle.isEmpty else { throw Problem(.entryBundleMissing, "entry file \(path) has no key 'bundle'") }
    }

    private mutating func set(_ key: String, _ value: String, base: String, place: String) throws(Problem) {
        if key.hasPrefix("environment.") {
            let name = String(key.dropFirst("environment.".count))
            guard EnvironmentName.isValid(name) else {
                throw Problem(.entryValue, "\(place): '\(name)' is not the name of an environment variable")
            }
            guard !EnvironmentName.isRefused(name) else {
                throw Problem(.variableRefused, "\(place): \(name) may not be set")
            }
            environment.append((name, value))
            return
        }
        let known = ["bundle", "symbol", "directory", "library-path"]
        guard known.contains(key) else {
            throw Problem(
                .entryKeyUnknown,
                "\(place): unknown key '\(key)'; keys are bundle, symbol, directory, library-path and environment.NAME"
            )
        }
        guard !value.isEmpty else { throw Problem(.entryValue, "\(place): key '\(key)' has no value") }
        switch key {
        case "bundle": bundle = Self.absolute(value, base: base)
        case "directory": directory = Self.absolute(value, base: base)
        case "library-path": libraryPath = value.split(separator: ":").map { Self.absolute(String($0), base: base) }
        default:
            guard Self.isSymbol(value) else {
                throw Problem(.entryValue, "\(place): '\(value)' is not the name of a C function")
            }
            symbol = value
        }
    }

    /// Whether text may be the name of an exported C function.
    public static func isSymbol(_ text: String) -> Bool {
        EnvironmentName.isValid(text) && text.utf8.count <= 255
    }

    private static func absolute(_ path: String, base: String) -> String {
        path.hasPrefix("/") ? path : base + "/" + path
    }

    /// The directory part of a path; "." when it has none.
    public static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" || first == "\r" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        return text
    }

    /// Whether two files say the same.
    public static func == (left: EntryFile, right: EntryFile) -> Bool {
        left.bundle == right.bundle && left.symbol == right.symbol && left.directory == right.directory
            && left.libraryPath == right.libraryPath
            && left.environment.elementsEqual(right.environment, by: { $0.name == $1.name && $0.value == $1.value })
    }
}
