import SWSGIModuleCore
import SWSGISystem
import SWSGIWire

/// What a reader gave, with copies of the bytes.
enum Piece: Equatable {
    case frame(FrameKind, [UInt8])
    case data([UInt8])
    case ended
    case timedOut
    case malformed(String)
}

/// A socket pair with a reader at one end.
struct Line: ~Copyable {
    var reader = FrameReader()
    let near: Descriptor
    let far: Descriptor

    init() throws {
        let pair = try Socket.pair(.stream)
        near = pair.first
        far = pair.second
    }

    /// Everything that is there now; data frames that follow each other are put together.
    mutating func read() -> [Piece] {
        var pieces: [Piece] = []
        while let piece = readOne() {
            if case .data(let more) = piece, case .data(let bytes)? = pieces.last {
                pieces[pieces.count - 1] = .data(bytes + more)
            } else {
                pieces.append(piece)
            }
            switch piece {
            case .ended, .malformed, .timedOut: return pieces
            default: break
            }
        }
        return pieces
    }

    mutating func readOne(waits: Bool = false) -> Piece? {
        do throws(Malformed) {
            switch try reader.next(near.number, waits: waits) {
            case .frame(let kind, let payload): return .frame(kind, Array(payload))
            case .data(let bytes): return .data(Array(bytes))
            case .nothing: return nil
            case .ended: return .ended
            case .timedOut: return .timedOut
            }
        } catch {
            return .malformed(error.description)
        }
    }

    /// Sends the bytes in pieces and reads after each.
    mutating func pump(_ bytes: [UInt8], pieces: Int) throws -> [Piece] {
        var received: [Piece] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(try send(piece))
            for piece in read() {
                if case .data(let more) = piece, case .data(let bytes)? = received.last {
                    received[received.count - 1] = .data(bytes + more)
                } else {
                    received.append(piece)
                }
            }
        }
        return received
    }

    private func send(_ bytes: [UInt8]) throws -> Int {
        try bytes.withUnsafeBytes { try Socket.send(far.number, $0, waits: false) }
    }
}
