internal import CSWSGIModule
internal import SWSGIModuleCore
internal import SWSGIWire

// What comes before the head of a response, and after its body.
extension ClientResponse {
    mutating func interim(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        guard state.phase == .waiting else { throw Malformed("an interim response after the head", isOutOfOrder: true) }
        interimCount += 1
        guard interimCount <= ResponseHead.interimLimit else { throw Malformed("\(interimCount) interim responses") }
        let head = try ReceivedResponseHead(payload, statuses: 102...103)
        // HTTP/1.0 has none of them, and the response to a question is not for the client.
        guard facts.question == nil, let final = swsgi_interim_begin(request) else { return }
        add(head, isTrailer: false)
        swsgi_interim_end(request, final, Int32(head.status))
    }

    mutating func trailers(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        guard state.phase == .streaming, !hasTrailers else {
            throw Malformed("trailers that follow nothing, or others", isOutOfOrder: true)
        }
        hasTrailers = true
        let fields = try ReceivedResponseHead(payload, statuses: 0...0)
        if facts.question == nil { add(fields, isTrailer: true) }
    }

    private func add(_ head: ReceivedResponseHead, isTrailer: Bool) {
        head.forEachHeader { name, value in
            guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            guard !isTrailer || HeaderSyntax.isTrailer(name) else { return }
            let text = value.baseAddress?.assumingMemoryBound(to: CChar.self)
            swsgi_field_add(request, isTrailer ? 1 : 0, start, name.count, text, value.count)
        }
    }
}
