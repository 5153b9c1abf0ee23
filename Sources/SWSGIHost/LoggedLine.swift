/// How much of an application's line httpd writes to its error log.
///
/// httpd cuts a line at 8 KiB, with everything that stands before and in it, without a word: so the line is cut here, and says so.
enum LoggedLine {
    /// Bytes that are left of httpd's line for the application's.
    static let limit = 7 * 1024

    /// The part of a line that fits when httpd has escaped it: each byte that is not printable ASCII becomes `\\xHH`.
    static func prefix(of line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard line.count > limit / 4 else { return line }
        var length = 0
        for (place, byte) in line.enumerated() {
            length += (0x20..<0x7f).contains(byte) ? 1 : 4
            if length > limit { return UnsafeRawBufferPointer(rebasing: line[..<place]) }
        }
        return line
    }

    /// What stands at the end of a line that was cut.
    static func remark(cutOff count: Int) -> [UInt8] { Array("... (\(count) more bytes are cut off)".utf8) }
}
