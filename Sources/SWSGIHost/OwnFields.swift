internal import Glibc
internal import SWSGISystem

/// The environ keys that the daemon process knows better than httpd; made when somebody asks.
struct OwnFields: ~Copyable {
    /// How many there are.
    static let count = names.count

    private static let names: [StaticString] = [
        "mod_wsgi.thread_id", "mod_wsgi.daemon_start", "mod_wsgi.application_start",
    ]
    private static let room = 32

    private let texts = UnsafeMutableRawBufferPointer.allocate(byteCount: room * names.count, alignment: 8)
    private var lengths: [Int] = Array(repeating: 0, count: names.count)
    private var thread = 0
    private var start: Int64 = 0
    private var isWritten = false

    deinit {
        texts.deallocate()
    }

    mutating func begin(thread: Int) {
        self.thread = thread
        start = Clock.wall
        isWritten = false
    }

    mutating func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let start = name.baseAddress else { return nil }
        for (index, own) in Self.names.enumerated()
        where own.utf8CodeUnitCount == name.count && memcmp(own.utf8Start, start, name.count) == 0 {
            return field(at: index)?.value
        }
        return nil
    }

    mutating func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard Self.names.indices.contains(index) else { return nil }
        if !isWritten { writeAll() }
        let name = Self.names[index]
        let place = index * Self.room
        return (
            UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount),
            UnsafeRawBufferPointer(rebasing: texts[place..<place + lengths[index]])
        )
    }

    private mutating func writeAll() {
        write(0, String(thread))
        // Both are the moment at which this thread took the exchange: the application is called at once.
        let micros = String(start % 1_000_000)
        let seconds = "\(start / 1_000_000)." + String(repeating: "0", count: 6 - micros.utf8.count) + micros
        write(1, seconds)
        write(2, seconds)
        isWritten = true
    }

    private mutating func write(_ index: Int, _ text: String) {
        let place = index * Self.room
        var length = 0
        for byte in text.utf8.prefix(Self.room - 1) {
            texts[place + length] = byte
            length += 1
        }
        texts[place + length] = 0
        lengths[index] = length
    }
}
