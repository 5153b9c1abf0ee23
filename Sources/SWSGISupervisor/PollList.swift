internal import Glibc
internal import SWSGISystem

/// Descriptors to wait for in one turn.
struct PollList {
    /// The other side has gone; asked for where nothing is to be read. (POLLRDHUP, which Swift's Glibc lacks.)
    static let hangUp: Int32 = 0x2000

    private var entries: [pollfd] = []

    /// Adds a descriptor; returns its place.
    mutating func add(_ descriptor: Int32, _ events: Int32) -> Int {
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
        return entries.count - 1
    }

    /// Waits until one is ready, or the monotonic time has come.
    mutating func wait(until time: Int64?) {
        var milliseconds: Int32 = -1
        if let time {
            let rest = time - min(Clock.monotonic, time)
            milliseconds = Int32(min(rest / 1_000_000 + (rest % 1_000_000 > 0 ? 1 : 0), 60_000))
        }
        let result = entries.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), milliseconds) }
        if result <= 0 { for index in entries.indices { entries[index].revents = 0 } }
    }

    /// Whether something is to be read, and the other side is there.
    func isReadable(_ place: Int?) -> Bool {
        guard let place else { return false }
        return Int32(entries[place].revents) == POLLIN
    }

    /// Whether what was asked for is there, or the other side has gone.
    func isReady(_ place: Int?) -> Bool {
        guard let place else { return false }
        return entries[place].revents != 0
    }
}
