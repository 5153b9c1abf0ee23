internal import Glibc
public import SWSGISystem
public import SWSGIWire

/// A stream to whichever daemon process takes the exchange: httpd's end, and the far end while it is at home.
public struct ReplyChannel: ~Copyable {
    private let near: Descriptor
    private var far: Int32
    private var timeout: Int64 = -1
    private var isCancelled = false

    /// The least that the way to the daemon process holds.
    ///
    /// A piece of a request body that it has asked for: httpd never waits for a daemon process to read.
    private static let leastReceiveBuffer: Int64 = 96 * 1024

    /// A new pair; what each way holds, in bytes, or nil for the system's default.
    public init(sendBuffer: Int64? = nil, receiveBuffer: Int64? = nil) throws(Errno) {
        let pair = try Socket.pair(.stream)
        if let sendBuffer { Socket.setSendBuffer(pair.second.number, bytes: Int32(clamping: sendBuffer)) }
        if let receiveBuffer {
            let bytes = Int32(clamping: max(receiveBuffer, Self.leastReceiveBuffer))
            Socket.setSendBuffer(pair.first.number, bytes: bytes)
        }
        near = pair.first
        far = pair.second.release()
    }

    deinit {
        if far >= 0 { close(far) }
    }

    /// Whether the far end is at home, and the channel fit for another exchange.
    public var isWhole: Bool { far >= 0 && !isCancelled }

    /// httpd's end.
    public var socket: Int32 { near.number }

    /// Limits how long one receive may wait, in microseconds.
    public mutating func setTimeout(_ microseconds: Int64) {
        guard timeout != microseconds else { return }
        timeout = microseconds
        Socket.setTimeouts(near.number, microseconds: microseconds)
    }

    /// Puts an exchange's head on a group's queue with the far end attached; a large head travels in memory.
    public mutating func lend(_ head: borrowing ExchangeHeadWriter, to queue: Int32) throws(Errno) {
        if head.needsMemory {
            let memory = try Memory.sealed("swsgi-head", head.bytes)
            try Socket.send(queue, head.memoryMessage, descriptors: (far, memory.number), waits: false)
        } else {
            try Socket.send(queue, head.bytes, descriptors: (far, -1), waits: false)
        }
        // From here a daemon process that dies is seen as the end of file.
        close(far)
        far = -1
    }

    /// Tells the daemon process that nobody may wait for its response any more; the response can still come.
    ///
    /// The channel is not used for another exchange: nobody knows whether that was read.
    public mutating func cancel() {
        isCancelled = true
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.size, alignment: 8) { frame in
            FrameHeader(.abort, length: 0).write(to: frame)
            // A process that has gone is seen by the next receive.
            _ = try? Socket.send(near.number, UnsafeRawBufferPointer(frame), waits: false)
        }
    }

    /// Takes the far end back.
    public mutating func takeBack(_ descriptor: Int32) {
        if far >= 0 { close(far) }
        far = descriptor
    }
}
