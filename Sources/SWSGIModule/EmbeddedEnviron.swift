internal import CSWSGIModule
internal import Glibc

/// The environ of a request in embedded mode: httpd's own table, looked at and not copied.
final class EmbeddedEnviron {
    private let fields: UnsafeBufferPointer<swsgi_field>
    /// What headers of trusted proxies have changed; only with WSGITrustedProxyHeaders.
    private let changed: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)]?

    init(_ request: OpaquePointer, _ facts: swsgi_request_facts) {
        var count: Int32 = 0
        let all = UnsafeBufferPointer(start: facts.environ(request, &count), count: Int(count))
        fields = all
        changed = ProxyEnviron(facts, all).map { proxies in
            let kept: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] = all.compactMap { field in
                guard let name = field.name, let value = field.value, proxies.keeps(name) else { return nil }
                return (bytes(name), bytes(value))
            }
            return kept + proxies.replacedFields(request)
        }
    }

    var count: Int { changed?.count ?? fields.count }

    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        if let changed {
            return changed.first { $0.name.elementsEqual(name) }?.value
        }
        guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
        for field in fields {
            guard let key = field.name, strncmp(key, start, name.count) == 0, key[name.count] == 0 else { continue }
            return field.value.map(bytes)
        }
        return nil
    }

    func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        if let changed { return changed.indices.contains(index) ? changed[index] : nil }
        guard fields.indices.contains(index), let name = fields[index].name, let value = fields[index].value else {
            return nil
        }
        return (bytes(name), bytes(value))
    }
}

private func bytes(_ text: UnsafePointer<CChar>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text, count: strlen(text))
}

extension swsgi_request_facts {
    /// The fields of the environ: of the request, or of a question about it.
    func environ(_ request: OpaquePointer, _ count: inout Int32) -> UnsafePointer<swsgi_field>? {
        guard let question else { return swsgi_environ(request, &count) }
        return swsgi_question_environ(request, question, symbol, &count)
    }
}
