/// Why a file can't be a body.
///
/// Let it pass: it is answered with 404 when there is no such file, 403 when it may not be read, 500 otherwise.
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

    init(_ code: Code, _ path: String) {
        self.code = code
        self.path = path
    }

    /// File and reason, for the log.
    public var description: String { "'\(path)' \(code.description)" }

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
