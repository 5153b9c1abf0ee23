import Glibc
import SWSGI

/// The file that a browser sends with a form (multipart/form-data, RFC 7578): the content of the body's first part.
///
/// The body comes in pieces, and its content goes on in pieces; what is kept is the head of the part, or the few bytes in which
/// the end of the content may begin.
struct FormFile {
    private static let headLimit = 8192

    /// What ends the content.
    private let delimiter: [UInt8]
    private var kept: [UInt8] = Array("\r\n".utf8)
    private var isInContent = false
    /// Whether the end of the content has come.
    private(set) var isComplete = false

    /// Nil when the type of a body is not that of such a form.
    init?(contentType: String?) {
        guard let type = contentType, type.lowercased().hasPrefix("multipart/form-data;"),
            let boundary = Self.parameter("boundary", of: Array(type.utf8)), !boundary.isEmpty,
            boundary.utf8.count <= 70
        else { return nil }
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// Takes a piece of the body: calls `begin` once, with the file's name, and `content` for each piece of the file.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        begin: (String) throws -> Void,
        content: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard !isComplete else { return }
        var all = kept + Array(bytes)
        if !isInContent {
            guard let end = Self.place(of: Array("\r\n\r\n".utf8), in: all) else {
                guard all.count <= Self.headLimit else { throw HTTPError(.badRequest, "No file in the form.") }
                kept = all
                return
            }
            guard all.starts(with: delimiter), let name = Self.parameter("filename", of: Array(all[..<end])) else {
                throw HTTPError(.badRequest, "No file in the form.")
            }
            try begin(name)
            isInContent = true
            all.removeFirst(end + 4)
        }
        let end = Self.place(of: delimiter, in: all)
        isComplete = end != nil
        let count = end ?? max(0, all.count - delimiter.count + 1)
        try all.withUnsafeBytes { try content(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        kept = Array(all[count...])
    }

    private static func place(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { all in
            guard let start = all.baseAddress, let first = needle.first, needle.count <= all.count else { return nil }
            let last = start + (all.count - needle.count)
            var from = start
            while from <= last, let found = memchr(from, Int32(first), last - from + 1) {
                if memcmp(found, needle, needle.count) == 0 { return UnsafeRawPointer(found) - start }
                from = UnsafeRawPointer(found) + 1
            }
            return nil
        }
    }

    /// The value of `name=value` or `name="value"`.
    private static func parameter(_ name: String, of bytes: [UInt8]) -> String? {
        guard let place = place(of: Array("\(name)=".utf8), in: bytes) else { return nil }
        let value = bytes[(place + name.utf8.count + 1)...]
        let isQuoted = value.first == UInt8(ascii: "\"")
        let text = value.dropFirst(isQuoted ? 1 : 0).prefix { byte in
            isQuoted ? byte != UInt8(ascii: "\"") : byte != UInt8(ascii: ";") && byte > 32
        }
        return String(decoding: text, as: UTF8.self)
    }
}
