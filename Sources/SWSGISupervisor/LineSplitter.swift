internal import SWSGISystem

/// Cuts what comes through a pipe into lines of a bounded length.
struct LineSplitter {
    /// Bytes of a line; longer ones become several.
    static let limit = 8192

    private var partial: [UInt8] = []

    /// Adds bytes and returns the lines that they complete.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(take())
            } else {
                if partial.count == Self.limit { lines.append(take()) }
                partial.append(byte)
            }
        }
        return lines
    }

    /// What is left without a newline, or nil.
    mutating func finish() -> String? {
        partial.isEmpty ? nil : take()
    }

    private mutating func take() -> String {
        defer { partial.removeAll(keepingCapacity: true) }
        if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
        return LogText.escaped(partial)
    }
}
