/// The environ of a request (PEP 3333): CGI variables, request headers as `HTTP_NAME`, and the server's own keys.
///
/// Values are looked up in what the server sent and decoded when asked for. After the request is over, there are none.
public struct Environ {
    let exchange: Exchange

    /// The value of a key, as UTF-8; bytes that are no UTF-8 become U+FFFD.
    ///
    /// Nil if the request has no such key.
    public subscript(name: String) -> String? {
        exchange.value(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The value of a key, or `default` if the request has no such key.
    public subscript(name: String, default fallback: @autoclosure () -> String) -> String {
        self[name] ?? fallback()
    }

    /// The bytes of a value, exactly as the server sent them.
    public func bytes(_ name: String) -> [UInt8]? {
        exchange.value(of: name).map { [UInt8]($0) }
    }

    /// Calls `body` with the bytes of a value without copying them; they are valid only during the call.
    public func withBytes<Result, Failure: Error>(
        _ name: String,
        _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(exchange.value(of: name))
    }

    /// The same request as the typed form sees it: query, headers, form, and all else that `Request` has.
    public var request: Request { Request(exchange: exchange) }

    /// The decoded parameters of the query string.
    public var query: Parameters { request.query }

    /// Reads and decodes the body as a form; see `Request.form(limit:)`.
    public func form(limit: Int = 65536) throws(ExchangeError) -> Parameters { try request.form(limit: limit) }

    /// The body of the request, `wsgi.input`.
    public var input: RequestBody { RequestBody(exchange: exchange) }

    /// The error log of the request, `wsgi.errors`.
    ///
    /// `print("text", to: &environ.errors)` writes a line at level error, `to: &environ.errors[.warning]` at level warning.
    public var errors: ErrorLog {
        get { ErrorLog(exchange: exchange) }
        // For `&environ.errors` alone: the stream keeps what it has to in the exchange.
        nonmutating set { _ = newValue }
    }

    /// Facts of the host, which are the same for every request of the process.
    public var server: ServerFacts { ServerFacts(host: exchange.host) }

    /// Whether nobody waits for the response any more; long computations can look and stop.
    ///
    /// Asking costs a system call until the answer is yes.
    public var isCancelled: Bool { exchange.isCancelled }

    /// Throws `ExchangeError.Code.clientGone` if nobody waits for the response any more: ends a long computation quietly.
    public func checkCancellation() throws { try exchange.checkCancellation() }
}

extension Environ: Sequence {
    /// Goes through keys and values in the server's order.
    public struct Iterator: IteratorProtocol {
        let exchange: Exchange
        var index = 0

        /// The next key with its value.
        public mutating func next() -> (name: String, value: String)? {
            defer { index += 1 }
            return exchange.entry(at: index)
        }
    }

    /// Goes through keys and values in the server's order.
    public func makeIterator() -> Iterator { Iterator(exchange: exchange) }

    /// How many keys there are.
    public var count: Int { exchange.valueCount }

    /// How many keys there are, which spares a sequence's consumers growing.
    public var underestimatedCount: Int { count }
}

/// An exchange belongs to one thread.
@available(*, unavailable)
extension Environ: Sendable {}
