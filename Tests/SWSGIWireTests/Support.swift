import Glibc
import SWSGIWire
import Testing

/// Numbers that look random and are the same in every run.
struct FixedRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// What a decoder makes of many inputs; true from it means that the value it gave is consistent.
///
/// Each input lies directly before memory that can't be read: one byte too far ends the test.
final class Trial {
    typealias Decoder = (UnsafeRawBufferPointer) throws(Malformed) -> Bool

    private(set) var accepted = 0
    private(set) var refused = 0
    private(set) var inconsistent = 0
    private let decode: Decoder
    private let memory: UnsafeMutableRawBufferPointer
    private static let room = 64 * 1024

    init(_ decode: @escaping Decoder) throws {
        self.decode = decode
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let address = try #require(mmap(nil, 2 * Self.room, PROT_READ | PROT_WRITE, flags, -1, 0))
        mprotect(address + Self.room, Self.room, PROT_NONE)
        memory = UnsafeMutableRawBufferPointer(start: address, count: Self.room)
    }

    deinit { munmap(memory.baseAddress, 2 * Self.room) }

    func feed(_ bytes: some Collection<UInt8>) {
        let place = UnsafeMutableRawBufferPointer(rebasing: memory[(memory.count - bytes.count)...])
        place.copyBytes(from: bytes)
        do throws(Malformed) {
            if try decode(UnsafeRawBufferPointer(place)) { accepted += 1 } else { inconsistent += 1 }
        } catch {
            refused += 1
        }
    }

    /// All beginnings of the bytes but the whole.
    func feedTruncations(of bytes: [UInt8]) {
        for count in bytes.indices { feed(bytes[..<count]) }
    }

    /// The bytes with each byte replaced by each other value.
    func feedByteChanges(of bytes: [UInt8]) {
        var bytes = bytes
        for index in bytes.indices {
            let original = bytes[index]
            for other in 0...UInt8.max where other != original {
                bytes[index] = other
                feed(bytes)
            }
            bytes[index] = original
        }
    }

    /// The bytes with up to eight of them replaced, and sometimes without their end.
    func feedRandomChanges(of bytes: [UInt8], times: Int, seed: UInt64) {
        var random = FixedRandom(seed: seed)
        for _ in 0..<times {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let value = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
                let index = Int.random(in: changed.indices, using: &random)
                changed[index] = value.randomElement(using: &random) ?? 0
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                changed.removeLast(Int.random(in: 0..<changed.count, using: &random))
            }
            feed(changed)
        }
    }

    func feedRandomBytes(upTo limit: Int, times: Int, seed: UInt64) {
        var random = FixedRandom(seed: seed)
        for _ in 0..<times { feed(random.bytes(upTo: limit)) }
    }
}

/// What `decode` says against the bytes, or nil when it takes them.
func refusal(_ bytes: [UInt8], _ decode: (UnsafeRawBufferPointer) throws(Malformed) -> Void) -> String? {
    bytes.withUnsafeBytes { bytes in
        do throws(Malformed) {
            try decode(bytes)
            return nil
        } catch {
            return error.description
        }
    }
}

func string(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes, as: UTF8.self)
}
