import CSWSGI
import Glibc
import SWSGI

/// What an application made a host do, in order.
enum Event: Equatable {
    case head(UInt32, String, [String])
    case write(String)
    case flush
    case log(Int32, String)
    case asked(Int)
    case file(String, Int64, Int64)
    case interim(UInt32, [String])
    case trailers([String])
}

/// A host for one exchange at a time, made of nothing but its table.
final class FakeHost {
    var events: [Event] = []
    /// What reading the request body gives, piece by piece; nil is a failure.
    var body: [String?] = []
    /// What `write` returns once it has been called `writesUntilFailure` times.
    var writeFailure: Int32 = 0
    var writesUntilFailure = 0
    /// What `start_response` returns.
    var startResult: Int32 = 0
    /// What `send_file` returns.
    var fileResult: Int32 = 0
    /// What `interim` returns.
    var interimResult: Int32 = 0
    var isCancelled = false
    var reads = 0

    private let environ: [(name: Text, value: Text)]
    private let table = UnsafeMutablePointer<FakeTable>.allocate(capacity: 1)
    private let entryFile = Text("/srv/www/test.wsgi")

    init(_ environ: KeyValuePairs<String, String> = [:], version: UInt32 = SWSGI_ABI_VERSION, size: Int? = nil) {
        self.environ = environ.map { (Text($0.key), Text($0.value)) }
        let size = UInt32(size ?? MemoryLayout<FakeTable>.size)
        table.initialize(
            to: FakeTable(
                host: makeHost(version: version, size: size, entryFile: entryFile.text),
                owner: Unmanaged.passUnretained(self)
            )
        )
    }

    deinit { table.deallocate() }

    /// Lets an application answer one request.
    func respond(_ application: ExportedApplication) -> Int32 {
        let exchange = OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
        return application.pointee.respond(application.pointee.context, hostTable, exchange)
    }

    /// The lines of the log, without their levels.
    var logged: [String] {
        events.compactMap { if case .log(_, let text) = $0 { text } else { nil } }
    }

    /// All content that was written.
    var content: String {
        events.compactMap { if case .write(let text) = $0 { text } else { nil } }.joined()
    }

    var hostTable: UnsafePointer<swsgi_host> {
        UnsafeRawPointer(table).assumingMemoryBound(to: swsgi_host.self)
    }

    fileprivate func entry(_ index: Int) -> (swsgi_text, swsgi_text)? {
        environ.indices.contains(index) ? (environ[index].name.text, environ[index].value.text) : nil
    }

    fileprivate var count: Int { environ.count }
}

/// A host's table that has grown at its end.
private struct FakeTable {
    var host: swsgi_host
    var owner: Unmanaged<FakeHost>
}

/// Text at an address that stays.
private final class Text {
    let bytes: UnsafeMutableBufferPointer<CChar>

    init(_ text: String) {
        bytes = .allocate(capacity: text.utf8.count)
        _ = bytes.initialize(from: text.utf8.map { CChar(bitPattern: $0) })
    }

    var text: swsgi_text { swsgi_text(bytes: bytes.baseAddress, length: bytes.count) }

    deinit { bytes.deallocate() }
}

private func content(of descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

private func fake(_ exchange: OpaquePointer) -> FakeHost {
    Unmanaged<FakeHost>.fromOpaque(UnsafeRawPointer(exchange)).takeUnretainedValue()
}

private func string(_ text: swsgi_text) -> String {
    String(decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.length), as: UTF8.self)
}

