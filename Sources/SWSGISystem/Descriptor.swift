internal import Glibc

/// An open file descriptor with one owner, closed when the owner goes.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for system calls made while this value lives.
    public let number: Int32

    /// Takes ownership of an open descriptor.
    public init(owning number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Hands the descriptor to an owner outside Swift's reach.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    /// Opens a file; close-on-exec is added.
    public static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(Errno) -> Descriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .last }
        return Descriptor(owning: number)
    }

    /// A pipe, close-on-exec at both ends; the reading end doesn't block when asked so.
    public static func pipe(nonBlockingRead: Bool) throws(Errno) -> Pipe {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { bytes in
            Glibc.pipe(bytes.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        guard result == 0 else { throw .last }
        _ = fcntl(ends.0, F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends.1, F_SETFD, FD_CLOEXEC)
        if nonBlockingRead { _ = fcntl(ends.0, F_SETFL, O_NONBLOCK) }
        return Pipe(reading: Descriptor(owning: ends.0), writing: Descriptor(owning: ends.1))
    }
}

/// Both ends of a pipe.
@frozen public struct Pipe: ~Copyable {
    /// The end to read from.
    public var reading: Descriptor
    /// The end to write to.
    public var writing: Descriptor

    init(reading: consuming Descriptor, writing: consuming Descriptor) {
        self.reading = reading
        self.writing = writing
    }
}

/// A descriptor that several values may hold; closed with the last of them.
public final class SharedDescriptor: Sendable {
    private let descriptor: Descriptor

    /// Shares a descriptor.
    public init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// The number, valid while this object lives.
    public var number: Int32 { descriptor.number }
}
