import SWSGIWire

/// The parts of a head for tests.
struct HeadParts {
    var identity = FileIdentity(device: 1, inode: 2, size: 3, modified: -4, changed: 5)
    var requestStart: Int64 = 1_700_000_000_000_001
    var queueStart: Int64 = 1_700_000_000_000_002
    var place: UInt32 = 77
    var entryFile = "/srv/www/app.wsgi"
    var applicationGroup = "group"
    var symbol = "application"
    var line = "GET / HTTP/1.1"
    var fields: [(String, String)] = []
    var flags: ExchangeFlags = []

    func write(to writer: inout ExchangeHeadWriter) {
        writer.begin(
            identity: identity,
            requestStart: requestStart,
            queueStart: queueStart,
            place: place,
            entryFile: entryFile,
            applicationGroup: applicationGroup,
            symbol: symbol,
            line: line
        )
        for field in fields { writer.add(field.0, field.1) }
        writer.finish(flags: flags)
    }

    var bytes: [UInt8] {
        var writer = ExchangeHeadWriter()
        write(to: &writer)
        return Array(writer.bytes)
    }

    static let usual: [(String, String)] = [
        ("REQUEST_METHOD", "GET"), ("QUERY_STRING", ""), ("PATH_INFO", "/a/b"), ("HTTP_HOST", "localhost"),
        ("HTTP_X", "Grüße"),
    ]
}

extension ReceivedHead {
    /// Looks a field up by text.
    func text(of name: String) -> String? {
        Array(name.utf8).withUnsafeBytes { value(of: $0).map(string) }
    }

    /// All fields by their index.
    var allFields: [(String, String)] {
        (0..<fieldCount).compactMap { field(at: $0).map { (string($0.name), string($0.value)) } }
    }

    /// Whether all that a head gives out can be read and is followed by a NUL.
    var isConsistent: Bool {
        let fields = (0..<fieldCount).compactMap { field(at: $0) }
        let texts = [entryFile, applicationGroup, symbol, line] + fields.flatMap { [$0.name, $0.value] }
        let names = fields.allSatisfy { value(of: $0.name) != nil }
        return names && fields.count == fieldCount && field(at: fieldCount) == nil && texts.allSatisfy(hasEnd)
    }
}

/// Whether a NUL follows a text, and the text itself can be read.
func hasEnd(_ text: UnsafeRawBufferPointer) -> Bool {
    _ = text.reduce(0 as UInt8) { $0 ^ $1 }
    return text.baseAddress?.load(fromByteOffset: text.count, as: UInt8.self) == 0
}
