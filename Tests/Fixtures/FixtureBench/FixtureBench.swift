public import SWSGI

/// What scripts/bench asks for beside a greeting; scripts/bench.d/bench.py is the same for mod_wsgi.
///
/// - `/memory` answers 10 MiB in one piece, `/chunks` the same in pieces of 64 KiB without a Content-Length, `/file` as the file
///   `large` of the working directory;
/// - `/upload` reads the request body in pieces and answers how many bytes it had;
/// - `/headers` answers the length of the values of all request headers;
/// - `/json` answers a list of 24 records, about 2 KB.
@c public func application() -> ExportedApplication { export(Bench()) }

private struct Bench: Application {
    private let large = [UInt8](repeating: 120, count: 10 << 20)

    func respond(to request: Request) throws -> Response {
        switch request.path {
        case "/memory": .bytes(large, type: "application/octet-stream")
        case "/chunks": chunks()
        case "/file": try .file("large", type: "application/octet-stream")
        case "/upload": try upload(request)
        case "/headers": headers(request)
        case "/json": .bytes(json(), type: "application/json")
        default: throw HTTPError(.notFound)
        }
    }

    private func chunks() -> Response {
        let pieces = stride(from: 0, to: large.count, by: 65536).lazy.map { large[$0..<$0 + 65536] }
        return Response(headers: ["Content-Type": "application/octet-stream"], body: Body(pieces))
    }

    private func upload(_ request: Request) throws -> Response {
        var bytes = 0
        try request.body.forEachChunk { bytes += $0.count }
        return .text("\(bytes)\n")
    }

    private func headers(_ request: Request) -> Response {
        var length = 0
        for (name, value) in request.environ where name.hasPrefix("HTTP_") { length += value.utf8.count }
        return .text("\(length)\n")
    }

    private func json() -> [UInt8] {
        var text = "["
        for number in 0..<24 {
            if number > 0 { text += ", " }
            text += #"{"id": \#(number), "name": "name of record \#(number)", "even": \#(number % 2 == 0), "#
            text += #""values": [1, 2, 3, 4]}"#
        }
        return Array((text + "]").utf8)
    }
}
