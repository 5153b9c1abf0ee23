import SWSGISystem
import Testing

@testable import SWSGISupervisor

/// deadlock-timeout: processes that are asked for an answer, and those that don't give one.
@Suite struct AnswerTests {
    private func group(processes: Int = 1, deadlockTimeout: Int64 = 20) -> Group {
        var group = Group(processes: processes, deadlockTimeout: deadlockTimeout)
        group.tell(.begin)
        for _ in 0..<processes { group.startReady() }
        return group
    }

    private func answerAll(_ group: inout Group) {
        for (ticket, number) in group.asked { group.tell(.answered(ticket: ticket, number)) }
        group.asked = []
    }

    @Test func withoutTheOption_nobodyIsAsked() {
        var group = group(deadlockTimeout: 0)
        group.pass(100_000)
        #expect(group.asked.isEmpty)
        #expect(group.machine.nextDeadline == nil)
    }

    @Test func processThatAnswers_livesOn_andIsAskedInAQuarterOfTheTime() {
        var group = group()
        for _ in 0..<100 {
            group.pass(5)
            #expect(group.asked.count == 1)
            answerAll(&group)
        }
        #expect(group.killed.isEmpty)
    }

    @Test func longTime_asksOnceAMinute() {
        var group = group(deadlockTimeout: 3600)
        group.pass(59)
        #expect(group.asked.isEmpty)
        group.pass(2)
        #expect(group.asked.count == 1)
    }

    @Test func processThatDoesNotAnswer_isKilledAndReplaced() {
        var group = group(processes: 2)
        group.pass(5)
        let silent = group.asked[0].ticket
        group.tell(.answered(ticket: group.asked[1].ticket, group.asked[1].number))
        group.pass(4)
        let other = group.asked.last
        #expect(group.killed.isEmpty)
        for _ in 0..<4 {
            group.pass(4)
            for (ticket, number) in group.asked where ticket != silent { group.tell(.answered(ticket: ticket, number)) }
        }
        group.pass(2)
        #expect(group.killed == [silent])
        #expect(group.logged == [3103])
        #expect(group.launches.count == 1)
        _ = other
    }

    @Test func answerToAnEarlierQuestion_doesNotCount() {
        var group = group()
        group.pass(5)
        answerAll(&group)
        group.pass(5)
        let number = group.asked[0].number
        group.tell(.answered(ticket: 1, number &- 1))
        group.pass(22)
        #expect(group.killed == [1])
    }

    @Test func answerInTheLastMoment_saves() {
        var group = group()
        group.pass(5)
        group.pass(20.5)
        #expect(group.killed.isEmpty)
        answerAll(&group)
        group.pass(4)
        #expect(group.killed.isEmpty)
    }

    /// F65: the supervisor, or the whole machine, stood still: what it could not hear is no silence.
    @Test func stalledSupervisor_forgivesOnePeriod() {
        var group = group()
        group.pass(5)
        group.now += 1000 * Group.second
        group.tell(.deadline)
        #expect(group.killed.isEmpty)
        group.pass(19)
        #expect(group.killed.isEmpty)
        group.pass(3)
        #expect(group.killed == [1])
    }

    @Test func drainingProcess_isAskedToo_loadingAndCrashingOnesAreNot() {
        var group = group()
        group.tell(.leaving(ticket: 1))
        group.startReady()
        #expect(group.drained == [1])
        group.pass(5)
        #expect(group.asked.map(\.ticket) == [1, 2])
        group.tell(.crashing(ticket: 2, signal: 11))
        group.asked = []
        group.pass(14)
        #expect(!group.asked.contains { $0.ticket >= 2 })
    }

    @Test func unresponsiveProcessOfAnEndedGeneration_isLeftToShutdownTimeout() {
        var group = group()
        group.pass(5)
        group.tell(.generationEnded)
        group.pass(4)
        #expect(group.killed.isEmpty)
        group.pass(2)
        #expect(group.logged == [3009])
    }
}
