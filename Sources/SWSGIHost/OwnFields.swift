internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

/// The environ keys that are the same for every exchange of an instance; made once, and never freed.
struct ConstantFields: @unchecked Sendable {  // immutable
    // Not an array: request threads would take its one reference count from each other.
    private let fields: UnsafeBufferPointer<(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)>

    init(key: ApplicationKey, symbol: String, facts: HostFacts) {
        let values: [(String, String)] = [
            ("wsgi.version", "1.0"),
            ("wsgi.multithread", facts.threads > 1 ? "true" : "false"),
            ("wsgi.multiprocess", facts.isMultiprocess ? "true" : "false"),
            ("wsgi.run_once", facts.isRunOnce ? "true" : "false"),
            ("wsgi.input_terminated", "true"),
            ("mod_wsgi.version", Instance.version),
            ("mod_wsgi.process_group", facts.processGroup),
            ("mod_wsgi.application_group", key.applicationGroup),
            ("mod_wsgi.callable_object", symbol),
        ]
        let fields = UnsafeMutableBufferPointer<(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)>
            .allocate(capacity: values.count)
        _ = fields.initialize(from: values.map { (Self.permanent($0), Self.permanent($1)) })
        self.fields = UnsafeBufferPointer(fields)
    }

    var count: Int { fields.count }

    func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        fields.indices.contains(index) ? fields[index] : nil
    }

    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        fields.first { isEqual($0.name, name) }?.value
    }

    private static func permanent(_ text: String) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: strdup(text), count: text.utf8.count)
    }
}

/// The environ keys that the host makes for each exchange, when somebody asks.
struct OwnFields: ~Copyable {
    /// How many there are.
    static let count = names.count

    private static let names: [StaticString] = [
        "mod_wsgi.thread_id", "mod_wsgi.request_start", "mod_wsgi.queue_start", "mod_wsgi.daemon_start",
        "mod_wsgi.application_start",
    ]
    private static let room = 32

    private let texts = UnsafeMutableRawBufferPointer.allocate(byteCount: room * names.count, alignment: 8)
    private var lengths: [Int] = Array(repeating: 0, count: names.count)
    private var thread = 0
    private var times: (request: Int64, queue: Int64, start: Int64) = (0, 0, 0)
    private var isWritten = false

    deinit {
        texts.deallocate()
    }

    /// `queueStart` is 0 where there is no queue, and no daemon process either.
    mutating func begin(thread: Int, requestStart: Int64, queueStart: Int64) {
        self.thread = thread
        times = (requestStart, queueStart, Clock.wall)
        isWritten = false
    }

    mutating func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        for index in Self.names.indices {
            let own = Self.names[index]
            if isEqual(UnsafeRawBufferPointer(start: own.utf8Start, count: own.utf8CodeUnitCount), name) {
                return field(at: index)?.value
            }
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
        write(1, Self.seconds(times.request))
        write(2, Self.seconds(times.queue))
        // The last two are one moment: the application is called as soon as its thread has the exchange.
        write(3, Self.seconds(times.queue == 0 ? 0 : times.start))
        write(4, Self.seconds(times.start))
        isWritten = true
    }

    /// Microseconds since 1970 as seconds with six decimals.
    private static func seconds(_ microseconds: Int64) -> String {
        let time = max(microseconds, 0)
        return "\(time / 1_000_000).\(String(time % 1_000_000 + 1_000_000).dropFirst())"
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

func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
    return memcmp(first, second, left.count) == 0
}
