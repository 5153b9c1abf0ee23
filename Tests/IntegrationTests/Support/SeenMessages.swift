import Foundation
import Glibc

/// The codes that servers of the tests have written, for `scripts/test`: at its end each message of the catalogue must be among them.
enum SeenMessages {
    private static let file = ProcessInfo.processInfo.environment["SWSGI_SEEN_MESSAGES"]
    private static let lock = NSLock()
    nonisolated(unsafe) private static var seen: Set<String> = []  // under `lock` only

    /// Notes the codes in lines of an error log, or in what httpd has printed.
    static func note(_ lines: some Sequence<String>) {
        guard let file else { return }
        lock.withLock {
            for code in lines.flatMap(LogLine.codes) where seen.insert(code).inserted {
                append(code + "\n", to: file)
            }
        }
    }

    private static func append(_ text: String, to file: String) {
        let descriptor = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return perror("open \(file)") }
        defer { close(descriptor) }
        if write(descriptor, text, text.utf8.count) < 0 { perror("write \(file)") }
    }
}
