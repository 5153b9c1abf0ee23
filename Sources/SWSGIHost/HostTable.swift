internal import CSWSGI
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIWire
internal import Synchronization

/// Where applications' own log lines without an exchange go, by the address of their host table.
let instances = Mutex<[UInt: LogSink]>([:])

/// Where they go while an application is being loaded: its table is not known yet.
let loading = Mutex<LogSink?>(nil)

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
                let name = UnsafeRawBufferPointer(start: name, count: length)
                guard let found = Exchange.from(exchange).environValue(name) else { return 0 }
                value.pointee = text(found)
                return 1
            },
            environ_count: { Exchange.from($0).environCount },
            environ_at: { exchange, index, name, value in
                guard let field = Exchange.from(exchange).environField(index) else { return 0 }
                name.pointee = text(field.name)
                value.pointee = text(field.value)
                return 1
            },
            read: { exchange, buffer, capacity in
                Exchange.from(exchange).read(into: UnsafeMutableRawBufferPointer(start: buffer, count: capacity))
            },
            start_response: { exchange, status, reason, headers, count in
                Exchange.from(exchange).startResponse(
                    status: status,
                    reason: bytes(reason),
                    headers: UnsafeBufferPointer(start: headers, count: count)
                )
            },
            write: { exchange, start, length in
                Exchange.from(exchange).write(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : length))
            },
            flush: { Exchange.from($0).flush() },
            cancelled: { Exchange.from($0).isCancelled ? 1 : 0 },
            log: { host, exchange, level, start, length in
                let line = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : length)
                let level = LogLevel(rawValue: UInt8(clamping: level)) ?? .error
                if let exchange {
                    Exchange.from(exchange).log(level, line) { logToGroup(host, level, $0) }
                } else {
                    logToGroup(host, level, line)
                }
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

func bytes(_ text: swsgi_text) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text.bytes, count: text.bytes == nil ? 0 : text.length)
}
