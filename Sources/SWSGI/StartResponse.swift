/// The `start_response` of PEP 3333: sets status and headers.
///
/// Nothing is sent before the first content, so that a second call can replace the head when something went wrong
/// meanwhile; that call must bring the error along (`after:`).
public struct StartResponse {
    let exchange: Exchange

    /// What middleware does to status and headers.
    private var change: (@Sendable (_ status: inout String, _ headers: inout [(String, String)]) -> Void)?

    init(exchange: Exchange) { self.exchange = exchange }

    /// A `startResponse` for the application that middleware calls: it lets `change` work on status and headers, and then
    /// calls this one.
    ///
    ///     export { environ, startResponse in
    ///         try application(environ, startResponse.changing { _, headers in headers.append(("X-Served-By", "me")) })
    ///     }
    public func changing(
        _ change: @escaping @Sendable (_ status: inout String, _ headers: inout [(String, String)]) -> Void
    ) -> StartResponse {
        let outer = self.change
        var inner = self
        inner.change = { status, headers in
            change(&status, &headers)
            outer?(&status, &headers)
        }
        return inner
    }

    /// Starts the response.
    ///
    /// A status line that can't be sent, a header that can't be sent, or a second call without an error is not thrown
    /// but kept: it makes the whole response fail with 500 and a line in the error log.
    ///
    /// - Parameters:
    ///   - status: Code, space and reason phrase, as in "200 OK".
    ///   - headers: Names and values, in order.
    ///   - error: What went wrong since the first call. If content has been sent already, it fails the response.
    /// - Returns: The `write` of PEP 3333, for content that can't be returned as a body.
    @discardableResult
    public func callAsFunction(
        _ status: String,
        _ headers: [(String, String)] = [],
        after error: (any Error)? = nil
    ) -> ResponseWriter {
        taking { startTaken(line: status, headers, after: error) }
    }

    /// Starts the response with a status value: `startResponse(.notFound, ["Content-Type": "text/plain"])`.
    ///
    /// The rules of the form with a status line apply.
    @discardableResult
    public func callAsFunction(
        _ status: Status,
        _ headers: Headers = [:],
        after error: (any Error)? = nil
    ) -> ResponseWriter {
        taking {
            guard change == nil else { return startTaken(line: status.line, headers.fields, after: error) }
            keeping { () throws in
                let code = UInt32(status.code)
                try HeadRules.check(status: code, reason: status.reason)
                try exchange.start(code: code, reason: status.reason, fields: headers.fields, after: error)
            }
        }
    }

    /// Starts the response, unless another thread uses the exchange.
    private func taking(_ start: () -> Void) -> ResponseWriter {
        if exchange.take() {
            defer { exchange.release() }
            start()
        } else {
            exchange.log(.error, "startResponse(): \(ExchangeError.inUse)")
        }
        return ResponseWriter(exchange: exchange)
    }

    private func startTaken(line: String, _ headers: [(String, String)], after error: (any Error)?) {
        var line = line
        var fields = headers
        change?(&line, &fields)
        keeping { () throws in
            let (code, reason) = try HeadRules.status(line: line)
            try exchange.start(code: code, reason: reason, fields: fields, after: error)
        }
    }

    /// Starts the response with status and headers of a typed one, and returns its body for the application to return.
    ///
    ///     export { environ, startResponse in
    ///         startResponse(.html("<p>Hello, \(HTML.escape(environ.query["name"] ?? "you"))!</p>"))
    ///     }
    ///
    /// The rules of the form with a status line apply.
    public func callAsFunction(_ response: Response, after error: (any Error)? = nil) -> Body {
        self(response.status, response.headers, after: error)
        return response.body
    }

    /// Keeps what `start` throws: it fails the response.
    private func keeping(_ start: () throws -> Void) {
        do {
            try start()
        } catch {
            keep(error)
        }
    }

    private func keep(_ error: any Error) {
        if exchange.pointer == nil {
            exchange.log(.error, "startResponse() called after request completed")
        } else if exchange.failure == nil {
            exchange.failure = error
        }
    }
}

/// Writes content of a response at once, without holding anything back.
public struct ResponseWriter {
    let exchange: Exchange

    /// Sends a chunk to the client.
    ///
    /// Throws `ExchangeError` when the client has gone, when the content is longer than its Content-Length, when the
    /// response has not been started or could not be, and when the request is over. Such an error ends the response,
    /// whether or not the application passes it on.
    public func write(_ chunk: some BodyChunk) throws {
        try chunk.withChunkBytes(exchange.write)
        try exchange.flush()
    }

    /// Sends a chunk to the client, as `write` does: `let write = startResponse(...); try write("Hello")`.
    public func callAsFunction(_ chunk: some BodyChunk) throws {
        try write(chunk)
    }

    /// Sets the fields that follow the content, once.
    ///
    /// Clients of HTTP/2 get them; to others httpd does not send any. Fields that say how to read, route, cache or
    /// authenticate a message can't be among them (RFC 9110, section 6.5.1).
    public func trailers(_ headers: Headers) throws { try exchange.trailers(headers) }

    /// Whether nobody waits for the response any more.
    public var isCancelled: Bool { exchange.isCancelled }
}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension StartResponse: Sendable {}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension ResponseWriter: Sendable {}
