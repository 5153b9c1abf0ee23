import Glibc
public import SWSGI

/// Moves bodies in either direction.
///
/// - `/echo` streams the request body back in the pieces in which it comes;
/// - `/count` reads it all and answers `bytes=N fnv=HEX`;
/// - `/generate?bytes=N` streams N bytes of the pattern in pieces of 64 KiB, without a Content-Length;
/// - `/noread` answers without reading the request body;
/// - `/patient` works until it is cancelled, for 30 seconds at most, says so in the log and fails; with `?read=1` it reads the
///   first byte of the request body before, with `?answer=1` it answers in spite of all, with `?check=1` it fails by
///   `checkCancellation()`, with `?begun=1` it has begun its response, with `&quiet=1` it just ends that too early, and with
///   `?tagged=1` the response that it has begun has the `ETag` "tag";
/// - `/stubborn?until=FILE` works until that file exists, without looking at anything else;
@c public func application() -> ExportedApplication { export(Echo()) }

private struct Echo: Application {
    func respond(to request: Request) throws -> Response {
        switch request.path {
        case "/echo": echo(request)
        case "/count": try count(request)
        case "/generate": try generate(request)
        case "/noread": .text("not read\n")
        case "/patient": try patient(request)
        case "/stubborn": stubborn(request)
        default: throw HTTPError(.notFound)
        }
    }

    private func echo(_ request: Request) -> Response {
        .stream(type: request.contentType ?? "application/octet-stream") { writer in
            try request.body.forEachChunk { bytes in try writer.write(bytes) }
        }
    }

    private func count(_ request: Request) throws -> Response {
        var bytes = 0
        var hash = FNV()
        try request.body.forEachChunk { chunk in
            bytes += chunk.count
            hash.add(chunk)
        }
        return .text("bytes=\(bytes) fnv=\(String(hash.value, radix: 16))\n")
    }

    private func patient(_ request: Request) throws -> Response {
        if request.query["begun"] != nil || request.query["tagged"] != nil { return begun(request) }
        if request.query["read"] != nil { _ = try request.body.read(upTo: 1) }
        request.log.log(
            .info,
            "waits for its client at /patient\(request.queryString.isEmpty ? "" : "?")\(request.queryString)"
        )
        for _ in 0..<1500 where !request.isCancelled { usleep(20_000) }
        if request.query["check"] != nil { try request.checkCancellation() }
        request.log.log(.info, request.isCancelled ? "was cancelled" : "was not cancelled")
        if request.query["answer"] != nil { return .text("patience\n") }
        throw HTTPFailure()
    }

    private func begun(_ request: Request) -> Response {
        var response = Response.stream(type: "text/plain") { writer in
            try writer.write("begun\n")
            for _ in 0..<1500 where !request.isCancelled { usleep(20_000) }
            if request.query["quiet"] == nil { try request.checkCancellation() }
        }
        if request.query["quiet"] != nil { response.headers["Content-Length"] = "1000" }
        if request.query["tagged"] != nil { response.headers["ETag"] = "\"tag\"" }
        return response
    }

    private func stubborn(_ request: Request) -> Response {
        while access(request.query["until"] ?? "", F_OK) != 0 { usleep(5000) }
        return .text("stubborn\n")
    }

    private func generate(_ request: Request) throws -> Response {
        guard let wanted = request.query["bytes"].flatMap({ Int($0) }), wanted >= 0 else {
            throw HTTPError(.badRequest, "bytes=N is missing")
        }
        return .stream(type: "application/octet-stream") { writer in
            var offset = 0
            while offset < wanted {
                let size = min(65536, wanted - offset)
                try writer.write((offset..<offset + size).map(pattern))
                offset += size
            }
        }
    }
}

/// An error that nobody expects.
private struct HTTPFailure: Error {}

/// The byte at an offset of what `/generate` sends: 251 is prime, so that no block size hides a shift.
private func pattern(at offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset % 251) }

/// FNV-1a, 64 bits.
private struct FNV {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
