import Glibc

/// Why a file can't be a body.
///
/// Let it pass: it is answered with 404 when there is no such file, 403 when it may not be read, 500 otherwise. The error log
/// says which file, which user and why: for 403 at level warn, for 500 at error, for 404 at info.
public struct FileError: ErrorWithResponse, Equatable, CustomStringConvertible {
    /// The kind of a `FileError`.
    ///
    /// More kinds can come, so a `switch` needs a `default`.
    public struct Code: Equatable, Hashable, Sendable {
        private let text: String

        init(text: String) { self.text = text }

        var description: String { text }

        /// There is no such file.
        public static var notFound: Code { Code(text: "does not exist") }
        /// The process may not read it.
        public static var denied: Code { Code(text: "may not be read by this process") }
        /// A directory, a pipe, a device: not a regular file.
        public static var notRegular: Code { Code(text: "is not a regular file") }
        /// The part does not lie within the file.
        public static var range: Code { Code(text: "has no such part") }
        /// Anything else.
        public static var failed: Code { Code(text: "can't be opened") }
    }

    /// What kind of failure it is.
    public let code: Code

    /// The file.
    public let path: String

    /// The system's reason, if it gave one.
    private let number: Int32

    init(_ code: Code, _ path: String, _ number: Int32 = 0) {
        self.code = code
        self.path = path
        self.number = number
    }

    /// File and reason, for the log: control characters of the path are escaped.
    public var description: String { "'\(shownPath)' \(code.description)\(reason)" }

    private var reason: String { number == 0 ? "" : ": \(String(cString: strerror(number)))" }

    /// What the error log has of a request that this ends.
    var logLine: (level: LogLevel, text: String) {
        switch code {
        case .notFound, .notRegular: (.info, "answered with 404: file \(description)")
        case .denied: (.warning, "SWSGI4140: file '\(shownPath)' can't be read by uid \(geteuid())\(reason) (403)")
        default: (.error, "SWSGI4141: file \(description) (500)")
        }
    }

    /// Parts of it may come from outside, and nothing of it may end the line or begin another one.
    private var shownPath: String {
        guard path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return path }
        let digits = Array("0123456789abcdef".utf8)
        let bytes = path.utf8.flatMap { byte in
            byte < 0x20 || byte == 0x7f
                ? [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]] : [byte]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An answer that does not tell the path.
    ///
    /// What is not a regular file is not found either.
    public var response: Response {
        switch code {
        case .notFound, .notRegular: HTTPError(.notFound).response
        case .denied: HTTPError(.forbidden).response
        default: HTTPError(.internalServerError).response
        }
    }
}
