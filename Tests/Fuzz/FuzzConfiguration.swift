import SWSGIConfiguration

/// The text of an entry file.
func fuzzEntry(_ bytes: UnsafeRawBufferPointer) {
    let path = "/srv/app/app.wsgi"
    let file: EntryFile
    do throws(Problem) {
        file = try EntryFile(text: Array(bytes), path: path)
    } catch {
        promise(error.what.contains(path), "a problem that does not name the file: \(error)")
        return
    }
    promise(file.bundle.utf8.first == UInt8(ascii: "/"), "bundle '\(file.bundle)' is not absolute")
    promise(file.directory.map { $0.utf8.first == UInt8(ascii: "/") } ?? true, "directory is not absolute")
    promise(file.libraryPath.allSatisfy { $0.utf8.first == UInt8(ascii: "/") }, "library-path is not absolute")
    promise(file.symbol.map(EntryFile.isSymbol) ?? true, "a symbol that is none")
    var lines = ["bundle\t=\t\(file.bundle)"]
    if let symbol = file.symbol { lines.append("symbol\t=\t\(symbol)") }
    if let directory = file.directory { lines.append("directory\t=\t\(directory)") }
    // The last colon keeps blanks at the end of the last path.
    if !file.libraryPath.isEmpty { lines.append("library-path\t=\t\(file.libraryPath.joined(separator: ":")):") }
    for (name, value) in file.environment {
        promise(!name.isEmpty && !name.utf8.contains(UInt8(ascii: "=")), "variable '\(name)'")
        promise(!value.utf8.contains(0) && !value.utf8.contains(UInt8(ascii: "\n")), "the value of '\(name)'")
        lines.append("environment.\(name)\t=\t\(value)")
    }
    let again = try? EntryFile(text: Array(lines.joined(separator: "\n").utf8), path: path)
    promise(again == file, "not the same when it is written again: \(lines) gave \(String(describing: again))")
}

/// The arguments of directives.
func fuzzDirective(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes, as: UTF8.self)
    number(text)
    if let words = try? optionWords(text, directive: "Directive") {
        let again = try? optionWords(words.map(quoted).joined(separator: " "), directive: "Directive")
        promise(again == words, "not the same when it is written again: \(words) gave \(String(describing: again))")
    }
    if let options = try? DaemonProcessOptions(text) {
        promise((1...64).contains(options.name.utf8.count), "a name of \(options.name.utf8.count) bytes")
        promise((1...1000).contains(options.processes) && (0...1000).contains(options.threads), "a number of processes")
        promise((1...86_400).contains(options.startupTimeout), "startup-timeout")
        promise((1...86_400).contains(options.shutdownTimeout), "shutdown-timeout")
        promise((options.umask ?? 0) <= 0o777, "umask")
        promise(options.home.map { $0.utf8.first == UInt8(ascii: "/") } ?? true, "home is not absolute")
        promise(options.displayName.map { !$0.utf8.contains { $0 < 0x20 } } ?? true, "display-name")
    }
    if let options = try? ScriptAliasOptions(text) {
        promise(options.location.utf8.first == UInt8(ascii: "/") && !options.target.isEmpty, "location or target")
    }
    for kind in [ScriptAliasOptions.Kind.path, .match, .handler, .access, .user, .group, .dispatch] {
        guard let options = try? ScriptAliasOptions(text, kind) else { continue }
        let hasLocation = [.path, .match, .handler].contains(kind)
        promise(options.location.isEmpty != hasLocation && !options.target.isEmpty, "location or target")
        promise(options.symbol.map { EntryFile.isSymbol($0) || looksExpanded($0) } ?? true, "a symbol that is none")
        promise(options.processGroup != "" && options.applicationGroup != "", "an empty name")
    }
    if let section = try? InterpreterSection(text) {
        promise(section.processGroup != "" && section.applicationGroup != "", "an empty name")
    }
}

private func quoted(_ word: OptionWord) -> String {
    switch word {
    case .word(let text): quote(text)
    case .option(let name, let value): "\(name)=\(quote(value))"
    }
}

private func quote(_ text: String) -> String {
    "\"" + text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
}

/// Numbers are taken exactly when they look like numbers and lie in the range.
private func number(_ text: String) {
    let range: ClosedRange<UInt32> = 1...4000
    let digits = Array(text.utf8)
    let value = digits.reduce(UInt64(0)) { min($0 * 10 + UInt64($1 & 15), 1 << 40) }
    let isDecimal = !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
    let expected = isDecimal && (1...4000).contains(value) ? UInt32(value) : nil
    promise(
        (try? strictNumber(text, in: range, option: "o", directive: "d")) == expected,
        "'\(text)' is not the number \(String(describing: expected))"
    )
    if let seconds = try? strictSeconds(text, in: range, option: "o", directive: "d") {
        promise(range.contains(seconds), "\(seconds) seconds")
        promise(digits.first.map { (0x30...0x39).contains($0) } ?? false, "'\(text)' as seconds")
    }
}
