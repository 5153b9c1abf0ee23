internal import CSWSGI
internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

/// The request body of one exchange, asked for in pieces that always fit into the socket: httpd never waits for a reader.
struct BodyReader: ~Copyable {
    /// Bytes asked for at once; less than half of what a Unix socket holds by default.
    private static let credit = 64 * 1024

    private var reply: Int32 = -1
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: credit + 32 * FrameHeader.size,
        alignment: 16
    )
    private var start = 0
    private var end = 0
    private var frameRest = 0
    private var owed = 0
    private var isComplete = true
    private var hasFailed = false
    private var isAborted = false

    deinit {
        buffer.deallocate()
    }

    mutating func begin(_ reply: Int32, hasBody: Bool) {
        self.reply = reply
        start = 0
        end = 0
        frameRest = 0
        owed = 0
        isComplete = !hasBody
        hasFailed = false
        isAborted = false
    }

    /// Whether nothing of this exchange's body can arrive any more: the socket may be used for another one.
    var isIdle: Bool { owed == 0 && start == end && frameRest == 0 && !hasFailed }

    /// Whether the next read has to wait for httpd.
    var mustWait: Bool { !isComplete && !hasFailed && start == end }

    /// Up to `target.count` bytes: their number, 0 at the end, or an error of the bundle ABI.
    mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int64 {
        guard !target.isEmpty else { return 0 }
        do throws(Failure) {
            while frameRest == 0 {
                if isComplete { return 0 }
                if hasFailed { return Int64(SWSGI_ERROR_BODY) }
                try nextFrame()
            }
            if start == end { try receive(atLeast: 1) }
        } catch {
            hasFailed = true
            return Int64(SWSGI_ERROR_BODY)
        }
        let count = min(target.count, frameRest, end - start)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<start + count]))
        start += count
        frameRest -= count
        return Int64(count)
    }

    /// Whether httpd has said that nobody waits for the response any more, or has given the exchange up.
    ///
    /// What else has come is kept for the next read: all that was asked for fits into the buffer.
    mutating func seesAbort() -> Bool {
        while !isAborted, end < buffer.count {
            do throws(Errno) {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
                let received = try Socket.receive(reply, into: room, waits: false)
                received.closeDescriptors()
                if received.count == 0 { isAborted = true }
                end += received.count
            } catch {
                if error.interrupted { continue }
                if !error.wouldBlock { isAborted = true }
                break
            }
        }
        var place = start + frameRest
        while !isAborted, end - place > 0,
            let header = try? FrameHeader(UnsafeRawBufferPointer(rebasing: buffer[place..<end]))
        {
            let next = place + FrameHeader.size + header.length
            isAborted = header.kind == .abort || header.kind == .bodyEnd && next <= end && buffer[next - 1] != 0
            place = next
        }
        return isAborted
    }

    private struct Failure: Error {}

    private mutating func nextFrame() throws(Failure) {
        if owed == 0 { try want() }
        if end - start < FrameHeader.size { try receive(atLeast: FrameHeader.size) }
        guard let header = try? FrameHeader(UnsafeRawBufferPointer(rebasing: buffer[start..<end])) else {
            throw Failure()
        }
        start += FrameHeader.size
        switch header.kind {
        case .body where header.length <= owed:
            frameRest = header.length
            owed -= header.length
        case .bodyEnd:
            if start == end { try receive(atLeast: 1) }
            hasFailed = buffer[start] != 0
            isComplete = !hasFailed
            start += 1
            owed = 0
        case .abort: isAborted = true
        default: throw Failure()
        }
    }

    private mutating func want() throws(Failure) {
        let reply = self.reply
        let sent = withUnsafeTemporaryAllocation(byteCount: FrameHeader.size + 4, alignment: 8) { frame in
            FrameHeader(.wantBody, length: 4).write(to: frame)
            frame.storeBytes(of: UInt32(Self.credit), toByteOffset: FrameHeader.size, as: UInt32.self)
            return (try? Socket.sendAll(reply, UnsafeRawBufferPointer(frame))) != nil
        }
        guard sent else { throw Failure() }
        owed = Self.credit
    }

    private mutating func receive(atLeast count: Int) throws(Failure) {
        if start == end {
            start = 0
            end = 0
        } else if buffer.count - start < count + FrameHeader.size {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            end -= start
            start = 0
        }
        while end - start < count {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
            do throws(Errno) {
                let received = try Socket.receive(reply, into: room)
                received.closeDescriptors()
                guard received.count > 0 else { throw Errno(ECONNRESET) }
                end += received.count
            } catch {
                guard error.interrupted else { throw Failure() }
            }
        }
    }
}
