import SWSGIWire
import Testing

@Suite struct EndsPageTests {
    @Test func newPage_hasNoEnds() {
        withPage(groups: 2) { page in
            #expect(page.ends(group: 0, since: .min) == [])
            #expect(page.ends(group: 1, since: .min) == [])
        }
    }

    @Test func brokenGroup_isSeenUntilItHeals_andIsNoOther() {
        withPage(groups: 3) { page in
            #expect((0..<3).allSatisfy { page.broken(group: $0) == nil })
            let state = BrokenGroup(retryAt: 5, since: -7)
            page.setBroken(state, group: 1)
            for _ in 0..<40 { page.record(end(at: .max), group: 0) }
            for _ in 0..<40 { page.record(end(at: .max), group: 1) }
            #expect((0..<3).map { page.broken(group: $0) } == [nil, state, nil])
            #expect(page.ends(group: 1, since: 0).count == 32)
            page.setBroken(BrokenGroup(retryAt: 0, since: 1), group: 1)
            #expect(page.broken(group: 1)?.retryAt == 1)
            page.setBroken(nil, group: 1)
            #expect(page.broken(group: 1) == nil)
            #expect(page.ends(group: 0, since: 0).count == 32)
        }
    }

    @Test(arguments: [-1, 1, Int.max]) func brokenGroupThatDoesNotExist_isNothing(_ group: Int) {
        withPage(groups: 1) { page in
            page.setBroken(BrokenGroup(retryAt: 1, since: 1), group: group)
            #expect(page.broken(group: group) == nil)
            #expect(page.broken(group: 0) == nil)
        }
    }

    @Test func ends_areFound_oldestFirst() {
        withPage(groups: 1) { page in
            let ends = [1, 2, 3].map { RecordedEnd(time: Int64($0), pid: 100 + Int32($0), waitStatus: 11) }
            for end in ends { page.record(end, group: 0) }
            #expect(page.ends(group: 0, since: 0) == ends)
        }
    }

    @Test func since_isTheFirstMomentThatCounts() {
        withPage(groups: 1) { page in
            for time in [10, 20, 30] { page.record(end(at: time), group: 0) }
            #expect(page.ends(group: 0, since: 20).map(\.time) == [20, 30])
            #expect(page.ends(group: 0, since: 21).map(\.time) == [30])
            #expect(page.ends(group: 0, since: 31) == [])
        }
    }

    @Test func lateEnd_isFound_afterAnEarlierTime() {
        withPage(groups: 1) { page in
            for time in [10, 30, 20] { page.record(end(at: time), group: 0) }
            #expect(page.ends(group: 0, since: 20).map(\.time) == [30, 20])
        }
    }

    @Test(arguments: [31, 32, 33, 64, 100]) func ring_keepsTheLast32(_ count: Int) {
        withPage(groups: 1) { page in
            for time in 1...count { page.record(end(at: time), group: 0) }
            #expect(page.ends(group: 0, since: 0).map(\.time) == (max(1, count - 31)...count).map(Int64.init))
        }
    }

    @Test func groups_areApart() {
        withPage(groups: 2) { page in
            for time in 1...40 { page.record(end(at: time), group: 0) }
            page.record(end(at: 1000), group: 1)
            #expect(page.ends(group: 0, since: 0).map(\.time) == (9...40).map(Int64.init))
            #expect(page.ends(group: 1, since: 0).map(\.time) == [1000])
        }
    }

    @Test func groupOutsideOfThePage_isIgnored() {
        withPage(groups: 1) { page in
            page.record(end(at: 1), group: 1)
            page.record(end(at: 1), group: -1)
            #expect(page.ends(group: 0, since: 0) == [])
            #expect(page.ends(group: 1, since: 0) == [])
            #expect(page.ends(group: -1, since: 0) == [])
        }
    }

    @Test func secondView_ofTheSameMemory_seesTheEnds() {
        let size = EndsPage.size(groups: 1)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        EndsPage(memory, groups: 1).record(end(at: 5), group: 0)
        #expect(EndsPage(memory, groups: 1).ends(group: 0, since: 0) == [end(at: 5)])
    }

    @Test func everyGroup_hasRoomOfItsOwn() {
        #expect(EndsPage.size(groups: 0) > 0)
        #expect(EndsPage.size(groups: 3) == 3 * EndsPage.size(groups: 1))
    }

    private func end(at time: Int) -> RecordedEnd { RecordedEnd(time: Int64(time), pid: 7, waitStatus: 9) }

    /// A page directly before memory that belongs to nobody: bytes there must stay as they are.
    private func withPage(groups: Int, _ body: (EndsPage) -> Void) {
        let size = EndsPage.size(groups: groups)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 64, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        (memory + size).initializeMemory(as: UInt8.self, repeating: 0xaa, count: 64)
        body(EndsPage(memory, groups: groups))
        let after = UnsafeRawBufferPointer(start: memory + size, count: 64)
        #expect(after.allSatisfy { $0 == 0xaa })
    }
}
