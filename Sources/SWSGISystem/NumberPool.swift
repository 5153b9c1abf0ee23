internal import CSWSGISystem
internal import Glibc
internal import Synchronization

/// Numbers of things that one thread at a time works with; each processor gets those again that were given back on it last.
///
/// The memory of such a thing, and that of the kernel's objects it holds, is then in the processor's cache, which it would not
/// be if each of many threads had a thing of its own. About as many numbers are given out as were ever in use at once.
/// Taking one and giving it back cost two atomic operations, and neither a lock nor a system call.
public final class NumberPool: @unchecked Sendable {
    // All of the memory is atomic.

    /// The largest number that is used again; there are more where more are needed at once.
    public static let limit = 1 << 16
    /// Bytes from one stack's head to the next: processors don't share a cache line.
    private static let line = 64

    /// For each number the one below it on a stack, or 0; zeroed memory costs nothing before it is used.
    private let below: UnsafeMutablePointer<Atomic<UInt32>>?
    /// For each processor the head of its stack: the number in the low half, above it how often the head has changed.
    private let heads: UnsafeMutableRawPointer
    private let processors: Int
    private let count = Atomic<Int>(0)

    /// A pool that has given out no number yet.
    public init() {
        processors = min(max(sysconf(Int32(_SC_NPROCESSORS_CONF)), 1), 1024)
        below = calloc(Self.limit + 1, MemoryLayout<UInt32>.size)?.assumingMemoryBound(to: Atomic<UInt32>.self)
        heads = .allocate(byteCount: processors * Self.line, alignment: Self.line)
        heads.initializeMemory(as: UInt8.self, repeating: 0, count: processors * Self.line)
    }

    deinit {
        free(below)
        heads.deallocate()
    }

    /// How many numbers there are.
    public var size: Int { count.load(ordering: .relaxed) }

    /// A number, from 1, that is the caller's alone until it gives it back.
    public func take() -> Int {
        let own = processor
        if let number = pop(own) { return number }
        for other in 1..<processors {
            if let number = pop((own + other) % processors) { return number }
        }
        return count.add(1, ordering: .relaxed).newValue
    }

    /// Gives back a number, and what its holder has written for the next one.
    public func giveBack(_ number: Int) {
        guard let below, number <= Self.limit else { return }
        let head = head(processor)
        var known = head.pointee.load(ordering: .relaxed)
        while true {
            below[number].store(UInt32(truncatingIfNeeded: known), ordering: .relaxed)
            let result = head.pointee.weakCompareExchange(
                expected: known,
                desired: Self.changed(known, to: UInt32(number)),
                ordering: .releasing
            )
            if result.exchanged { return }
            known = result.original
        }
    }

    private func pop(_ processor: Int) -> Int? {
        guard let below else { return nil }
        let head = head(processor)
        var known = head.pointee.load(ordering: .acquiring)
        while true {
            let number = UInt32(truncatingIfNeeded: known)
            guard number != 0 else { return nil }
            // It may be another's by now: then the head has changed, too.
            let next = below[Int(number)].load(ordering: .relaxed)
            let result = head.pointee.weakCompareExchange(
                expected: known,
                desired: Self.changed(known, to: next),
                ordering: .acquiring
            )
            if result.exchanged { return Int(number) }
            known = result.original
        }
    }

    private func head(_ processor: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        heads.advanced(by: processor * Self.line).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The calling thread's processor: a hint, as it may be another one the next moment.
    private var processor: Int { Int(max(swsgi_processor(), 0)) % processors }

    private static func changed(_ head: UInt64, to number: UInt32) -> UInt64 {
        ((head >> 32) &+ 1) << 32 | UInt64(number)
    }
}
