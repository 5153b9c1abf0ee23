import Glibc
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

@Suite struct ScoreboardTests {
    private func board(groups: Int = 2, children: Int = 3) throws -> Scoreboard {
        let board = try Scoreboard(groups: groups, children: children)
        board.join()
        return board
    }

    @Test func limit_isKept_perGroup() throws {
        let board = try board()
        for _ in 0..<3 { #expect(board.enter(0, limit: 3)) }
        #expect(!board.enter(0, limit: 3))
        #expect(board.enter(1, limit: 1))
        #expect(!board.enter(1, limit: 1))
        #expect(board.outstanding(0) == 3)
        board.leave(0)
        #expect(board.enter(0, limit: 3))
        #expect(board.outstanding(0) == 3)
        #expect(board.outstanding(1) == 1)
    }

    /// What the supervisor maps.
    @Test func outstandingExchanges_areSeenThroughTheDescriptor_whichCanNotBeResized() throws {
        let board = try board(groups: 3)
        for _ in 0..<5 { #expect(board.enter(2, limit: 9)) }
        board.leave(2)
        let size = OutstandingPage.size(groups: 3)
        let address = try Memory.map(board.memory.number, bytes: size, writable: false)
        defer { Memory.unmap(address, bytes: size) }
        let page = OutstandingPage(address, groups: 3)
        #expect((-1...3).map { page.outstanding($0) } == [0, 0, 0, 4, 0])
        #expect(ftruncate(board.memory.number, 0) != 0)
    }

    @Test func limitOfNothing_refusesEverything() throws {
        #expect(try board().enter(0, limit: 0) == false)
    }

    @Test func childThatDies_takesItsCountsWithIt() throws {
        var living: Set<Int32> = [1, 2]
        let board = try Scoreboard(groups: 1, children: 2) { living.contains($0) }
        board.join(1)
        for _ in 0..<2 { #expect(board.enter(0, limit: 3)) }
        board.join(2)
        #expect(board.enter(0, limit: 3))
        #expect(!board.enter(0, limit: 3))
        living.remove(1)
        #expect(board.outstanding(0) == 3)
        #expect(board.enter(0, limit: 3))
        #expect(board.outstanding(0) == 2)
        // Its place is free for the next child.
        living.insert(3)
        board.join(3)
        #expect(board.enter(0, limit: 3))
        #expect(!board.enter(0, limit: 3))
    }

    @Test func childThatLives_keepsItsCounts() throws {
        let board = try board()
        board.join(getppid())
        #expect(board.enter(0, limit: 1))
        board.join()
        #expect(!board.enter(0, limit: 1))
        #expect(board.outstanding(0) == 1)
    }

    @Test func processIdUsedAgain_findsNothingOfItsFormerLife() throws {
        let board = try board()
        #expect(board.enter(0, limit: 1))
        board.join()
        #expect(board.outstanding(0) == 0)
        #expect(board.enter(0, limit: 1))
    }

    @Test func childWithoutAPlace_isNotLimited() throws {
        let board = try board(children: 1)
        board.join(getppid())
        #expect(board.enter(0, limit: 0))
        board.leave(0)
        #expect(board.outstanding(0) == 0)
    }

    @Test func threadsTogether_neverPassTheLimit() async throws {
        let board = try board()
        await withTaskGroup(of: Bool.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    var isRight = true
                    for _ in 0..<20_000 where board.enter(0, limit: 3) {
                        isRight = isRight && board.outstanding(0) <= 3
                        board.leave(0)
                    }
                    return isRight
                }
            }
            for await isRight in tasks { #expect(isRight) }
        }
        #expect(board.outstanding(0) == 0)
    }

    @Test func refusals_areSaidAtOnce_andThenOnceASecond() throws {
        let board = try board()
        let second: Int64 = 1_000_000_000
        #expect(board.refusal(0, now: 7) == 1)
        #expect(board.refusal(0, now: 8) == nil)
        #expect(board.refusal(1, now: 8) == 1)
        #expect(board.refusal(0, now: 6 + second) == nil)
        #expect(board.refusal(0, now: 7 + second) == 3)
        #expect(board.refusal(0, now: 7 + 3 * second) == 1)
    }
}
