import SWSGIWire
import Testing

/// The parts of a response head for tests.
struct ResponseParts {
    var status: UInt16 = 200
    var headerCount: UInt16?
    var reasonLength: UInt32?
    var contentLength: Int64 = -1
    var reason: [UInt8] = Array("OK".utf8)
    var headers: [(name: [UInt8], value: [UInt8])] = []

    init() {}

    init(_ headers: KeyValuePairs<String, String>) {
        self.headers = headers.map { (Array($0.key.utf8), Array($0.value.utf8)) }
    }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(status)
        writer.write(headerCount ?? UInt16(headers.count))
        writer.write(reasonLength ?? UInt32(reason.count))
        writer.write(contentLength)
        for byte in reason { writer.write(byte) }
        for header in headers {
            writer.write(UInt32(header.name.count))
            writer.write(UInt32(header.value.count))
            for byte in header.name + header.value { writer.write(byte) }
        }
        return writer.bytes
    }
}

@Suite struct ResponseHeadTests {
    @Test func everyPart_travels() throws {
        var parts = ResponseParts(["Content-Type": "text/plain", "X-Empty": "", "Set-Cookie": "a", "set-cookie": "b"])
        parts.status = 404
        parts.reason = Array("Not Found".utf8)
        parts.contentLength = 7
        try parts.bytes.withUnsafeBytes { bytes in
            let head = try ReceivedResponseHead(bytes)
            #expect(head.status == 404)
            #expect(string(head.reason) == "Not Found")
            #expect(head.contentLength == 7)
            #expect(head.headerCount == 4)
            var headers: [String] = []
            head.forEachHeader { headers.append("\(string($0)): \(string($1))") }
            #expect(headers == ["Content-Type: text/plain", "X-Empty: ", "Set-Cookie: a", "set-cookie: b"])
        }
    }

    @Test func statuses_from200To599_areTaken_andNoOthers() {
        let taken = (0...UInt16(1000)).filter { status in
            var parts = ResponseParts()
            parts.status = status
            return refusal(parts.bytes, decode) == nil
        }
        #expect(taken == Array(200...599))
        var parts = ResponseParts()
        parts.status = .max
        #expect(refusal(parts.bytes, decode) == "status 65535")
    }

    @Test(arguments: [(-1, nil), (0, 0), (.max, .max)] as [(Int64, Int64?)])
    func contentLength_isANumberOrUnknown(_ written: Int64, _ expected: Int64?) throws {
        var parts = ResponseParts()
        parts.contentLength = written
        #expect(try parts.bytes.withUnsafeBytes { try ReceivedResponseHead($0).contentLength } == expected)
    }

    @Test(arguments: [-2, Int64.min]) func contentLengthBelowMinusOne_isRefused(_ length: Int64) {
        var parts = ResponseParts()
        parts.contentLength = length
        #expect(refusal(parts.bytes, decode) == "content length \(length)")
    }

    @Test func thousandHeaders_areTaken_andNoMore() {
        var parts = ResponseParts()
        parts.headers = Array(repeating: (Array("A".utf8), []), count: 1000)
        #expect(refusal(parts.bytes, decode) == nil)
        parts.headers.append((Array("A".utf8), []))
        #expect(refusal(parts.bytes, decode) == "1001 headers")
    }

    @Test func wrongCountOfHeaders_isRefused() {
        var parts = ResponseParts(["A": "1", "B": "2"])
        parts.headerCount = 3
        #expect(refusal(parts.bytes, decode) == "ends inside a number")
        parts.headerCount = 1
        #expect(refusal(parts.bytes, decode) == "10 bytes too many")
        parts.headerCount = .max
        #expect(refusal(parts.bytes, decode) == "65535 headers")
    }

    @Test func lengthsBeyondThePayload_areRefused() {
        var parts = ResponseParts(["A": "1"])
        parts.reasonLength = .max
        #expect(refusal(parts.bytes, decode) == "ends inside 4294967295 bytes")
        for offset in [18, 22] {
            var bytes = ResponseParts(["A": "1"]).bytes
            bytes.replaceSubrange(offset..<offset + 4, with: [0xff, 0xff, 0xff, 0xff])
            #expect(refusal(bytes, decode) == "ends inside 4294967295 bytes")
        }
    }

