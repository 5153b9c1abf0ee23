public import SWSGI

/// Keeps files of any size, 64 KiB of them in memory at a time.
///
///     curl -T big.iso http://localhost/upload/big.iso     stores a file, and says its size and checksum
///     curl -O http://localhost/upload/big.iso             sends it back
///     curl -X DELETE http://localhost/upload/big.iso      removes it
///
/// A browser gets a page with a form at `/upload`. Files lie in the current directory as `NAME.upload`. A file appears under its name
/// when it is complete.
@c public func application() -> ExportedApplication { export(Upload()) }

private struct Upload: Application {
    func respond(to request: Request) throws -> Response {
        if request.path == "" || request.path == "/" { return try page(request) }
        guard let name = fileName(request.path) else { throw HTTPError(.notFound) }
        switch request.method {
        case "PUT", "POST":
            let stored = try store(request.body, name)
            return .text("\(stored)\n", status: .created)
        case "GET", "HEAD": return try .file(name, type: "application/octet-stream")
        case "DELETE":
            guard remove(name) else { throw HTTPError(.notFound) }
            return Response(status: .noContent)
        default:
            return Response(status: .methodNotAllowed, headers: ["Allow": "GET, HEAD, PUT, POST, DELETE"])
        }
    }

    /// The page, or what its form sends.
    private func page(_ request: Request) throws -> Response {
        let place = request.scriptName + "/"
        switch request.method {
        case "GET", "HEAD": return Page(place: place).response
        case "POST":
            guard var form = FormFile(contentType: request.contentType) else {
                throw HTTPError(.unsupportedMediaType, "Send a form, or PUT a file to \(place)NAME.")
            }
            return try store(request.body, &form, place)
        default: return Response(status: .methodNotAllowed, headers: ["Allow": "GET, HEAD, POST"])
        }
    }

    private func store(_ body: RequestBody, _ form: inout FormFile, _ place: String) throws -> Response {
        var file: NewFile?
        var name = ""
        var stored = Stored()
        try body.forEachChunk { bytes in
            try form.take(bytes) { given in
                name = plainName(given)
                if !name.isEmpty { file = try NewFile(name + ".upload") }
            } content: { content in
                try file?.write(content)
                stored.add(content)
            }
        }
        guard form.isComplete, let file else {
            return Page(place: place, complaint: "Please choose a file.", status: .unprocessableContent).response
        }
        try file.keep()
        return Page(place: place, name: name, stored: stored, status: .created).response
    }

    private func store(_ body: RequestBody, _ name: String) throws -> Stored {
        let file = try NewFile(name)
        var stored = Stored()
        try body.forEachChunk { bytes in
            try file.write(bytes)
            stored.add(bytes)
        }
        try file.keep()
        return stored
    }

    /// A name that `fileName` takes, of the last part of any path; others' characters become underscores.
    private func plainName(_ given: String) -> String {
        let last = given.utf8.split(omittingEmptySubsequences: false) { $0 == 0x2f || $0 == 0x5c }.last ?? [][...]
        return String(decoding: last.prefix(100).map { isPlain($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// The file for a path of one part; nothing in it can lead out of the directory.
    private func fileName(_ path: String) -> String? {
        let name = path.utf8.dropFirst()
        guard name.allSatisfy(isPlain), !name.isEmpty, name.count <= 100 else { return nil }
        return String(Substring(name)) + ".upload"
    }

    private func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// What has been stored.
struct Stored: CustomStringConvertible {
    private(set) var size = 0
    private var checksum: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        size += bytes.count
        // FNV-1a, 64 bits.
        for byte in bytes { checksum = (checksum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    var description: String { "size=\(size) fnv1a64=\(String(checksum, radix: 16))" }
}
