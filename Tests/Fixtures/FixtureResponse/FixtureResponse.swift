public import SWSGI

/// Answers as the query says.
///
/// - `/static?path=P&type=T` is a file as `Response.file` sends it;
/// - `/part?path=P&from=N&length=N&declared=N` is a part of one, with a Content-Length of its own if `declared` is there;
/// - `/answer?status=N&body=TEXT&h=NAME:VALUE&h=...` has this status, this content and these headers; with `untyped=1` no
///   Content-Type of its own, with `unnamed=1` no reason phrase;
/// - `/large?bytes=N` is that much text at once;
/// - `/hints?count=N` sends early hints N times, reads the request body and answers with its size;
/// - `/trailers?count=N` is N lines and the trailer `X-Lines`;
/// - `/stream?count=N&h=...` is N lines, each of which is flushed.
@c public func application() -> ExportedApplication { export(Answers()) }

private struct Answers: Application {
    func respond(to request: Request) throws -> Response {
        switch request.path {
        case "/static":
            return try .file(request.query["path"] ?? "", type: request.query["type"] ?? "application/octet-stream")
        case "/part": return try part(request)
        case "/answer":
            let status = request.query["status"].flatMap { UInt16($0) } ?? 200
            let line = request.query["unnamed"] == nil ? Status(status) : Status(status, "")
            var headers = headers(request)
            let isTyped = headers["Content-Type"] != nil || [204, 205, 304].contains(status)
            if !isTyped, request.query["untyped"] == nil { headers["Content-Type"] = "text/plain" }
            return Response(status: line, headers: headers, body: Body(request.query["body"] ?? ""))
        case "/large":
            let count = request.query["bytes"].flatMap { Int($0) } ?? 0
            return Response(
                headers: ["Content-Type": "text/plain"],
                body: Body(String(repeating: "large ", count: count / 6))
            )
        case "/hints":
            for _ in 0..<(request.query["count"].flatMap { Int($0) } ?? 1) {
                try request.earlyHints(["Link": "</style.css>; rel=preload", "X-Hint": "1"])
            }
            return .text("\(try request.body.readAll(limit: 1 << 20).count) bytes\n")
        case "/trailers":
            let count = request.query["count"].flatMap { Int($0) } ?? 1
            return .stream(type: "text/plain") { writer in
                for number in 0..<count { try writer.write("line \(number)\n") }
                try writer.trailers(["X-Lines": String(count)])
            }
        case "/stream":
            let count = request.query["count"].flatMap { Int($0) } ?? 0
            var headers = headers(request)
            if headers["Content-Type"] == nil { headers["Content-Type"] = "text/plain" }
            return Response(headers: headers, body: Body((0..<count).lazy.map { "line \($0)\n" }))
        default: throw HTTPError(.notFound)
        }
    }

    private func part(_ request: Request) throws -> Response {
        let query = request.query
        let body = try Body.file(
            query["path"] ?? "",
            from: query["from"].flatMap { Int($0) } ?? 0,
            length: query["length"].flatMap { Int($0) }
        )
        let declared = query["declared"].map { [("Content-Length", $0)] } ?? []
        return Response(headers: Headers([("Content-Type", "text/plain")] + declared), body: body)
    }

    private func headers(_ request: Request) -> Headers {
        var headers = Headers()
        for field in request.query.all("h") {
            let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            headers.add(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        return headers
    }
}
