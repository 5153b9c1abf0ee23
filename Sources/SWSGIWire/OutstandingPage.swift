internal import Synchronization

/// How many exchanges of each process group are outstanding: the beginning of the memory that httpd's children count in.
///
/// The supervisor maps it read-only. One line for each group: outstanding Int64, then what concerns the children alone.
public struct OutstandingPage: @unchecked Sendable {  // atomics
    /// Bytes for each group.
    public static let line = 64

    private let base: UnsafeMutableRawPointer
    private let groups: Int

    /// Bytes for so many groups.
    public static func size(groups: Int) -> Int { max(groups, 1) * line }

    /// A view of memory of that size, or more.
    public init(_ base: UnsafeMutableRawPointer, groups: Int) {
        self.base = base
        self.groups = groups
    }

    /// Exchanges of a group that are running or waiting.
    public func outstanding(_ group: Int) -> Int64 {
        guard group >= 0, group < groups else { return 0 }
        return base.advanced(by: group * Self.line).assumingMemoryBound(to: Atomic<Int64>.self).pointee
            .load(ordering: .relaxed)
    }
}
