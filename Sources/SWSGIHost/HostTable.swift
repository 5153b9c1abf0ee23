internal import CSWSGI
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// Where applications' own log lines without an exchange go, by the address of their host table.
let instances = Lock<[UInt: LogSink]>([:])

/// Where they go while an application is being loaded: its table is not known yet.
let loading = Lock<LogSink?>(nil)

/// Makes a host table; never freed, as applications may keep it.
func makeHostTable(key: ApplicationKey, facts: HostFacts) -> UnsafeMutablePointer<swsgi_host> {
    let table = UnsafeMutablePointer<swsgi_host>.allocate(capacity: 1)
    table.initialize(
        to: swsgi_host(
            abi_version: SWSGI_ABI_VERSION,
            size: UInt32(MemoryLayout<swsgi_host>.size),
            software: permanentText(Instance.software),
            process_group: permanentText(facts.processGroup),
            application_group: permanentText(key.applicationGroup),
            entry_file: permanentText(key.entryFile),
            threads: facts.threads,
            processes: facts.processes,
            environ_get: { exchange, name, length, value in
                ExchangeHandle.use(exchange) { exchange -> Int32 in
                    let name = UnsafeRawBufferPointer(start: name, count: max(length, 0))
                    guard let found = exchange.environValue(name) else { return 0 }
                    value.pointee = text(found)
                    return 1
                } refused: { _ in
                    0
                }
            },
            environ_count: { ExchangeHandle.use($0, { $0.environCount }, refused: { _ in 0 }) },
            environ_at: { exchange, index, name, value in
                ExchangeHandle.use(exchange) { exchange -> Int32 in
                    guard let field = exchange.environField(index) else { return 0 }
                    name.pointee = text(field.name)
                    value.pointee = text(field.value)
                    return 1
                } refused: { _ in
                    0
                }
            },
            read: { exchange, buffer, capacity in
                // A size_t above half of all memory arrives as a negative number; no read needs that much.
                let room = capacity < 0 ? 1 << 30 : min(capacity, 1 << 30)
                let buffer = UnsafeMutableRawBufferPointer(start: buffer, count: room)
                return ExchangeHandle.use(exchange) { $0.read(into: buffer) }
            },
            start_response: { exchange, status, reason, headers, count in
                ExchangeHandle.use(exchange) { exchange in
                    guard let headers = fields(headers, count) else { return exchange.refuseHead(of: count) }
                    return exchange.startResponse(status: status, reason: bytes(reason), headers: headers)
                }
            },
            write: { exchange, start, length in
                guard length >= 0 else { return ABIResult.tooLong }
                let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : length)
                return ExchangeHandle.use(exchange) { $0.write(bytes) }
            },
            flush: { ExchangeHandle.use($0) { $0.flush() } },
            cancelled: { exchange in
                ExchangeHandle.use(exchange, { $0.isCancelled ? 1 : 0 }, refused: { $0 == ABIResult.ended ? 1 : 0 })
            },
            log: { host, exchange, level, start, length in
                let line = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : max(length, 0))
                let level = LogLevel(rawValue: UInt8(clamping: level)) ?? .error
                // Another thread may have held a lock of the log's when the process was forked.
                if ForkedProcess.isOne { return }
                guard let exchange else { return logToGroup(host, level, line) }
                // Also in the middle of another thread's frame there is no place for a line.
                ExchangeHandle.use(exchange) { exchange in
                    exchange.log(level, line) { logToGroup(host, level, $0) }
                } refused: { _ in
                    logToGroup(host, level, line)
                }
            },
            send_file: { exchange, descriptor, offset, length in
                ExchangeHandle.use(exchange) { $0.sendFile(descriptor, offset: offset, length: length) }
            },
            interim: { exchange, status, headers, count in
                guard let headers = fields(headers, count) else { return ABIResult.headSize }
                return ExchangeHandle.use(exchange) { $0.interim(status, headers) }
            },
            trailers: { exchange, headers, count in
                guard let headers = fields(headers, count) else { return ABIResult.headSize }
                return ExchangeHandle.use(exchange) { $0.trailers(headers) }
            }
        )
    )
    return table
}

/// Writes to the log of the process group.
private func logToGroup(_ host: UnsafePointer<swsgi_host>, _ level: LogLevel, _ text: UnsafeRawBufferPointer) {
    let address = UInt(bitPattern: host)
    let sink = instances.withLock { $0[address] } ?? loading.withLock { $0 }
    sink?(level, String(decoding: text, as: UTF8.self))
}

private func permanentText(_ string: String) -> swsgi_text {
    swsgi_text(bytes: strdup(string), length: string.utf8.count)
}

private func text(_ bytes: UnsafeRawBufferPointer) -> swsgi_text {
    swsgi_text(bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), length: bytes.count)
}

/// The header fields that an application hands over; nil if they are too many.
///
/// Asked before any of them is looked at: a number that is not true must not lead into foreign memory.
private func fields(
    _ headers: UnsafePointer<swsgi_header>?,
    _ count: Int
) -> UnsafeBufferPointer<swsgi_header>? {
    guard (0...ResponseHead.headerLimit).contains(count) else { return nil }
    return UnsafeBufferPointer(start: headers, count: headers == nil ? 0 : count)
}

/// The bytes of a text of the application; a length that is a negative number here is none that memory can have.
func bytes(_ text: swsgi_text) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text.bytes, count: text.bytes == nil ? 0 : max(text.length, 0))
}
