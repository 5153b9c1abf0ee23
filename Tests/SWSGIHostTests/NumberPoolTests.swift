import Dispatch
import SWSGISystem
import Synchronization
import Testing

/// Numbers of what requests are worked on with.
@Suite struct NumberPoolTests {
    @Test func number_isUsedAgain() {
        let pool = NumberPool()
        for _ in 0..<10 {
            let number = pool.take()
            #expect(number == 1)
            pool.giveBack(number)
        }
        #expect(pool.size == 1)
    }

    @Test func numberInUse_isNotGivenOutAgain() {
        let pool = NumberPool()
        for _ in 0..<3 {
            let numbers = (0..<50).map { _ in pool.take() }
            #expect(Set(numbers) == Set(1...50))
            for number in numbers.shuffled() { pool.giveBack(number) }
        }
        #expect(pool.size == 50)
    }

    /// More at once than can be used again: a number each, and none of them twice.
    @Test func numbersBeyondTheLimit_areNotUsedAgain() {
        let pool = NumberPool()
        let count = NumberPool.limit + 10
        let numbers = (0..<count).map { _ in pool.take() }
        #expect(Set(numbers).count == count)
        for number in numbers { pool.giveBack(number) }
        let again = (0..<count).map { _ in pool.take() }
        #expect(Set(again).count == count)
        #expect(again.filter { $0 > NumberPool.limit }.min() == count + 1)
    }

    @Test func manyThreads_neverShareOne() {
        let pool = NumberPool()
        let threads = 8
        let rounds = 20_000
        // A number that is given back while another thread looks for one may be missed: then there is one more.
        let room = 8 * threads
        let users = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: room + 1)
        for index in 0...room { users.advanced(by: index).initialize(to: Atomic(0)) }
        // Written without a lock: what a holder writes, the next one sees.
        let uses = UnsafeMutablePointer<Int>.allocate(capacity: room + 1)
        uses.initialize(repeating: 0, count: room + 1)
        defer {
            users.deinitialize(count: room + 1).deallocate()
            uses.deallocate()
        }
        let shared = Atomic<Int>(0)
        let beyond = Atomic<Int>(0)
        nonisolated(unsafe) let (counts, holders) = (uses, users)
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            for _ in 0..<rounds {
                let number = pool.take()
                guard number <= room else {
                    beyond.add(1, ordering: .relaxed)
                    continue
                }
                if holders[number].add(1, ordering: .relaxed).oldValue != 0 { shared.add(1, ordering: .relaxed) }
                counts[number] += 1
                holders[number].subtract(1, ordering: .relaxed)
                pool.giveBack(number)
            }
        }
        #expect(shared.load(ordering: .relaxed) == 0)
        #expect(beyond.load(ordering: .relaxed) == 0, "\(pool.size) numbers for \(threads) threads")
        #expect((0...room).reduce(0) { $0 + uses[$1] } == threads * rounds)
    }
}
