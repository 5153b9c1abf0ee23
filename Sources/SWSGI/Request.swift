/// A request as a typed application sees it.
///
/// Everything is looked up in the environ when asked for; keep in a constant what you need more than once. After the
/// request is over, texts are empty and reading the body fails.
public struct Request {
    let exchange: Exchange

    /// The environ behind this request.
    public var environ: Environ { Environ(exchange: exchange) }

    /// The method, such as "GET" (`REQUEST_METHOD`).
    public var method: String { environ["REQUEST_METHOD", default: ""] }

    /// The path below the application, percent-decoded (`PATH_INFO`).
    public var path: String { environ["PATH_INFO", default: ""] }

    /// The path at which the application is mounted, empty at the root (`SCRIPT_NAME`).
    public var scriptName: String { environ["SCRIPT_NAME", default: ""] }

    /// The query string as it was sent, without its question mark (`QUERY_STRING`).
    public var queryString: String { environ["QUERY_STRING", default: ""] }

    /// The decoded parameters of the query string.
    public var query: Parameters {
        environ.withBytes("QUERY_STRING") { bytes in
            bytes.map { Parameters(decoding: $0) } ?? Parameters(decoding: [])
        }
    }

    /// "http" or "https" (`wsgi.url_scheme`).
    public var scheme: String { environ["wsgi.url_scheme", default: "http"] }

    /// The client's address (`REMOTE_ADDR`).
    public var remoteAddress: String { environ["REMOTE_ADDR", default: ""] }

    /// The request's headers.
    public var headers: RequestHeaders { RequestHeaders(exchange: exchange) }

    /// The media type of the body with its parameters (`CONTENT_TYPE`).
    public var contentType: String? { environ["CONTENT_TYPE"] }

    /// The length of the body in bytes, if the client said it (`CONTENT_LENGTH`).
    public var contentLength: Int? { environ["CONTENT_LENGTH"].flatMap { Int($0) } }

    /// The body.
    public var body: RequestBody { RequestBody(exchange: exchange) }

    /// The error log of the request.
    ///
    /// `print("text", to: &request.log[.notice])` writes a line at level notice.
    public var log: ErrorLog {
        get { ErrorLog(exchange: exchange) }
        // For `&request.log` alone: the stream keeps what it has to in the exchange.
        nonmutating set { _ = newValue }
    }

    /// Whether nobody waits for the response any more.
    ///
    /// Asking costs a system call until the answer is yes.
    public var isCancelled: Bool { exchange.isCancelled }

    /// Throws `ExchangeError.Code.clientGone` if nobody waits for the response any more: ends a long computation quietly.
    public func checkCancellation() throws { try exchange.checkCancellation() }

    /// Reads and decodes the body as a form (application/x-www-form-urlencoded).
    ///
    /// Throws `ExchangeError.notAForm` for another media type and `inputTooLarge` for a body over `limit` bytes; passed
    /// on, they are answered with 415 and 413. The body can be read only once.
    public func form(limit: Int = 65536) throws(ExchangeError) -> Parameters {
        let type = (contentType ?? "").prefix { $0 != ";" && $0 != " " }
        guard equalsIgnoringCase(String(type), "application/x-www-form-urlencoded") else {
            throw ExchangeError(.notAForm, "request body is not application/x-www-form-urlencoded")
        }
        return Parameters(decoding: try body.readAll(limit: limit))
    }
}

/// The headers of a request, by their HTTP names: `request.headers["User-Agent"]`.
public struct RequestHeaders {
    let exchange: Exchange

    /// The value of a header; the server has joined several of the same name with ", ".
    ///
    /// Nil if it was not sent.
    public subscript(name: String) -> String? {
        let isCGI = equalsIgnoringCase(name, "content-type") || equalsIgnoringCase(name, "content-length")
        return exchange.value(ofHeader: name, prefix: isCGI ? "" : "HTTP_")
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension Request: Sendable {}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension RequestHeaders: Sendable {}
