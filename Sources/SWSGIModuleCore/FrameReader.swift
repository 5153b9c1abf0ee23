internal import Glibc
internal import SWSGISystem
public import SWSGIWire

/// What arrived on a reply socket.
public enum Arrival {
    /// A whole frame other than DATA.
    case frame(FrameKind, UnsafeRawBufferPointer)
    /// Some bytes of a DATA frame: as many as have come.
    case data(UnsafeRawBufferPointer)
    /// Nothing is there now (only when not waiting).
    case nothing
    /// The other end has gone.
    case ended
    /// Nothing came in time.
    case timedOut
}

/// Cuts what a daemon process sends into frames, in one buffer, whatever it sends.
public struct FrameReader: ~Copyable {
    private static let capacity = 64 * 1024

    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var dataRest = 0
    /// Received descriptors that no frame has claimed yet, in their order.
    private var descriptors: [Int32] = []
    private static let descriptorLimit = 4

    /// A reader with an empty buffer.
    public init() {
        buffer = .allocate(byteCount: Self.capacity, alignment: 16)
        descriptors.reserveCapacity(Self.descriptorLimit + 2)
    }

    deinit {
        buffer.deallocate()
        for descriptor in descriptors { close(descriptor) }
    }

    /// Forgets everything: a new exchange begins.
    public mutating func begin() {
        start = 0
        end = 0
        dataRest = 0
        for descriptor in descriptors { close(descriptor) }
        descriptors.removeAll(keepingCapacity: true)
    }

    /// The next descriptor that came with the frames, or -1: a FILE frame's file, or the reply end.
    public mutating func takeDescriptor() -> Int32 {
        descriptors.isEmpty ? -1 : descriptors.removeFirst()
    }

    /// Whether everything received has been given out.
    public var isEmpty: Bool { start == end && dataRest == 0 && descriptors.isEmpty }

    /// Whether more has come already: then bytes given out before stay valid while the next thing is taken.
    public var hasMore: Bool {
        if dataRest > 0 { return start < end }
        guard end - start >= FrameHeader.size else { return false }
        let length = Int(buffer.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self))
        // Of the body any part counts, of all else whole frames; what is no frame is found out when it is taken.
        return end - start > FrameHeader.size && buffer[start] == FrameKind.data.rawValue
            || end - start >= FrameHeader.size + length
    }

    /// The next thing; its bytes are valid until a call that finds no more.
    public mutating func next(_ socket: Int32, waits: Bool) throws(Malformed) -> Arrival {
        while true {
            if let arrival = try take() { return arrival }
            makeRoom()
            do throws(Errno) {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
                let received = try Socket.receive(socket, into: room, waits: waits)
                if received.descriptors.0 >= 0 { descriptors.append(received.descriptors.0) }
                if received.descriptors.1 >= 0 { descriptors.append(received.descriptors.1) }
                if received.count == 0 { return .ended }
                end += received.count
            } catch {
                if error.interrupted { continue }
                if error.wouldBlock { return waits ? .timedOut : .nothing }
                return .ended
            }
            guard descriptors.count <= Self.descriptorLimit else {
                throw Malformed("\(descriptors.count) descriptors that belong to no frame")
            }
        }
    }

    private mutating func take() throws(Malformed) -> Arrival? {
        if dataRest > 0 {
            guard start < end else { return nil }
            let count = min(dataRest, end - start)
            defer {
                start += count
                dataRest -= count
            }
            return .data(UnsafeRawBufferPointer(rebasing: buffer[start..<start + count]))
        }
        guard end - start >= FrameHeader.size else { return nil }
        let header = try FrameHeader(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
        if header.kind == .data {
            start += FrameHeader.size
            dataRest = header.length
            return try take()
        }
        guard end - start >= FrameHeader.size + header.length else {
            if FrameHeader.size + header.length > buffer.count { grow(FrameHeader.size + header.length) }
            return nil
        }
        let payload = start + FrameHeader.size
        start = payload + header.length
        return .frame(header.kind, UnsafeRawBufferPointer(rebasing: buffer[payload..<start]))
    }

    private mutating func makeRoom() {
        if start == end {
            start = 0
            end = 0
        } else if start > 0, buffer.count - end < buffer.count / 2 {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            end -= start
            start = 0
        }
    }

    private mutating func grow(_ size: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
        buffer.deallocate()
        buffer = larger
        end -= start
        start = 0
    }
}
