internal import CSWSGI
internal import Glibc
internal import SWSGISystem
internal import Synchronization

/// What an application holds of an exchange: no pointer, but the number of a place and how often the place was used before.
///
/// An application may keep it and use it when the exchange is over, or from two threads at once, though the contract forbids
/// both. Such a call is refused, and never reaches another exchange. That costs each call of the host's table one atomic
/// exchange and one store.
final class ExchangeHandle {
    /// A handle's number: the place in the low bits, above them the use of the place; the highest bit is for `state`.
    private static let placeBits = 16
    private static let busy: UInt64 = 1 << 63

    /// Zeroed memory that costs nothing before it is used, and is never freed: any number may be asked for.
    nonisolated(unsafe) private static let places = calloc(
        1 << placeBits,
        MemoryLayout<Unmanaged<ExchangeHandle>?>.size
    )?
    .assumingMemoryBound(to: Unmanaged<ExchangeHandle>?.self)  // each is used by the one holder of its number
    private static let numbers = NumberPool()

    /// The number of the exchange that is running; with `busy` while a thread is in a call; 0 between exchanges.
    private let state = Atomic<UInt64>(0)
    private var number: UInt64
    private var exchange: Unmanaged<Exchange>?

    private init(place: Int) { number = UInt64(place) }

    /// A handle that has become free, or a new one; handles live as long as the process.
    static func make() -> ExchangeHandle {
        let place = numbers.take()
        // A process has at most 1000 request threads.
        precondition(place < 1 << placeBits, "too many exchanges at once")
        if let old = places?[place] { return old.takeUnretainedValue() }
        let new = ExchangeHandle(place: place)
        places?[place] = Unmanaged.passRetained(new)
        return new
    }

    /// Gives the handle back, when it is closed for good.
    func giveBack() {
        Self.numbers.giveBack(Int(number & (1 << Self.placeBits - 1)))
    }

    /// Begins an exchange; gives what the application may hold.
    func open(for exchange: Exchange) -> OpaquePointer {
        self.exchange = Unmanaged.passUnretained(exchange)
        number = (number + 1 << Self.placeBits) & ~Self.busy
        state.store(number, ordering: .releasing)
        // The use is at least 1.
        return OpaquePointer(bitPattern: UInt(number)).unsafelyUnwrapped
    }

    /// Ends the exchange; a call that another thread is in, against the contract, is waited for.
    func close() {
        var tries = 0
        while !state.compareExchange(expected: number, desired: 0, ordering: .acquiringAndReleasing).exchanged {
            tries += 1
            if tries.isMultiple(of: 1000) { usleep(1000) }
        }
    }

    /// Ends an exchange whose thread has gone; false: the thread was in a call, which never ends.
    func tryClose() -> Bool {
        for _ in 0..<100 {
            if state.compareExchange(expected: number, desired: 0, ordering: .acquiringAndReleasing).exchanged {
                return true
            }
            usleep(1000)
        }
        return false
    }

    /// Calls `work` with the exchange that an application means, or `refused` with the reason why not.
    static func use<Result>(
        _ pointer: OpaquePointer,
        _ work: (Exchange) -> Result,
        refused: (Int32) -> Result
    ) -> Result {
        let number = UInt64(UInt(bitPattern: pointer))
        guard number < busy, !ForkedProcess.isOne,
            let handle = places?[Int(number & (1 << placeBits - 1))]?
                .takeUnretainedValue()
        else { return refused(ABIResult.ended) }
        let taken = handle.state.compareExchange(expected: number, desired: number | busy, ordering: .acquiring)
        guard taken.exchanged, let exchange = handle.exchange else {
            return refused(taken.original == number | busy ? ABIResult.inUse : ABIResult.ended)
        }
        defer { handle.state.store(number, ordering: .releasing) }
        return work(exchange.takeUnretainedValue())
    }

    /// For functions of the host that return what `refused` would be called with.
    static func use<Result: FixedWidthInteger>(_ pointer: OpaquePointer, _ work: (Exchange) -> Result) -> Result {
        use(pointer, work, refused: { Result($0) })
    }
}
