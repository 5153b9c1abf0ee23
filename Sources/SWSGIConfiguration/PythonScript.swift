/// Python entry files that have been left where a Swift bundle is to be.
enum PythonScript {
    /// Whether a text that is no entry file has lines that only Python's have.
    static func looksLike(_ text: String) -> Bool {
        let lines: [Substring] = text.split { (character: Character) in character.isNewline }
        return lines.contains { isPython($0) }
    }

    private static func isPython(_ line: Substring) -> Bool {
        let words: [Substring] = line.split { (character: Character) in character.isWhitespace }
        guard let first = words.first else { return false }
        switch first {
        case "import": return words.count >= 2
        case "from": return words.contains("import")
        case "def", "class": return line.last == ":"
        case "application": return words.count >= 3 && words[1] == "="
        default: return first.starts(with: "#!") && words.contains { $0.hasSuffix("python") || $0.hasSuffix("python3") }
        }
    }
}
