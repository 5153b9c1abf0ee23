public import SWSGI

/// Keeps files of any size, 64 KiB of them in memory at a time.
///
///     curl -T big.iso http://localhost/upload/big.iso     stores a file, and says its size and checksum
///     curl -O http://localhost/upload/big.iso             sends it back
///     curl -X DELETE http://localhost/upload/big.iso      removes it
///
/// Files lie in the current directory as `NAME.upload`. A file appears under its name when it is complete.
@c public func application() -> ExportedApplication { export(Upload()) }

private struct Upload: Application {
    func respond(to request: Request) throws -> Response {
        if request.path == "" || request.path == "/" { return usage(request) }
        guard let name = fileName(request.path) else { throw HTTPError(.notFound) }
        switch request.method {
        case "PUT", "POST": return try store(request.body, name)
        case "GET", "HEAD": return try .file(name, type: "application/octet-stream")
        case "DELETE":
            guard remove(name) else { throw HTTPError(.notFound) }
            return Response(status: .noContent)
        default:
            return Response(status: .methodNotAllowed, headers: ["Allow": "GET, HEAD, PUT, POST, DELETE"])
        }
    }

    private func store(_ body: RequestBody, _ name: String) throws -> Response {
        let file = try NewFile(name)
        var size = 0
        var checksum: UInt64 = 0xcbf2_9ce4_8422_2325
        try body.forEachChunk { bytes in
            try file.write(bytes)
            size += bytes.count
            // FNV-1a, 64 bits.
            for byte in bytes { checksum = (checksum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        try file.keep()
        return .text("size=\(size) fnv1a64=\(String(checksum, radix: 16))\n", status: .created)
    }

    private func usage(_ request: Request) -> Response {
        .text("PUT a file to \(request.scriptName)/NAME, GET it back, DELETE it.\n")
    }

    /// The file for a path of one part; nothing in it can lead out of the directory.
    private func fileName(_ path: String) -> String? {
        let name = path.utf8.dropFirst()
        let isPlain = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isPlain, !name.isEmpty, name.count <= 100 else { return nil }
        return String(Substring(name)) + ".upload"
    }
}
