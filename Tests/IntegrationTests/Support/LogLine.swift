import Foundation

/// One line of an error log.
struct LogLine: Sendable, CustomStringConvertible {
    /// The file's name.
    let file: String
    /// The whole line.
    let text: String
    /// "wsgi", "core", "mpm_event", ...; empty when the line has no head.
    let module: String
    /// "error", "warn", ...; empty when the line has no head.
    let level: String

    init(file: String, text: String) {
        self.file = file
        self.text = text
        let fields = text.split(separator: "[", maxSplits: 3, omittingEmptySubsequences: true)
        guard text.hasPrefix("["), fields.count >= 3, fields[2].contains("pid ") || fields.count >= 2,
            let end = fields[1].firstIndex(of: "]"), let colon = fields[1].firstIndex(of: ":"), colon < end
        else {
            module = ""
            level = ""
            return
        }
        module = String(fields[1][..<colon])
        level = String(fields[1][fields[1].index(after: colon)..<end])
    }

    var description: String { "\(file): \(text)" }

    /// Whether it says that something is wrong; a line that does not look like a line of httpd's log counts too.
    var isAlarming: Bool { !["notice", "info", "debug"].contains(level) && !level.hasPrefix("trace") }

    /// "SWSGI4022", when the line has a code.
    var code: String? { LogLine.codes(in: text).first }

    /// The codes of messages of ours, each before a colon; a message may give another one as its reason.
    static func codes(in text: String) -> [String] {
        text.components(separatedBy: "SWSGI").dropFirst().compactMap { rest in
            let digits = rest.prefix(while: \.isNumber)
            return digits.count == 4 && rest.dropFirst(4).first == ":" ? "SWSGI\(digits)" : nil
        }
    }

    func contains(_ parts: [String]) -> Bool { parts.allSatisfy { text.contains($0) } }
}

/// The error logs of a server's directory.
struct ErrorLogs: Sendable {
    let directory: String

    /// Every line of every error log, file by file.
    var lines: [LogLine] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix("error.log") }.sorted().flatMap { lines(of: $0) }
    }

    func lines(of file: String) -> [LogLine] {
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(file)") else { return [] }
        return data.split(separator: 10).map { LogLine(file: file, text: String(decoding: $0, as: UTF8.self)) }
    }

    /// The lines that contain all of `parts`.
    func lines(containing parts: String...) -> [LogLine] { lines.filter { $0.contains(parts) } }

    /// Waits for a line that contains all of `parts`.
    @discardableResult
    func waitForLine(_ parts: String..., in file: String? = nil, within seconds: Double = 60) throws -> LogLine {
        try eventually("a log line with \(parts)", within: seconds, every: 50) {
            (file.map { lines(of: $0) } ?? lines).first { $0.contains(parts) }
        }
    }

    /// Waits until at least `count` lines contain all of `parts`.
    @discardableResult
    func waitForLines(_ count: Int, _ parts: String..., within seconds: Double = 60) throws -> [LogLine] {
        try eventually("\(count) log lines with \(parts)", within: seconds, every: 50) {
            let found = lines.filter { $0.contains(parts) }
            return found.count >= count ? found : nil
        }
    }
}
