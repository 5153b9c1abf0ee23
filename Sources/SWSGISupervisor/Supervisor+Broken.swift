internal import Glibc
internal import SWSGISystem
internal import SWSGIWire

// What a broken group means for its requests.
extension Supervisor {
    /// Requests that httpd's children sent before they could know are answered for so long; later ones are for changed code.
    private static let grace = Delays.second
    /// Requests answered in one turn.
    private static let share = 256

    /// Tells httpd's children, and answers the requests that wait in the queue already.
    func setBroken(_ index: Int, _ retryAt: Int64?) {
        let now = Clock.monotonic
        groups[index].retryAt = retryAt
        guard let retryAt else { return ends.setBroken(nil, group: index) }
        // An attempt that begins now is not a new state of being broken.
        if retryAt > now {
            groups[index].brokenSince = Clock.wall
            groups[index].refusesUntil = now.adding(Self.grace)
        }
        ends.setBroken(BrokenGroup(retryAt: retryAt, since: groups[index].brokenSince), group: index)
        if retryAt > now { refuseWaiting(index) }
    }

    /// What to wait for at a group's queue.
    func queueEvents(_ group: Group, now: Int64) -> Int32 {
        guard let retryAt = group.retryAt, retryAt > now else { return PollList.hangUp }
        return PollList.hangUp | POLLIN
    }

    /// A request waits in the queue of a broken group.
    func queueWaits(_ index: Int) {
        if Clock.monotonic < groups[index].refusesUntil { refuseWaiting(index) } else { tell(index, .wanted) }
    }

    private func refuseWaiting(_ index: Int) {
        for _ in 0..<Self.share {
            guard let received = try? Socket.receive(groups[index].queue, into: buffer, waits: false),
                received.count > 0
            else { return }
            refuse(received.descriptors.0)
            received.closeDescriptors()
        }
    }

    /// Ends an exchange that nobody runs; whoever does not take the few bytes at once is told by the end of the socket.
    private func refuse(_ reply: Int32) {
        guard reply >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.size + 1, alignment: 8) { frame in
            FrameHeader(.end, length: 1).write(to: frame)
            frame[FrameHeader.size] = ExchangeOutcome.unavailable.rawValue
            _ = try? Socket.send(reply, UnsafeRawBufferPointer(frame), descriptors: (reply, -1), waits: false)
        }
    }
}
