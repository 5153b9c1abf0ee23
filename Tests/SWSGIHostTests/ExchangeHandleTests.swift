import CSWSGI
import SWSGIConfiguration
import Testing

@testable import SWSGIHost

/// What an application holds of an exchange leads to that exchange, or nowhere.
@Suite struct ExchangeHandleTests {
    private func use(_ pointer: OpaquePointer) -> Int32 { ExchangeHandle.use(pointer) { _ in Int32(1) } }

    @Test func exchangeThatRuns_isReached() {
        let exchange = Exchange(thread: 1)
        let handle = ExchangeHandle.make()
        let pointer = handle.open(for: exchange)
        #expect(ExchangeHandle.use(pointer) { $0 === exchange ? Int32(7) : Int32(8) } == 7)
        #expect(use(pointer) == 1)
        handle.close()
        handle.giveBack()
    }

    @Test func exchangeThatIsOver_isRefused_alsoWhileTheNextOneRuns() {
        let exchange = Exchange(thread: 1)
        let handle = ExchangeHandle.make()
        let first = handle.open(for: exchange)
        handle.close()
        #expect(use(first) == ABIResult.ended)
        let second = handle.open(for: exchange)
        #expect(first != second)
        #expect(use(first) == ABIResult.ended)
        handle.close()
        #expect(use(second) == ABIResult.ended)
    }

    @Test func callWithinACall_isRefused() {
        let exchange = Exchange(thread: 1)
        let handle = ExchangeHandle.make()
        let pointer = handle.open(for: exchange)
        let results = ExchangeHandle.use(pointer, { _ in (use(pointer), Int32(0)) }, refused: { (0, $0) })
        #expect(results == (ABIResult.inUse, 0))
        #expect(use(pointer) == 1)
        handle.close()
    }

    @Test(arguments: [1, 0xffff, 0x1_0000, 0x7fff_ffff_ffff_ffff, UInt.max, 1 << 63, 0xffff_8000_0000_0001])
    func numberThatIsNoExchange_isRefused(_ number: UInt) throws {
        #expect(use(try #require(OpaquePointer(bitPattern: number))) == ABIResult.ended)
    }

    @Test func placeOfAnExchangeThatIsGone_isUsedAgain_withAnotherNumber() {
        var seen: Set<OpaquePointer> = []
        for _ in 0..<1000 {
            let exchange = Exchange(thread: 1)
            let handle = ExchangeHandle.make()
            let pointer = handle.open(for: exchange)
            #expect(use(pointer) == 1)
            handle.close()
            handle.giveBack()
            #expect(seen.insert(pointer).inserted)
        }
        #expect(seen.allSatisfy { use($0) == ABIResult.ended })
    }
}
