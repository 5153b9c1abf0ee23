internal import CSWSGISystem
internal import Glibc

/// Messages over Unix sockets, with descriptors attached.
public enum Socket {
    /// What a socket pair keeps of its messages.
    public enum Kind: Sendable {
        /// Bytes without borders.
        case stream
        /// Whole messages, in order.
        case messages
    }

    /// Two connected sockets.
    @frozen public struct Pair: ~Copyable {
        /// One end.
        public var first: Descriptor
        /// The other end.
        public var second: Descriptor
    }

    /// What came with the bytes of a received message.
    public struct Received: Sendable {
        /// Bytes received; 0 is end of file.
        public let count: Int
        /// Attached descriptors, owned by the receiver; -1 where there is none.
        public let descriptors: (Int32, Int32)

        /// What has not been received yet.
        public static let nothing = Received(count: 0, descriptors: (-1, -1))

        /// Closes attached descriptors that nobody wants.
        public func closeDescriptors() {
            if descriptors.0 >= 0 { close(descriptors.0) }
            if descriptors.1 >= 0 { close(descriptors.1) }
        }
    }

    /// Makes a connected pair, close-on-exec at both ends.
    public static func pair(_ kind: Kind) throws(Errno) -> Pair {
        var ends: (Int32, Int32) = (-1, -1)
        let type = kind == .stream ? SOCK_STREAM.rawValue : SOCK_SEQPACKET.rawValue
        let result = withUnsafeMutableBytes(of: &ends) { bytes in
            socketpair(
                AF_UNIX,
                Int32(bitPattern: type | SOCK_CLOEXEC.rawValue),
                0,
                bytes.baseAddress?.assumingMemoryBound(to: Int32.self)
            )
        }
        guard result == 0 else { throw .last }
        return Pair(first: Descriptor(owning: ends.0), second: Descriptor(owning: ends.1))
    }

    /// Whether the other end of a stream has been closed.
    public static func hasHungUp(_ socket: Int32) -> Bool {
        var polled = pollfd(fd: socket, events: 0, revents: 0)
        return poll(&polled, 1, 0) > 0 && Int32(polled.revents) & (POLLHUP | POLLERR) != 0
    }

    /// Whether a descriptor is an Internet socket that connections come to.
    public static func listens(_ number: Int32) -> Bool {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0, value != 0,
            getsockopt(number, SOL_SOCKET, SO_DOMAIN, &value, &length) == 0
        else { return false }
        return [AF_INET, AF_INET6].contains(value)
    }

    /// Asks for a send buffer of `bytes`: root gets it past the system's limit, anybody else up to it.
    public static func setSendBuffer(_ socket: Int32, bytes: Int32) {
        var size = bytes
        let length = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) < 0 {
            setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, length)
        }
    }

    /// Limits how long one send or receive may wait; 0 is for ever.
    public static func setTimeouts(_ socket: Int32, microseconds: Int64) {
        var value = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        let length = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &value, length)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &value, length)
    }

    /// Sends bytes from up to three places with up to two descriptors attached; waits for room unless told not to.
    @discardableResult
    public static func send(
        _ socket: Int32,
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        _ third: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        descriptors: (Int32, Int32) = (-1, -1),
        waits: Bool = true
    ) throws(Errno) -> Int {
        var parts = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: third.baseAddress), iov_len: third.count)
        )
        var attached = descriptors
        let attachedCount = descriptors.0 < 0 ? 0 : descriptors.1 < 0 ? 1 : 2
        let sent = withUnsafeBytes(of: &parts) { parts in
            withUnsafeBytes(of: &attached) { attached in
                guard let parts = parts.baseAddress else { return -Int(EINVAL) }
                return swsgi_send(
                    socket,
                    parts.assumingMemoryBound(to: iovec.self),
                    3,
                    attached.baseAddress?.assumingMemoryBound(to: Int32.self),
                    attachedCount,
                    waits ? 0 : Int32(MSG_DONTWAIT)
                )
            }
        }
        return try check(sent)
    }

    /// Sends all bytes over a stream, those of `first` and then those of `second`, with descriptors attached to the first.
    ///
    /// A signal or a full socket may let one call send less than everything: the rest follows, as a frame that is cut would
    /// put everything after it out of step.
    public static func sendAll(
        _ socket: Int32,
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        descriptors: (Int32, Int32) = (-1, -1)
    ) throws(Errno) {
        var sent = try send(socket, first, second, descriptors: descriptors)
        while sent < first.count + second.count {
            let head = UnsafeRawBufferPointer(rebasing: first.dropFirst(sent))
            let tail = UnsafeRawBufferPointer(rebasing: second.dropFirst(max(0, sent - first.count)))
            sent += try send(socket, head, tail)
        }
    }

    /// Receives bytes, or one message, with what is attached.
    ///
    /// Interruption by a signal is an error, as threads are stopped so.
    public static func receive(
        _ socket: Int32,
        into buffer: UnsafeMutableRawBufferPointer,
        waits: Bool = true
    ) throws(Errno) -> Received {
        var attached: (Int32, Int32) = (-1, -1)
        var count = 0
        let received = withUnsafeMutableBytes(of: &attached) { attached in
            guard let start = buffer.baseAddress, let places = attached.baseAddress else { return -Int(EINVAL) }
            return swsgi_receive(
                socket,
                start,
                buffer.count,
                places.assumingMemoryBound(to: Int32.self),
                &count,
                waits ? 0 : Int32(MSG_DONTWAIT)
            )
        }
        return Received(count: try check(received), descriptors: attached)
    }
}
