import SWSGI

extension Trouble {
    /// Status and headers as the query says: `status=`, then any number of `name=` and `value=`.
    func head(_ path: String) throws -> Body? {
        guard path == "/start" else { return nil }
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        let headers = zip(query.all("name"), query.all("value")).map { ($0, $1) }
        startResponse(query["status"] ?? "200 OK", headers)
        return Body(query["body"] ?? "started\n")
    }

    /// What comes too often, too early, or not at all.
    func order(_ path: String) throws -> Body? {
        let error = TroubleError(description: "the reason for a second start")
        switch path {
        case "/no-response": return []
        case "/start-twice":
            startResponse("200 OK", plain)
            startResponse("201 Created", plain)
            return ["never\n"]
        case "/start-twice-after-error":
            startResponse("200 OK", plain)
            startResponse("503 Service Unavailable", plain, after: error)
            return ["sorry\n"]
        case "/start-after-output":
            try startResponse("200 OK", plain)("some of the body\n")
            startResponse("500 Oops", plain)
            return ["never\n"]
        case "/start-after-output-with-error":
            try startResponse("200 OK", plain)("some of the body\n")
            startResponse("500 Oops", plain, after: error)
            return ["never\n"]
        case "/write-and-return":
            try startResponse("200 OK", plain)("written ")
            return ["returned\n"]
        case "/throw-with-length":
            try startResponse("200 OK", plain + [("Content-Length", "100")])("some of the body\n")
            throw TroubleError(description: "thrown after a head with a length")
        case "/throw-in-sequence":
            startResponse("200 OK", plain)
            return broken(error)
        default: return nil
        }
    }

    /// A body that ends with an error, and tells the log that it has been closed.
    private func broken(_ error: TroubleError) -> Body {
        var count = 0
        return Body.generate {
            count += 1
            if count > 3 { throw error }
            return "piece \(count)\n"
        }.onEnd { environ.errors.log(.info, "the body was closed after \(count) pieces") }
    }
}
