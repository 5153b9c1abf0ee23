/// What a typed application answers.
public struct Response {
    /// The status; 200 OK unless said otherwise.
    public var status: Status

    /// The header fields.
    public var headers: Headers

    /// The content.
    public var body: Body

    /// A response from its parts.
    public init(status: Status = .ok, headers: Headers = [:], body: Body = Body()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Plain text in UTF-8.
    public static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Body(text))
    }

    /// A page in UTF-8.
    ///
    /// Text from outside must have gone through `HTML.escape`.
    public static func html(_ page: String, status: Status = .ok) -> Response {
        Response(status: status, headers: ["Content-Type": "text/html; charset=utf-8"], body: Body(page))
    }

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], type: String, status: Status = .ok) -> Response {
        Response(status: status, headers: ["Content-Type": type], body: Body(bytes))
    }

    /// Sends the client to another address; 303 See Other makes it ask for that with GET.
    public static func redirect(to location: String, status: Status = .seeOther) -> Response {
        Response(status: status, headers: ["Location": location])
    }

    /// A file that httpd reads and sends itself, with `Last-Modified` and an `ETag`.
    ///
    /// httpd answers conditional requests and ranges of it.
    ///
    /// - Throws: `FileError` if there is no such file, or not a regular one; passed on, it is answered with 404. With 403 and a warning
    ///   in the error log (SWSGI4140) if the process's user can't read it.
    public static func file(_ path: String, type: String, status: Status = .ok) throws(FileError) -> Response {
        let body = try Body.file(path)
        var headers: Headers = ["Content-Type": type]
        if let file = body.file {
            headers.add("Last-Modified", file.lastModified)
            headers.add("ETag", file.entityTag)
        }
        return Response(status: status, headers: headers, body: body)
    }

    /// A body that `produce` writes while it is sent.
    ///
    /// An error that it throws cuts the response off.
    public static func stream(
        type: String,
        status: Status = .ok,
        _ produce: @escaping (_ writer: ResponseWriter) throws -> Void
    ) -> Response {
        Response(status: status, headers: ["Content-Type": type], body: .stream(produce))
    }
}

/// A response may hold closures over an exchange, which belongs to one thread.
@available(*, unavailable)
extension Response: Sendable {}

/// An error that knows how it is answered.
///
/// Thrown by an application before anything was sent, it becomes its response, with a line in the log at level info.
/// Any other error is logged at level error and answered with 500.
public protocol ErrorWithResponse: Error {
    /// The answer to the request that could not be served.
    var response: Response { get }
}

/// An error that is answered with a status and one line of plain text: `throw HTTPError(.notFound)`.
public struct HTTPError: ErrorWithResponse, CustomStringConvertible {
    /// The status of the answer.
    public let status: Status

    /// The text of the answer, for everyone to read.
    public let text: String

    /// An error from a status, and a text in place of its reason phrase.
    public init(_ status: Status, _ text: String? = nil) {
        self.status = status
        self.text = text ?? status.reason
    }

    /// Status code and text.
    public var description: String { "\(status.code) \(text)" }

    /// The text and a line feed, as plain text.
    public var response: Response { .text(text + "\n", status: status) }
}
