internal import CSWSGISystem
internal import Glibc

/// What a request thread was doing at one moment.
public struct ThreadLook: Sendable {
    /// Entry file of its exchange.
    public let entryFile: String
    /// Request line of its exchange.
    public let line: String
    private let frames: [UInt]

    /// Makes threads ready to be looked at.
    public static func prepare() throws(Errno) {
        _ = try check(swsgi_look_install())
    }

    /// Looks at request thread `slot`, with this number; nil: it shows nothing within `milliseconds`.
    ///
    /// The thread is interrupted once: `sleep` and the like may return early. To be called by one thread.
    public init?(slot: Int, thread: Int32, milliseconds: UInt32) {
        let size = Int(SWSGI_LOOK_TEXT)
        let texts = UnsafeMutablePointer<CChar>.allocate(capacity: 2 * size)
        defer { texts.deallocate() }
        var addresses = [UnsafeMutableRawPointer?](repeating: nil, count: Int(SWSGI_LOOK_FRAMES))
        let count = swsgi_look_take(slot, thread, milliseconds, texts, texts + size, &addresses)
        guard count >= 0 else { return nil }
        entryFile = String(cString: texts)
        line = String(cString: texts + size)
        // The first two are the signal handler's own.
        frames = addresses.prefix(Int(count)).dropFirst(2).compactMap { $0.map { UInt(bitPattern: $0) } }
    }

    /// The places in the code, innermost first: "function + 12 in file", without the threads' own beginnings.
    public func places() -> [String] {
        // All but the innermost are where a call returns to: the call itself stands before that.
        let addresses = frames.enumerated().map { $0.offset == 0 ? $0.element : $0.element - 1 }
        var files: [UInt: SymbolFile] = [:]
        let found = addresses.map { address in
            guard let object = LoadedObject(at: address) else {
                return (text: "0x" + String(address, radix: 16), ours: true)
            }
            let file = files[object.base] ?? SymbolFile(object.path)
            files[object.base] = file
            return (object.place(of: address, file), object.isProgram || object.isLibrary)
        }
        let last = found.lastIndex { !$0.ours } ?? found.count - 1
        return found.prefix(last + 1).map(\.text)
    }
}

/// The program, a library or a bundle that an address belongs to.
private struct LoadedObject {
    let base: UInt
    let path: String
    let isProgram: Bool
    private let symbol: (name: String, start: UInt)?

    init?(at address: UInt) {
        var code = swsgi_code()
        guard swsgi_code_find(address, &code) != 0 else { return nil }
        base = code.base
        isProgram = code.is_program != 0
        path = isProgram ? "/proc/self/exe" : code.path.map { String(cString: $0) } ?? ""
        symbol = code.symbol.map { (String(cString: $0), code.symbol_start) }
    }

    var isLibrary: Bool { path.hasPrefix("/lib/") || path.hasPrefix("/lib64/") || path.hasPrefix("/usr/lib/") }

    func place(of address: UInt, _ file: SymbolFile) -> String {
        let name =
            isProgram ? "swsgid" : String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
        if let symbol { return "\(readable(symbol.name)) + \(address - symbol.start) in \(name)" }
        let offset = address - base
        guard let found = file.function(at: UInt64(offset)) else { return "0x\(String(offset, radix: 16)) in \(name)" }
        return "\(readable(found.name)) + \(UInt64(offset) - found.start) in \(name)"
    }
}

/// A symbol's name as it stands in the source, at most 500 bytes of it.
private func readable(_ symbol: String) -> String {
    var name = symbol
    let demangled = name.withUTF8 { utf8 in
        utf8.withMemoryRebound(to: CChar.self) { characters -> String? in
            guard let start = characters.baseAddress, let text = swift_demangle(start, characters.count, nil, nil, 0)
            else {
                return nil
            }
            defer { free(text) }
            return String(cString: text)
        }
    }
    return String(
        decoding: withoutMarks(String(decoding: (demangled ?? symbol).utf8.prefix(2000), as: UTF8.self)).utf8.prefix(
            500
        ),
        as: UTF8.self
    )
}

/// Without what the compiler adds: "function signature specialization <...> of ", and the mark of a private name's file.
private func withoutMarks(_ name: String) -> String {
    var rest = name[...]
    if rest.hasPrefix("function signature specialization <"), let end = place(of: "> of ", in: rest) {
        rest = rest[rest.index(end, offsetBy: 5)...]
    }
    var result = ""
    // "(name in _0123456789ABCDEF0123456789ABCDEF)" is "name".
    while let mark = place(of: " in _", in: rest), let open = rest[..<mark].lastIndex(of: "("),
        let close = rest[mark...].firstIndex(of: ")")
    {
        result += rest[..<open] + rest[rest.index(after: open)..<mark]
        rest = rest[rest.index(after: close)...]
    }
    return result + rest
}

private func place(of text: String, in whole: Substring) -> Substring.Index? {
    whole.indices.first { whole[$0...].hasPrefix(text) }
}
