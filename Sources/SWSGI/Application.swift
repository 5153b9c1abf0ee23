/// A web application in the typed form: one value, called for every request.
///
///     struct Guestbook: Application {
///         func respond(to request: Request) throws -> Response { .text("Hello, \(request.path)!\n") }
///     }
///
///     @c public func application() -> ExportedApplication { export(Guestbook()) }
public protocol Application: Sendable {
    /// Answers one request. Called from any of the process's request threads, from several at once.
    ///
    /// An `ErrorWithResponse` becomes its response. Any other error is logged and answered with 500; if a part of the
    /// response has been sent before, the connection is cut off, so that the response does not look complete.
    func respond(to request: Request) throws -> Response

    /// Called once, when the last exchange has ended and the process is about to end. Does nothing unless implemented.
    func stopping()

    /// Called with what happens to the process, from a thread of the host's while requests run. Does nothing unless implemented.
    func observe(_ event: ProcessEvent)
}

extension Application {
    /// Nothing to do at the end.
    public func stopping() {}

    /// Nothing to do.
    public func observe(_ event: ProcessEvent) {}
}
