internal import Glibc
public import SWSGI

/// Records the id of each request, `id=` of the query, in a file of its process, and answers it with `size=` bytes after it.
@c public func application() -> ExportedApplication {
    let ids = Ids(directory: getenv("SOAK_IDS").map { String(cString: $0) } ?? "/nonexistent")
    return export { environ, startResponse in
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        let id = query["id"] ?? "none"
        try ids.record(id)
        var received = 0
        try environ.input.forEachChunk { received += $0.count }
        startResponse("200 OK", [("Content-Type", "text/plain")])
        let fill = String(repeating: "x", count: query["size"].flatMap { Int($0) } ?? 0)
        return ["\(id) \(received)\n\(fill)"]
    }
}

/// A file that request threads append to, a line in one call.
private struct Ids: Sendable {
    private let file: Int32

    init(directory: String) {
        file = open("\(directory)/\(getpid())", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    }

    func record(_ id: String) throws {
        let line = id + "\n"
        let count = line.utf8.count
        guard write(file, line, count) == count else { throw NotRecorded() }
    }
}

private struct NotRecorded: Error {}
