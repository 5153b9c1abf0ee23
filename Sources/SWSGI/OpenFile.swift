import CSWSGI
import Glibc

/// A regular file that is open for reading, closed with this object unless the descriptor is somebody else's.
final class OpenFile {
    let descriptor: Int32
    let size: Int64
    let name: String
    /// Seconds since 1970, and nanoseconds.
    let modified: (seconds: Int64, nanoseconds: Int64)
    private let isOwner: Bool

    convenience init(_ path: String) throws(FileError) {
        // The system would take what stands before a NUL as the whole path.
        guard !path.utf8.contains(0) else { throw FileError(.notFound, path) }
        // Without waiting: opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw switch errno {
            case ENOENT, ENOTDIR, ENAMETOOLONG: FileError(.notFound, path)
            case let reason where reason == EACCES || reason == EPERM: FileError(.denied, path, reason)
            case ENXIO: FileError(.notRegular, path)
            case let reason: FileError(.failed, path, reason)
            }
        }
        try self.init(descriptor: descriptor, isOwner: true, name: path)
    }

    init(descriptor: Int32, isOwner: Bool, name: String? = nil) throws(FileError) {
        self.descriptor = descriptor
        self.isOwner = isOwner
        self.name = name ?? "descriptor \(descriptor)"
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = Int64(status.st_size)
        modified = (Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec))
        guard isRegular else { throw FileError(.notRegular, self.name) }
    }

    deinit { if isOwner { close(descriptor) } }

    /// Calls `body` with the bytes of a part, in pieces.
    func forEachPiece(from offset: Int64, length: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var place = offset
        let end = length < 0 ? size : offset + length
        while place < end {
            let count = pread(descriptor, buffer.baseAddress, min(buffer.count, Int(end - place)), off_t(place))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError(.range, name) }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            place += Int64(count)
        }
    }
}

/// A time in the form of HTTP (RFC 9110, section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
func httpDate(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    guard gmtime_r(&time, &parts) != nil else { return httpDate(0) }
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return
        "\(days[Int(parts.tm_wday)]), \(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
}
