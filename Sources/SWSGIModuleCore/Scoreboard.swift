internal import Glibc
public import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// How many exchanges of each process group are outstanding in all of httpd's children.
///
/// In memory that the parent makes, that only its children write, and whose beginning the supervisor reads. For each group a line: outstanding Int64 | time of the last
/// log line Int64 | refusals since then Int64. For each child a line: process id Int32, then its own part of every group's
/// count (Int32 each): what a child that dies has not given back is found there.
/// An exchange costs two atomic additions when it begins and two when it ends, and no system call.
public final class Scoreboard: @unchecked Sendable {
    // All words of the page are atomic, but for `slot`, which a child sets before its threads start.

    private static let line = OutstandingPage.line
    private static let clearing: Int32 = -1

    /// The memory, for the supervisor, which sees how many exchanges are outstanding.
    let memory: SharedDescriptor
    private let page: UnsafeMutableRawPointer
    private let size: Int
    private let groups: Int
    private let slots: Int
    private let slotSize: Int
    private let isAlive: (Int32) -> Bool
    private var slot: Int?
    /// Exchanges that a child can have at once and that have a place each.
    private let placesPerChild: Int

    /// A page for so many groups, children, and threads of each child.
    public convenience init(groups: Int, children: Int, threads: Int = 1) throws(Errno) {
        try self.init(groups: groups, children: children, threads: threads) { kill($0, 0) == 0 || errno != ESRCH }
    }

    init(groups: Int, children: Int, threads: Int = 1, isAlive: @escaping (Int32) -> Bool) throws(Errno) {
        placesPerChild = Self.placesPerChild(threads)
        self.groups = groups
        self.isAlive = isAlive
        slots = Self.slots(children)
        slotSize = (4 + 4 * groups + Self.line - 1) / Self.line * Self.line
        size = groups * Self.line + slots * slotSize
        memory = SharedDescriptor(try Memory.shared("swsgi-outstanding", bytes: size))
        page = try Memory.map(memory.number, bytes: size, writable: true)
    }

    deinit {
        munmap(page, size)
    }

    // MARK: Places

    private func total(_ group: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        page.advanced(by: group * Self.line).assumingMemoryBound(to: Atomic<Int64>.self)
    }

    private func lastLine(_ group: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        page.advanced(by: group * Self.line + 8).assumingMemoryBound(to: Atomic<Int64>.self)
    }

    private func unsaid(_ group: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        page.advanced(by: group * Self.line + 16).assumingMemoryBound(to: Atomic<Int64>.self)
    }

    private func owner(_ slot: Int) -> UnsafeMutablePointer<Atomic<Int32>> {
        page.advanced(by: groups * Self.line + slot * slotSize).assumingMemoryBound(to: Atomic<Int32>.self)
    }

    private func part(_ slot: Int, _ group: Int) -> UnsafeMutablePointer<Atomic<Int32>> {
        page.advanced(by: groups * Self.line + slot * slotSize + 4 + 4 * group)
            .assumingMemoryBound(to: Atomic<Int32>.self)
    }

    // MARK: Children

    private static func slots(_ children: Int) -> Int { min(max(children, 1), 65_536) }

    /// HTTP/2 works on requests in threads of its own, and a filter may begin a request in a request.
    private static func placesPerChild(_ threads: Int) -> Int { 2 * max(threads, 1) + 14 }

    /// How many places the exchanges of so many children have.
    static func places(children: Int, threads: Int) -> Int { slots(children) * placesPerChild(threads) }

    /// The place of what desk `number` of this child works on, counted from 1; 0: it has none.
    func place(of number: Int) -> UInt32 {
        guard let slot, number < placesPerChild else { return 0 }
        return UInt32(truncatingIfNeeded: slot * placesPerChild + number + 1)
    }

    /// In a new child: takes a place; one that finds none counts nothing and is not limited.
    public func join() { join(getpid()) }

    func join(_ pid: Int32) {
        for slot in 0..<slots {
            let owner = owner(slot).pointee.load(ordering: .acquiring)
            if owner == pid || owner > 0 && !isAlive(owner) { reclaim(slot, from: owner) }
        }
        slot = (0..<slots).first { slot in
            owner(slot).pointee.compareExchange(expected: 0, desired: pid, ordering: .acquiringAndReleasing).exchanged
        }
    }

    /// Gives back what children hold of a group that are no more.
    private func reclaim(_ group: Int) {
        for other in 0..<slots where other != slot && part(other, group).pointee.load(ordering: .relaxed) != 0 {
            let owner = owner(other).pointee.load(ordering: .acquiring)
            if owner > 0, !isAlive(owner) { reclaim(other, from: owner) }
        }
    }

    private func reclaim(_ slot: Int, from pid: Int32) {
        let taken = owner(slot).pointee.compareExchange(
            expected: pid,
            desired: Self.clearing,
            ordering: .acquiringAndReleasing
        )
        guard taken.exchanged else { return }
        for group in 0..<groups {
            let lost = part(slot, group).pointee.exchange(0, ordering: .acquiringAndReleasing)
            if lost != 0 { total(group).pointee.subtract(Int64(lost), ordering: .acquiringAndReleasing) }
        }
        owner(slot).pointee.store(0, ordering: .releasing)
    }

    // MARK: Exchanges

    /// Counts an exchange in, unless `limit` are outstanding; the caller counts it out again with `leave`.
    public func enter(_ group: Int, limit: Int64) -> Bool {
        guard let slot else { return true }
        // First the child's own part: one that dies between the two leaves too small a sum, never a place taken for good.
        part(slot, group).pointee.add(1, ordering: .relaxed)
        if add(group, limit) { return true }
        reclaim(group)
        if add(group, limit) { return true }
        part(slot, group).pointee.subtract(1, ordering: .relaxed)
        return false
    }

    private func add(_ group: Int, _ limit: Int64) -> Bool {
        var known = total(group).pointee.load(ordering: .relaxed)
        while known < limit {
            let result = total(group).pointee.weakCompareExchange(
                expected: known,
                desired: known + 1,
                ordering: .acquiringAndReleasing
            )
            if result.exchanged { return true }
            known = result.original
        }
        return false
    }

    /// Counts an exchange out.
    public func leave(_ group: Int) {
        guard let slot else { return }
        total(group).pointee.subtract(1, ordering: .acquiringAndReleasing)
        part(slot, group).pointee.subtract(1, ordering: .relaxed)
    }

    /// Exchanges of a group that are outstanding.
    public func outstanding(_ group: Int) -> Int64 { total(group).pointee.load(ordering: .relaxed) }

    /// An exchange was refused: how many were since the last log line, itself included, when it is time for the next line.
    public func refusal(_ group: Int, now: Int64, every interval: Int64 = 1_000_000_000) -> Int64? {
        unsaid(group).pointee.add(1, ordering: .acquiringAndReleasing)
        let last = lastLine(group).pointee.load(ordering: .acquiring)
        guard last == 0 || now - last >= interval else { return nil }
        let isOurs = lastLine(group).pointee.compareExchange(
            expected: last,
            desired: now,
            ordering: .acquiringAndReleasing
        )
        return isOurs.exchanged ? unsaid(group).pointee.exchange(0, ordering: .acquiringAndReleasing) : nil
    }
}
