import Foundation
import SWSGIConfiguration

/// Files of the checkout: the manual's pages, and what they describe.
enum Manual {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The text of a page.
    static func page(_ name: String) throws -> String {
        try text("Sources/SWSGI/SWSGI.docc/\(name).md")
    }

    /// All Swift files below a folder, as one text.
    static func sources(below directory: String) throws -> String {
        let root = root.appendingPathComponent(directory)
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.map {
            try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)
        }.joined(separator: "\n")
    }

    /// The directives that do something, or those that are only accepted.
    static func directives(ignored: Bool) -> [String] {
        Directive.all.filter { $0.hasEffect != ignored }.map(\.name)
    }

    /// The rows of the module's table of commands.
    static func commandTable() throws -> String {
        let source = try text("Sources/CSWSGIModule/mod_wsgi.c")
        return try text(of: source, from: "static const command_rec commands[] = {", to: "{.name = NULL}")
    }

    /// The words of a list of options in `DaemonProcessOptions`.
    static func options(_ list: String) throws -> [String] {
        let source = try text("Sources/SWSGIConfiguration/DaemonProcessOptions.swift")
        let words = try text(of: source, from: "static let \(list) = [", to: "]")
        return matches(of: #/"([a-z-]+)"/#, in: words) { $0.1 }
    }

    /// What stands in a page's blocks of code in a language.
    static func code(_ language: String, of page: String) -> [String] {
        page.components(separatedBy: "\n```\(language)\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first.map { $0 + "\n" }
        }
    }

    /// The rows of all tables of a page: their cells, without quotes of code.
    static func rows(of page: String) -> [[String]] {
        page.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
            line.split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "`", with: "")
            }
        }
    }

    struct NotFound: Error {
        let text: String
    }

    private static func text(of source: String, from start: String, to end: String) throws -> String {
        guard let first = source.range(of: start),
            let last = source.range(of: end, range: first.upperBound..<source.endIndex)
        else { throw NotFound(text: start) }
        return String(source[first.upperBound..<last.lowerBound])
    }

    private static func matches<Output>(
        of pattern: Regex<Output>,
        in text: String,
        _ select: (Output) -> Substring?
    ) -> [String] {
        text.matches(of: pattern).compactMap { select($0.output).map(String.init) }
    }
}
