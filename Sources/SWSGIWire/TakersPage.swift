internal import Synchronization

/// Which daemon process has taken which exchange of one group: a number for each of httpd's threads that may have one.
///
/// httpd's parent makes it, one for each group, as every process of the group writes to it: nothing that stands there is
/// believed but the number of a process of the same group, which the supervisor has seen end. An exchange costs each side one
/// store. Place 0 belongs to exchanges without a place.
public struct TakersPage: @unchecked Sendable {  // atomics
    private let base: UnsafeMutableRawPointer
    private let places: Int

    /// Bytes for so many places.
    public static func size(places: Int) -> Int { (places + 1) * MemoryLayout<Int32>.size }

    /// A view of memory of so many bytes.
    public init(_ base: UnsafeMutableRawPointer, bytes: Int) {
        self.base = base
        places = bytes / MemoryLayout<Int32>.size
    }

    /// Says that the exchange with this place has been taken by process `pid`; 0: by none yet.
    public func set(_ pid: Int32, at place: UInt32) {
        guard place != 0, place < places else { return }
        word(place).pointee.store(pid, ordering: .relaxed)
    }

    /// The process that has taken it; 0: none has said so.
    public func pid(at place: UInt32) -> Int32 {
        guard place != 0, place < places else { return 0 }
        return word(place).pointee.load(ordering: .relaxed)
    }

    private func word(_ place: UInt32) -> UnsafeMutablePointer<Atomic<Int32>> {
        base.advanced(by: Int(place) * MemoryLayout<Int32>.size).assumingMemoryBound(to: Atomic<Int32>.self)
    }
}
