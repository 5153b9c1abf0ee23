/// Size and date of a file that is a body, as they were when it was opened.
public struct FileFacts: Sendable {
    /// The size of the whole file in bytes.
    public let size: Int64

    /// The bytes of it that are the body.
    public let length: Int64

    /// When its content was last changed (`st_mtim`): seconds since 1970 in UTC, and nanoseconds.
    public let modified: (seconds: Int64, nanoseconds: Int64)

    /// That time as `Last-Modified` has it (RFC 9110, section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
    public var lastModified: String { httpDate(modified.seconds) }

    /// A validator for `ETag` (RFC 9110, section 8.8.3), made of size and time: another one when the file has changed.
    ///
    /// It stands for the whole file. A body that is a part of it and is answered with 200 needs another one.
    public var entityTag: String {
        let time = modified.seconds &* 1_000_000 &+ modified.nanoseconds / 1000
        return "\"\(String(size, radix: 16))-\(String(time, radix: 16))\""
    }

    init(_ file: OpenFile, length: Int64) {
        size = file.size
        self.length = length
        modified = file.modified
    }
}
