internal import Glibc

/// Whether a process can have another descriptor: the kernel drops those of a message when it can't.
enum DescriptorRoom {
    /// Microseconds between two looks while there is none.
    static let pause: UInt32 = 100_000

    /// Whether there is room for one; `any` is an open descriptor.
    static func exists(_ any: Int32) -> Bool {
        let another = dup(any)
        guard another >= 0 else { return false }
        close(another)
        return true
    }
}
