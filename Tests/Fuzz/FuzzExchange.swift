import SWSGIWire

/// The head of an exchange, as a daemon process takes it from its group's queue.
func fuzzExchange(_ bytes: UnsafeRawBufferPointer) {
    guard let head = try? ReceivedHead(bytes) else { return }
    promise(bytes.count <= ExchangeHead.limit || !head.flags.contains(.inMemory), "a head beyond the limit")
    promise(head.fieldCount <= ExchangeHead.fieldLimit, "\(head.fieldCount) fields")
    var texts = [head.entryFile, head.applicationGroup, head.symbol, head.line]
    for index in 0..<head.fieldCount {
        guard let field = head.field(at: index) else { broken("field \(index) is missing") }
        texts += [field.name, field.value]
        guard let found = head.value(of: field.name) else { broken("field \(index) is not found by its name") }
        promise(lies(found, in: bytes), "a found value lies outside")
    }
    promise(head.field(at: -1) == nil && head.field(at: head.fieldCount) == nil, "a field that is not there")
    for text in texts {
        promise(lies(text, in: bytes), "a text lies outside")
        promise(text.baseAddress.map { $0.load(fromByteOffset: text.count, as: UInt8.self) == 0 } ?? false, "no NUL")
    }
    // What httpd writes are C strings: only such a head can have come from there.
    if texts.allSatisfy({ !$0.contains(0) }) { comparesEqual(head, bytes) }
}

/// A head written again from what was read is the same, byte for byte.
private func comparesEqual(_ head: ReceivedHead, _ bytes: UnsafeRawBufferPointer) {
    var writer = ExchangeHeadWriter()
    writer.begin(
        identity: head.identity,
        requestStart: head.requestStart,
        queueStart: head.queueStart,
        place: head.place,
        entryFile: text(head.entryFile),
        applicationGroup: text(head.applicationGroup),
        symbol: text(head.symbol),
        line: text(head.line)
    )
    for index in 0..<head.fieldCount {
        guard let field = head.field(at: index) else { return }
        writer.add(text(field.name), text(field.value))
    }
    writer.finish(flags: head.flags)
    promise(writer.bytes.elementsEqual(bytes), "the head is not the same when it is written again")
}

private func text(_ view: UnsafeRawBufferPointer) -> UnsafePointer<CChar> {
    guard let start = view.baseAddress else { broken("a text without a place") }
    return start.assumingMemoryBound(to: CChar.self)
}
