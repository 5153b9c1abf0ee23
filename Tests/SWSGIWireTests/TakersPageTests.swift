import SWSGIWire
import Testing

@Suite struct TakersPageTests {
    private func withPage(_ places: Int, _ body: (TakersPage) -> Void) {
        let bytes = TakersPage.size(places: places)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes + 8, alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        defer { memory.deallocate() }
        guard let start = memory.baseAddress else { return }
        body(TakersPage(start, bytes: bytes))
        // What lies behind it is as it was.
        #expect(memory[bytes...].allSatisfy { $0 == 0 })
    }

    @Test func eachPlace_hasItsOwnTaker() {
        withPage(3) { page in
            for place in UInt32(1)...3 { page.set(Int32(100 + place), at: place) }
            #expect((UInt32(1)...3).map { page.pid(at: $0) } == [101, 102, 103])
            page.set(0, at: 2)
            #expect((UInt32(1)...3).map { page.pid(at: $0) } == [101, 0, 103])
        }
    }

    @Test func placesThatAreNone_takeNothing() {
        withPage(3) { page in
            for place in [UInt32(0), 4, .max] {
                page.set(7, at: place)
                #expect(page.pid(at: place) == 0)
            }
        }
    }
}
