import Glibc
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire

/// Says in a line for each message of a file what the decoders make of it, for the comparison with scripts/fuzz.d/model.py.
///
/// A message in the file: kind UInt8 ("R" reply stream, "E" exchange head, "W" worker message) | length UInt32 | bytes.
func printVerdicts(on file: String) {
    guard let memory = try? Descriptor.open(file, O_RDONLY),
        let bytes = try? Memory.read(memory.number, limit: 1 << 30)
    else { broken("\(file) can't be read") }
    var output = ""
    bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            guard let kind = try? reader.read(UInt8.self), let length = try? reader.read(UInt32.self),
                let message = try? reader.read(count: Int(length))
            else { broken("\(file) is cut") }
            switch kind {
            case UInt8(ascii: "R"): output += reply(message)
            case UInt8(ascii: "E"): output += exchange(message)
            default: output += (try? WorkerMessage(message)) == nil ? "bad" : "ok"
            }
            output += "\n"
        }
    }
    print(output, terminator: "")
}

private func exchange(_ bytes: UnsafeRawBufferPointer) -> String {
    guard let head = try? ReceivedHead(bytes) else { return "bad" }
    var texts = [head.entryFile, head.applicationGroup, head.symbol, head.line]
    for index in 0..<head.fieldCount {
        if let field = head.field(at: index) { texts += [field.name, field.value] }
    }
    return
        "ok \(head.flags.rawValue) \(head.requestStart) \(head.identity.inode) \(texts.map(hex).joined(separator: ","))"
}

/// Each frame, whole or as far as it has come, and how the stream ended: well, badly, or in the middle.
private func reply(_ bytes: UnsafeRawBufferPointer) -> String {
    guard let pair = try? Socket.pair(.stream),
        bytes.isEmpty || (try? Socket.send(pair.first.number, bytes, waits: false)) == bytes.count
    else { broken("no socket") }
    var reader = FrameReader()
    var words: [String] = []
    var body = ""
    func endBody() {
        if !body.isEmpty { words.append("3:\(body)") }
        body = ""
    }
    do throws(Malformed) {
        while true {
            switch try reader.next(pair.second.number, waits: false) {
            case .frame(let kind, let payload):
                endBody()
                switch kind {
                case .head: try words.append(head(kind, payload, 200...599))
                case .interim: try words.append(head(kind, payload, 102...103))
                case .trailers: try words.append(head(kind, payload, 0...0))
                case .file:
                    let part = try FilePart(payload)
                    words.append("8:\(part.offset):\(part.length)")
                default: words.append("\(kind.rawValue):\(hex(payload))")
                }
            case .data(let piece): body += hex(piece)
            default:
                endBody()
                return (words + [reader.isEmpty ? "ok" : "cut"]).joined(separator: " ")
            }
        }
    } catch {
        endBody()
        return (words + ["bad"]).joined(separator: " ")
    }
}

private func head(
    _ kind: FrameKind,
    _ payload: UnsafeRawBufferPointer,
    _ statuses: ClosedRange<Int>
) throws(Malformed) -> String {
    let head = try ReceivedResponseHead(payload, statuses: statuses)
    var words = ["\(kind.rawValue)", "\(head.status)", "\(head.contentLength ?? -1)", hex(head.reason)]
    head.forEachHeader { words += [hex($0), hex($1)] }
    return words.joined(separator: ":")
}

private func hex(_ bytes: UnsafeRawBufferPointer) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
