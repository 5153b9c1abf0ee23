internal import CSWSGI
internal import SWSGIWire

// What comes before the head of a response, and after its body.
extension ResponseBuffer {
    /// Sends an interim response.
    mutating func interim(_ status: UInt32, _ headers: UnsafeBufferPointer<swsgi_header>) -> Int32 {
        guard !isStarted else { return ABIResult.started }
        guard !isGone else { return ABIResult.clientGone }
        // 100 is httpd's own, 101 would end the exchange.
        guard (102...103).contains(status) else { return ABIResult.status }
        let problem = Self.problem(headers) { !isContentLength($0) }
        guard problem == ABIResult.ok else { return problem }
        guard interimCount < ResponseHead.interimLimit else { return ABIResult.limit }
        interimCount += 1
        append(.interim, status: UInt16(status), headers)
        return send(.init(start: nil, count: 0)) ? ABIResult.ok : ABIResult.clientGone
    }

    /// Adds the fields that follow the body; they travel with what is kept back.
    mutating func trailers(_ headers: UnsafeBufferPointer<swsgi_header>) -> Int32 {
        guard isStarted else { return ABIResult.notStarted }
        guard !isGone else { return ABIResult.clientGone }
        guard !hasTrailers else { return ABIResult.started }
        let problem = Self.problem(headers, allows: HeaderSyntax.isTrailer)
        guard problem == ABIResult.ok else { return problem }
        hasTrailers = true
        closeFrame()
        append(.trailers, status: 0, headers)
        return ABIResult.ok
    }

    /// What is wrong with fields, or OK.
    private static func problem(
        _ headers: UnsafeBufferPointer<swsgi_header>,
        allows: (UnsafeRawBufferPointer) -> Bool
    ) -> Int32 {
        var size = ResponseHead.fixedSize
        for header in headers {
            let (name, value) = (bytes(header.name), bytes(header.value))
            guard HeaderSyntax.isToken(name), allows(name) else { return ABIResult.headerName }
            guard HeaderSyntax.isValue(value) else { return ABIResult.headerValue }
            size += 8 + name.count + value.count
            guard size <= FrameHeader.fieldsLimit else { return ABIResult.headSize }
        }
        return headers.count <= ResponseHead.headerLimit ? ABIResult.ok : ABIResult.headSize
    }

    private mutating func append(_ kind: FrameKind, status: UInt16, _ headers: UnsafeBufferPointer<swsgi_header>) {
        let size = headers.reduce(ResponseHead.fixedSize) { $0 + 8 + bytes($1.name).count + bytes($1.value).count }
        reserve(FrameHeader.size + size)
        append(kind, length: size)
        append(status)
        append(UInt16(headers.count))
        append(UInt32(0))
        append(Int64(-1))
        for header in headers { append(header) }
    }
}
