internal import CSWSGIModule
internal import SWSGIModuleCore
internal import SWSGIWire

// What comes before the head of a response, and after its body.
extension Relay {
    mutating func interim(_ payload: UnsafeRawBufferPointer) throws(Malformed) {
        guard state.phase == .waiting else { throw Malformed("an interim response after the head", isOutOfOrder: true) }
        interimCount += 1
        guard interimCount <= ResponseHead.interimLimit else { throw Malformed("\(interimCount) interim responses") }
        let head = try ReceivedResponseHead(payload, statuses: 102...103)
        // Not everybody understands them.
        guard let final = swsgi_interim_begin(request) else { return }
        head.forEachHeader { name, value in
            guard let start = name.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            let text = value.baseAddress?.assumingMemoryBound(to: CChar.self)
            swsgi_interim_header(request, start, name.count, text, value.count)
        }
        swsgi_interim_end(request, final, Int32(head.status))
    }
}
