internal import Synchronization

// The page of ended processes: the supervisor writes it, httpd's children map it read-only, so that the log line of a request
// whose process died can say which process and which signal. For each group: how many have ended (UInt64), then a ring of
// `slots` records: sequence UInt64 | monotonic nanoseconds Int64 | pid Int32 | wait status Int32. Then, while the group is broken:
// when the next attempt is due, monotonic nanoseconds Int64 (0: it is not broken) | since when, wall clock Int64.

/// An end of a daemon process, as the supervisor saw it.
public struct RecordedEnd: Equatable, Sendable {
    /// When, on the monotonic clock, in nanoseconds.
    public var time: Int64
    /// Which process.
    public var pid: Int32
    /// How: what wait reported.
    public var waitStatus: Int32

    /// A record from its parts.
    public init(time: Int64, pid: Int32, waitStatus: Int32) {
        self.time = time
        self.pid = pid
        self.waitStatus = waitStatus
    }
}

/// A process group that has no process, and will not have one for a while.
public struct BrokenGroup: Equatable, Sendable {
    /// When the next one is started, on the monotonic clock, in nanoseconds.
    public var retryAt: Int64
    /// Since when, in microseconds since 1970.
    public var since: Int64

    /// A state from its parts.
    public init(retryAt: Int64, since: Int64) {
        self.retryAt = retryAt
        self.since = since
    }
}

/// A view of the page's memory.
public struct EndsPage: @unchecked Sendable {  // one writer, and readers that check the sequence numbers
    private static let slots = 32
    private static let slotSize = 24
    private static let groupSize = 8 + slots * slotSize + 16

    private let base: UnsafeMutableRawPointer
    private let groups: Int

    /// Bytes for so many groups.
    public static func size(groups: Int) -> Int { max(groups, 1) * groupSize }

    /// A view of memory of that size.
    public init(_ base: UnsafeMutableRawPointer, groups: Int) {
        self.base = base
        self.groups = groups
    }

    private func counter(_ group: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        base.advanced(by: group * Self.groupSize).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private func slot(_ group: Int, _ sequence: UInt64) -> UnsafeMutableRawPointer {
        base.advanced(by: group * Self.groupSize + 8 + Int(sequence % UInt64(Self.slots)) * Self.slotSize)
    }

    private func broken(_ group: Int, _ word: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        base.advanced(by: (group + 1) * Self.groupSize - 16 + 8 * word).assumingMemoryBound(to: Atomic<Int64>.self)
    }

    /// Says that a group is broken, or is not; only the supervisor does.
    public func setBroken(_ state: BrokenGroup?, group: Int) {
        guard group >= 0, group < groups else { return }
        if let state { broken(group, 1).pointee.store(state.since, ordering: .relaxed) }
        broken(group, 0).pointee.store(state.map { max($0.retryAt, 1) } ?? 0, ordering: .releasing)
    }

    /// Whether a group is broken; one load when it is not.
    public func broken(group: Int) -> BrokenGroup? {
        guard group >= 0, group < groups else { return nil }
        let retryAt = broken(group, 0).pointee.load(ordering: .acquiring)
        guard retryAt != 0 else { return nil }
        return BrokenGroup(retryAt: retryAt, since: broken(group, 1).pointee.load(ordering: .relaxed))
    }

    /// Adds an end; only the supervisor does.
    public func record(_ end: RecordedEnd, group: Int) {
        guard group >= 0, group < groups else { return }
        let sequence = counter(group).pointee.load(ordering: .relaxed)
        let slot = slot(group, sequence)
        let mark = slot.assumingMemoryBound(to: Atomic<UInt64>.self)
        mark.pointee.store(0, ordering: .sequentiallyConsistent)
        slot.storeBytes(of: end.time, toByteOffset: 8, as: Int64.self)
        slot.storeBytes(of: end.pid, toByteOffset: 16, as: Int32.self)
        slot.storeBytes(of: end.waitStatus, toByteOffset: 20, as: Int32.self)
        mark.pointee.store(sequence &+ 1, ordering: .sequentiallyConsistent)
        counter(group).pointee.store(sequence &+ 1, ordering: .sequentiallyConsistent)
    }

    /// How a process of a group ended; nil: that has not been recorded, or so long ago that it is no more known.
    public func end(of pid: Int32, group: Int) -> RecordedEnd? {
        ends(group: group, since: .min).last { $0.pid == pid }
    }

    /// The recorded ends of a group at or after `time`, oldest first.
    public func ends(group: Int, since time: Int64) -> [RecordedEnd] {
        guard group >= 0, group < groups else { return [] }
        let count = counter(group).pointee.load(ordering: .sequentiallyConsistent)
        var found: [RecordedEnd] = []
        for sequence in (count > UInt64(Self.slots) ? count - UInt64(Self.slots) : 0)..<count {
            let slot = slot(group, sequence)
            let mark = slot.assumingMemoryBound(to: Atomic<UInt64>.self)
            let before = mark.pointee.load(ordering: .sequentiallyConsistent)
            let end = RecordedEnd(
                time: slot.load(fromByteOffset: 8, as: Int64.self),
                pid: slot.load(fromByteOffset: 16, as: Int32.self),
                waitStatus: slot.load(fromByteOffset: 20, as: Int32.self)
            )
            let after = mark.pointee.load(ordering: .sequentiallyConsistent)
            if before == after, before == sequence &+ 1, end.time >= time { found.append(end) }
        }
        return found
    }
}
