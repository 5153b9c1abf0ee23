internal import Glibc
internal import SWSGISystem

private let numbers = NumberPool()

/// The desks of this child, by number; as long as the child.
nonisolated(unsafe) private let desks = calloc(NumberPool.limit + 1, MemoryLayout<Unmanaged<ExchangeDesk>?>.size)?
    .assumingMemoryBound(to: Unmanaged<ExchangeDesk>?.self)  // each is used by the one holder of its number

/// Calls `work` with a desk that no other request uses meanwhile, on this thread or another.
///
/// A filter of a response (mod_include) may begin another request: that gets another desk.
func withDesk<Result>(_ work: (ExchangeDesk) -> Result) -> Result {
    let number = numbers.take()
    defer { numbers.giveBack(number) }
    guard number <= NumberPool.limit, let place = desks?.advanced(by: number) else {
        return work(ExchangeDesk(number: number))
    }
    if let desk = place.pointee { return work(desk.takeUnretainedValue()) }
    let desk = ExchangeDesk(number: number)
    place.pointee = .passRetained(desk)
    return work(desk)
}
