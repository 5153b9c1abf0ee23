import CSWSGI

extension Request {
    /// Sends headers in advance (103 Early Hints): what the client may begin to load while the response is being made.
    ///
    ///     try request.earlyHints(["Link": "</style.css>; rel=preload; as=style"])
    ///
    /// To be called before the response has any content; as often as needed, up to 100 times, after which nothing more is
    /// sent. Clients of HTTP/1.0 get nothing. With HTTP/2, httpd sends it if `H2EarlyHints On` is set.
    public func earlyHints(_ headers: Headers) throws { try exchange.interim(103, headers) }

    /// Tells the client that the request is being worked on (102 Processing).
    ///
    /// The rules of `earlyHints(_:)` apply.
    public func processing() throws { try exchange.interim(102, [:]) }
}

extension Environ {
    /// Sends headers in advance (103 Early Hints); see `Request.earlyHints(_:)`.
    public func earlyHints(_ headers: Headers) throws { try exchange.interim(103, headers) }

    /// Tells the client that the request is being worked on (102 Processing); see `Request.earlyHints(_:)`.
    public func processing() throws { try exchange.interim(102, [:]) }
}

extension Exchange {
    /// Sends an interim response, unless the host is too old or has sent enough of them.
    fileprivate func interim(_ status: UInt32, _ headers: Headers) throws {
        guard let pointer else {
            throw ExchangeError(.completed, "an interim response was sent after request completed")
        }
        for (name, value) in headers.fields { try HeadRules.check(name: name, value: value) }
        guard host.has(\.interim) else { return }
        let result = withHeaders(headers.fields) { host.pointee.interim(pointer, status, $0, $1) }
        if result != Int32(SWSGI_ERROR_LIMIT) { try check(result) }
    }
}
