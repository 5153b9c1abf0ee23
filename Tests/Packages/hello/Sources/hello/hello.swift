import SWSGI

/// Answers every request with a line of text.
@c public func application() -> ExportedApplication {
    export { environ, startResponse in
        startResponse("200 OK", [("Content-Type", "text/plain")])
        return ["Hello, world!\n"]
    }
}
