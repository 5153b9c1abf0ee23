import CSWSGI
import Glibc
import SWSGISystem
import SWSGIWire

@testable import SWSGIHost

/// httpd's frames as a daemon process reads them: a control byte, then the stream.
///
/// Bit 7 of the control byte: look for an abort before each read. The rest: bytes of each read.
func fuzzBody(_ bytes: UnsafeRawBufferPointer) {
    guard let control = bytes.first, bytes.count <= 100_000, let pair = try? Socket.pair(.stream) else { return }
    let stream = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    guard stream.isEmpty || (try? Socket.send(pair.first.number, stream, waits: false)) == stream.count else { return }
    shutdown(pair.first.number, Int32(SHUT_WR))

    var reader = BodyReader()
    reader.begin(pair.second.number, hasBody: true)
    var got: [UInt8] = []
    var last: Int64 = 0
    withUnsafeTemporaryAllocation(byteCount: Int(control & 0x7f) + 1, alignment: 1) { piece in
        while true {
            if control & 0x80 != 0 { _ = reader.seesAbort() }
            last = reader.read(into: piece)
            promise(last <= Int64(piece.count), "\(last) bytes in a buffer of \(piece.count)")
            guard last > 0 else { return }
            got += piece[..<Int(last)]
            promise(got.count <= stream.count, "more bytes than came")
        }
    }
    let expected = model(Array(stream))
    promise(got == expected.bytes, "\(got.count) bytes of the body instead of \(expected.bytes.count)")
    promise((last == 0) == expected.isComplete, "the end is \(last)")
    promise(last == 0 || last == Int64(SWSGI_ERROR_BODY), "the error \(last)")
}

/// The same by a decoder that is as plain as can be: every byte in an array, one frame after the other.
private func model(_ stream: [UInt8]) -> (bytes: [UInt8], isComplete: Bool) {
    var bytes: [UInt8] = []
    var credit = 0
    var rest = stream[...]
    while true {
        if credit == 0 { credit = 65_536 }
        guard rest.count >= 8, rest.dropFirst().prefix(3).allSatisfy({ $0 == 0 }) else { return (bytes, false) }
        let kind = rest[rest.startIndex]
        let length = rest.dropFirst(4).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(8)
        switch kind {
        case 65:
            guard (1...credit).contains(length) else { return (bytes, false) }
            bytes += rest.prefix(length)
            guard rest.count >= length else { return (bytes, false) }
            rest = rest.dropFirst(length)
            credit -= length
        case 66: return (bytes, length == 1 && rest.first == 0)
        case 67 where length == 0: continue
        default: return (bytes, false)
        }
    }
}