    @Test(arguments: ["Content-Length", "content-length", "CONTENT-LENGTH"])
    func W29_contentLengthAmongTheHeaders_isRefused(_ name: String) {
        #expect(refusal(ResponseParts([name: "5"]).bytes, decode) == "Content-Length among the headers")
        #expect(refusal(ResponseParts(["X-\(name)": "5", "Content_Length": "5"]).bytes, decode) == nil)
    }

    @Test func onlyTokenBytes_makeAHeaderName() {
        let extra = Array("!#$%&'*+-.^_`|~".utf8)
        for byte in 0...UInt8.max {
            var parts = ResponseParts()
            parts.headers = [([UInt8(ascii: "X"), byte], [])]
            let isLetterOrDigit =
                byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
            let expected = isLetterOrDigit || extra.contains(byte) ? nil : "header name is not a token"
            #expect(refusal(parts.bytes, decode) == expected, "byte \(byte)")
        }
    }

    @Test func emptyHeaderName_isRefused() {
        #expect(refusal(ResponseParts(["": "value"]).bytes, decode) == "header name is not a token")
    }

    @Test func controlCharacters_areRefused_inValuesAndReason() {
        for byte in 0...UInt8.max {
            let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7f
            var parts = ResponseParts()
            parts.headers = [(Array("X".utf8), [0x61, byte, 0x61])]
            #expect(refusal(parts.bytes, decode) == (isControl ? "control character in a header value" : nil))
            parts = ResponseParts()
            parts.reason = [0x61, byte, 0x61]
            let isText = (0x20..<0x7f).contains(byte)
            #expect(refusal(parts.bytes, decode) == (isText ? nil : "invalid reason phrase"))
        }
        var parts = ResponseParts()
        for reason in [[0x20], [0x20, 0x61], [0x61, 0x20]] as [[UInt8]] {
            parts.reason = reason
            #expect(refusal(parts.bytes, decode) == "invalid reason phrase")
        }
        parts.reason = []
        #expect(refusal(parts.bytes, decode) == nil)
        parts.reason = [UInt8](repeating: 0x61, count: ResponseHead.reasonLimit)
        #expect(refusal(parts.bytes, decode) == nil)
        parts.reason.append(0x61)
        #expect(refusal(parts.bytes, decode) == "invalid reason phrase")
    }

    @Test func everyTruncation_isRefused() throws {
        let trial = try trial()
        let bytes = ResponseParts(["Content-Type": "text/plain", "X": "1"]).bytes
        trial.feedTruncations(of: bytes)
        #expect(trial.refused == bytes.count)
    }

    @Test func everyByteChange_givesAConsistentHeadOrNone() throws {
        let trial = try trial()
        let bytes = ResponseParts(["Content-Type": "text/plain", "X": "1", "Y": ""]).bytes
        trial.feedByteChanges(of: bytes)
        #expect(trial.inconsistent == 0)
        #expect(trial.accepted > 0 && trial.refused > 0)
    }

    @Test func fiftyThousandRandomInputs_giveAConsistentHeadOrNone() throws {
        let trial = try trial()
        let bytes = ResponseParts(["Content-Type": "text/plain", "X": "1", "Y": ""]).bytes
        trial.feedRandomChanges(of: bytes, times: 30_000, seed: 3)
        trial.feedRandomBytes(upTo: 100, times: 20_000, seed: 4)
        #expect(trial.inconsistent == 0)
        #expect(trial.accepted > 0 && trial.refused > 0)
    }

    /// A head is consistent when its headers are as many as it says, and all of the form they must have.
    private func trial() throws -> Trial {
        try Trial { bytes throws(Malformed) in
            let head = try ReceivedResponseHead(bytes)
            var headers = 0
            head.forEachHeader { name, value in
                if HeaderSyntax.isToken(name), HeaderSyntax.isValue(value) { headers += 1 }
            }
            return headers == head.headerCount && (200...599).contains(head.status) && head.contentLength ?? 0 >= 0
                && HeaderSyntax.isValue(head.reason)
        }
    }

    private func decode(_ bytes: UnsafeRawBufferPointer) throws(Malformed) { _ = try ReceivedResponseHead(bytes) }
}
