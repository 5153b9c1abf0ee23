internal import CSWSGIModule
internal import Glibc
internal import SWSGISystem

/// The client's side of an exchange, looked at while nothing comes from the daemon process.
struct ClientWatch {
    enum Event {
        /// The daemon process has sent something, or ended.
        case reply
        /// The client sends no more; it may still read, or be gone altogether: only writing would tell.
        case clientHasFinished
        /// The client's connection is broken, or its stream was reset.
        case clientHasGone
        /// Time has passed.
        case nothing
    }

    /// Milliseconds after which a stream without a socket of its own (HTTP/2) is looked at again.
    private static let interval: Int64 = 250
    private static let pollReadHangUp: Int16 = 0x2000

    private let request: OpaquePointer
    private let socket: Int32
    private var hasFinished = false

    init(_ request: OpaquePointer) {
        self.request = request
        socket = swsgi_connection_socket(request)
    }

    /// Whether the client sends no more, as far as its socket tells now.
    static func hasFinished(_ request: OpaquePointer) -> Bool {
        var polled = pollfd(fd: swsgi_connection_socket(request), events: pollReadHangUp, revents: 0)
        return polled.fd >= 0 && poll(&polled, 1, 0) > 0
    }

    /// Whether the client's connection is broken, or its stream was reset.
    static func isBroken(_ request: OpaquePointer) -> Bool {
        if swsgi_connection_aborted(request) != 0 { return true }
        // Errors and hang-ups are told unasked.
        var polled = pollfd(fd: swsgi_connection_socket(request), events: 0, revents: 0)
        return polled.fd >= 0 && poll(&polled, 1, 0) > 0
    }

    /// Waits for the first event, at most until `end` (nanoseconds of the monotonic clock).
    mutating func wait(for reply: Int32, until end: Int64) -> Event {
        while true {
            if swsgi_connection_aborted(request) != 0 { return .clientHasGone }
            let left = (end - Clock.monotonic + 999_999) / 1_000_000
            guard left > 0 else { return .nothing }
            var polled = (
                pollfd(fd: reply, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket, events: hasFinished ? 0 : Self.pollReadHangUp, revents: 0)
            )
            let milliseconds = Int32(clamping: socket < 0 ? min(left, Self.interval) : left)
            let ready = withUnsafeMutableBytes(of: &polled) { bytes in
                poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, milliseconds)
            }
            guard ready > 0 else { continue }
            if polled.0.revents != 0 { return .reply }
            if Int32(polled.1.revents) & (POLLERR | POLLHUP) != 0 { return .clientHasGone }
            hasFinished = true
            return .clientHasFinished
        }
    }
}