private func makeHost(version: UInt32, size: UInt32, entryFile: swsgi_text) -> swsgi_host {
    let none = swsgi_text(bytes: nil, length: 0)
    return swsgi_host(
        abi_version: version,
        size: size,
        software: none,
        process_group: none,
        application_group: none,
        entry_file: entryFile,
        threads: 4,
        processes: 2,
        environ_get: fakeEnvironGet,
        environ_count: { fake($0).count },
        environ_at: fakeEnvironAt,
        read: fakeRead,
        start_response: fakeStart,
        write: fakeWrite,
        flush: { exchange in
            fake(exchange).events.append(.flush)
            return 0
        },
        cancelled: { fake($0).isCancelled ? 1 : 0 },
        log: fakeLog,
        send_file: { exchange, descriptor, offset, length in
            let host = fake(exchange)
            guard host.fileResult == 0 else { return host.fileResult }
            host.events.append(.file(content(of: descriptor), offset, length))
            return 0
        },
        interim: { exchange, status, headers, count in
            let fields = UnsafeBufferPointer(start: headers, count: count)
            let host = fake(exchange)
            guard host.interimResult == 0 else { return host.interimResult }
            host.events.append(.interim(status, fields.map { "\(string($0.name)): \(string($0.value))" }))
            return 0
        },
        trailers: { exchange, headers, count in
            let fields = UnsafeBufferPointer(start: headers, count: count)
            fake(exchange).events.append(.trailers(fields.map { "\(string($0.name)): \(string($0.value))" }))
            return 0
        }
    )
}

private func fakeEnvironGet(
    _ exchange: OpaquePointer,
    _ name: UnsafePointer<CChar>,
    _ length: Int,
    _ value: UnsafeMutablePointer<swsgi_text>
) -> Int32 {
    let wanted = string(swsgi_text(bytes: name, length: length))
    let host = fake(exchange)
    for index in 0..<host.count {
        guard let (name, found) = host.entry(index), string(name) == wanted else { continue }
        value.pointee = found
        return 1
    }
    return 0
}

private func fakeEnvironAt(
    _ exchange: OpaquePointer,
    _ index: Int,
    _ name: UnsafeMutablePointer<swsgi_text>,
    _ value: UnsafeMutablePointer<swsgi_text>
) -> Int32 {
    guard let (foundName, foundValue) = fake(exchange).entry(index) else { return 0 }
    name.pointee = foundName
    value.pointee = foundValue
    return 1
}

private func fakeRead(_ exchange: OpaquePointer, _ buffer: UnsafeMutableRawPointer, _ capacity: Int) -> Int64 {
    let host = fake(exchange)
    host.reads += 1
    guard !host.body.isEmpty else { return 0 }
    guard let piece = host.body.removeFirst() else { return Int64(SWSGI_ERROR_BODY) }
    let taken = Array(piece.utf8.prefix(capacity))
    UnsafeMutableRawBufferPointer(start: buffer, count: capacity).copyBytes(from: taken)
    if taken.count < piece.utf8.count {
        host.body.insert(String(decoding: piece.utf8.dropFirst(capacity), as: UTF8.self), at: 0)
    }
    return Int64(taken.count)
}

private func fakeStart(
    _ exchange: OpaquePointer,
    _ status: UInt32,
    _ reason: swsgi_text,
    _ headers: UnsafePointer<swsgi_header>?,
    _ count: Int
) -> Int32 {
    let fields = UnsafeBufferPointer(start: headers, count: count)
    let host = fake(exchange)
    guard host.startResult == 0 else { return host.startResult }
    host.events.append(.head(status, string(reason), fields.map { "\(string($0.name)): \(string($0.value))" }))
    return 0
}

private func fakeWrite(_ exchange: OpaquePointer, _ bytes: UnsafeRawPointer?, _ length: Int) -> Int32 {
    let host = fake(exchange)
    if host.writeFailure != 0 {
        if host.writesUntilFailure == 0 { return host.writeFailure }
        host.writesUntilFailure -= 1
    }
    let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    host.events.append(.write(text))
    return 0
}

private func fakeLog(
    _ host: UnsafePointer<swsgi_host>,
    _ exchange: OpaquePointer?,
    _ level: Int32,
    _ text: UnsafePointer<CChar>?,
    _ length: Int
) {
    let owner = UnsafeRawPointer(host).assumingMemoryBound(to: FakeTable.self).pointee.owner.takeUnretainedValue()
    let line = string(swsgi_text(bytes: text, length: length))
    owner.events.append(.log(level, exchange == nil ? "after the request: \(line)" : line))
}
