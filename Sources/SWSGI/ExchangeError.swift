/// What can go wrong between an application and its host during one exchange.
public struct ExchangeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of an `ExchangeError`.
    ///
    /// More kinds can come, so a `switch` needs a `default`.
    public struct Code: Equatable, Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case clientGone, completed, status, header, started, notStarted, tooLong, headSize, inputFailed
            case inputTooShort, inputTooLarge, formType, incompatibleHost, host, inUse, file
        }

        private let kind: Kind

        /// Nobody waits for the response any more: the client has gone, or the server has given up.
        public static var clientGone: Code { Code(kind: .clientGone) }
        /// The request is over; what belonged to it can't be used any more.
        public static var completed: Code { Code(kind: .completed) }
        /// A status line or status code that can't be sent.
        public static var invalidStatus: Code { Code(kind: .status) }
        /// A header name or value that can't be sent.
        public static var invalidHeader: Code { Code(kind: .header) }
        /// The response has been started before.
        public static var alreadyStarted: Code { Code(kind: .started) }
        /// Content was produced before the response was started.
        public static var notStarted: Code { Code(kind: .notStarted) }
        /// More content than the Content-Length that the application gave; the rest was not sent.
        public static var contentTooLong: Code { Code(kind: .tooLong) }
        /// Status and headers together are larger than the host takes.
        public static var headTooLarge: Code { Code(kind: .headSize) }
        /// The request body could not be read to its end.
        public static var inputFailed: Code { Code(kind: .inputFailed) }
        /// The request body ends before the bytes that the application asked for; nothing of it was lost on the way.
        public static var inputTooShort: Code { Code(kind: .inputTooShort) }
        /// The request body is larger than the limit that the application gave.
        public static var inputTooLarge: Code { Code(kind: .inputTooLarge) }
        /// The request body is not a form.
        public static var notAForm: Code { Code(kind: .formType) }
        /// Another thread is using the exchange at this moment.
        public static var inUse: Code { Code(kind: .inUse) }
        /// A file that is a body has changed while it was sent.
        public static var fileChanged: Code { Code(kind: .file) }
        /// The host speaks another version of the bundle ABI.
        public static var incompatibleHost: Code { Code(kind: .incompatibleHost) }
        /// A failure of the host that this version of the SDK does not know.
        public static var hostFailed: Code { Code(kind: .host) }

        /// The name of this code.
        public var description: String { kind.rawValue }
    }

    /// What kind of failure it is.
    public let code: Code

    /// What happened, in words, for the error log.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What happened, in words.
    public var description: String { message }

    static var inUse: ExchangeError { ExchangeError(.inUse, "the exchange is being used by another thread") }
}

extension ExchangeError: ErrorWithResponse {
    /// 400 for a body that ends too early, 413 for a body over the limit, 415 for a body that is no form, and otherwise 500.
    public var response: Response {
        switch code {
        case .inputTooShort: .text("The request body is too short.\n", status: .badRequest)
        case .inputTooLarge: .text("The request body is too large.\n", status: .contentTooLarge)
        case .notAForm: .text("A form was expected.\n", status: .unsupportedMediaType)
        default: .text("The server could not answer the request.\n", status: .internalServerError)
        }
    }

    /// Whether the client is to blame; everything else is a failure of the application.
    var isForClient: Bool { code == .inputTooShort || code == .inputTooLarge || code == .notAForm }
}
