/// A status code with its reason phrase (RFC 9110, section 15).
public struct Status: Equatable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// The code; a response can be sent with 200 to 599.
    public let code: UInt16

    /// The reason phrase; HTTP/2 does not transmit it.
    public let reason: String

    /// Code, space and reason phrase, as `startResponse` takes them: "200 OK".
    public var line: String { "\(code) \(reason)" }

    /// Throws an ``ExchangeError`` with the code `invalidStatus` if no response can have this status; its message gives the reason.
    ///
    /// A final status is 200 to 599, and its phrase is ASCII of at most 256 bytes without control characters.
    public func check() throws(ExchangeError) { try HeadRules.check(status: UInt32(code), reason: reason) }

    /// A code with the phrase that belongs to it, or with one of your own.
    public init(_ code: UInt16, _ reason: String? = nil) {
        self.code = code
        self.reason = reason ?? Status.phrase(code)
    }

    /// A code with the phrase that belongs to it.
    public init(integerLiteral value: UInt16) { self.init(value) }

    /// 200 OK.
    public static var ok: Status { 200 }
    /// 201 Created.
    public static var created: Status { 201 }
    /// 202 Accepted.
    public static var accepted: Status { 202 }
    /// 204 No Content.
    public static var noContent: Status { 204 }
    /// 301 Moved Permanently.
    public static var movedPermanently: Status { 301 }
    /// 302 Found.
    public static var found: Status { 302 }
    /// 303 See Other: the answer to a form, so that reloading the next page does not send the form again.
    public static var seeOther: Status { 303 }
    /// 304 Not Modified.
    public static var notModified: Status { 304 }
    /// 307 Temporary Redirect.
    public static var temporaryRedirect: Status { 307 }
    /// 308 Permanent Redirect.
    public static var permanentRedirect: Status { 308 }
    /// 400 Bad Request.
    public static var badRequest: Status { 400 }
    /// 401 Unauthorized.
    public static var unauthorized: Status { 401 }
    /// 403 Forbidden.
    public static var forbidden: Status { 403 }
    /// 404 Not Found.
    public static var notFound: Status { 404 }
    /// 405 Method Not Allowed.
    public static var methodNotAllowed: Status { 405 }
    /// 409 Conflict.
    public static var conflict: Status { 409 }
    /// 413 Content Too Large.
    public static var contentTooLarge: Status { 413 }
    /// 415 Unsupported Media Type.
    public static var unsupportedMediaType: Status { 415 }
    /// 422 Unprocessable Content.
    public static var unprocessableContent: Status { 422 }
    /// 429 Too Many Requests.
    public static var tooManyRequests: Status { 429 }
    /// 500 Internal Server Error.
    public static var internalServerError: Status { 500 }
    /// 501 Not Implemented.
    public static var notImplemented: Status { 501 }
    /// 502 Bad Gateway.
    public static var badGateway: Status { 502 }
    /// 503 Service Unavailable.
    public static var serviceUnavailable: Status { 503 }
    /// 504 Gateway Timeout.
    public static var gatewayTimeout: Status { 504 }
}

extension Status {
    /// The phrase of a registered code, and otherwise that of its class.
    private static func phrase(_ code: UInt16) -> String {
        switch code {
        case 200..<300: successPhrase(code)
        case 300..<400: redirectionPhrase(code)
        case 400..<500: clientErrorPhrase(code)
        case 500..<600: serverErrorPhrase(code)
        default: "Unknown"
        }
    }

    private static func successPhrase(_ code: UInt16) -> String {
        switch code {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 203: "Non-Authoritative Information"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 207: "Multi-Status"
        default: "Success"
        }
    }

    private static func redirectionPhrase(_ code: UInt16) -> String {
        switch code {
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        default: "Redirection"
        }
    }

    private static func clientErrorPhrase(_ code: UInt16) -> String {
        switch code {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 407: "Proxy Authentication Required"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 418: "I'm a teapot"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 424: "Failed Dependency"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 451: "Unavailable For Legal Reasons"
        default: "Client Error"
        }
    }

    private static func serverErrorPhrase(_ code: UInt16) -> String {
        switch code {
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        case 508: "Loop Detected"
        case 511: "Network Authentication Required"
        default: "Server Error"
        }
    }
}
