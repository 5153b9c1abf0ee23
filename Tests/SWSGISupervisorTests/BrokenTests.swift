import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

/// F37, F49, F50: groups that can't start a process.
@Suite struct BrokenTests {
    /// A group whose starts fail, until the delay is over a second.
    private func broken() -> Group {
        var group = Group(processes: 2)
        group.tell(.begin)
        var turns = 0
        while group.broken.isEmpty, turns < 100 {
            turns += 1
            failAll(&group)
            if group.broken.isEmpty { group.pass(1.1) }
        }
        return group
    }

    private func failAll(_ group: inout Group) {
        while !group.launches.isEmpty {
            group.tell(.startFailed(ticket: group.launches.removeFirst().ticket, reason: "directory: No such file"))
        }
    }

    /// Goes to the time of the next attempt.
    private func attempt(_ group: inout Group) {
        group.now = max(group.now, group.machine.backoff.until)
        group.tell(.deadline)
    }

    @Test func groupThatCanNotStart_isBroken_withTheTimeOfTheNextAttempt() {
        let group = broken()
        #expect(group.broken == [group.machine.backoff.until])
        #expect(group.machine.backoff.until > group.now)
        #expect(group.count(.groupBroken) == 1)
        #expect(group.machine.trouble.cause.contains("No such file"))
    }

    @Test func furtherFailures_tellTheNextTime_andAreNotLogged() {
        var group = broken()
        for count in 2...6 {
            attempt(&group)
            failAll(&group)
            #expect(group.broken.count == count)
        }
        #expect(group.count(.groupBroken) == 1)
    }

    @Test func readyProcess_heals_andIsLoggedWhenItStays() {
        var group = broken()
        attempt(&group)
        group.startReady()
        #expect(group.broken.last == .some(nil))
        #expect(group.count(.groupServes) == 0)
        group.pass(11)
        #expect(group.count(.groupServes) == 1)
        group.pass(100)
        #expect(group.count(.groupServes) == 1)
    }

    @Test func processThatDiesAtItsFirstRequest_makesTheGroupBrokenAgain_withoutAnotherLine() {
        var group = broken()
        for _ in 1...20 {
            attempt(&group)
            while !group.launches.isEmpty { group.end(group.startReady(), .signalled(11)) }
        }
        #expect(group.broken.last != .some(nil))
        #expect(group.count(.groupBroken) == 1)
        #expect(group.count(.groupServes) == 0)
    }

    @Test func oneReadyProcess_isEnough() {
        var group = Group.running(processes: 2)
        group.pass(20)
        group.end(1, .signalled(11))
        for _ in 1...10 {
            attempt(&group)
            failAll(&group)
        }
        #expect(group.broken.isEmpty)
        group.end(2, .signalled(11))
        for _ in 1...10 {
            failAll(&group)
            attempt(&group)
        }
        #expect(!group.broken.isEmpty)
    }

    @Test func changedCode_isTriedAtOnce_andItsFailureKeepsTheDelay() {
        var group = broken()
        attempt(&group)
        failAll(&group)
        let before = group.broken.count
        group.tell(.wanted)
        #expect(!group.launches.isEmpty)
        // The children still answer 503, but for whoever wants the change.
        #expect(group.broken.count == before + 1)
        #expect(group.broken.last == .some(group.now))
        failAll(&group)
        #expect(group.broken.last.flatMap { $0 }.map { $0 > group.now + 2 * Group.second } == true)
    }

    @Test func requestOfAServingGroup_isNoReasonForAStart() {
        var group = Group.running(processes: 1)
        group.tell(.wanted)
        #expect(group.launches.isEmpty)
    }

    @Test func killingFromOutside_neverBreaksAGroup() {
        var group = Group(processes: 1)
        group.tell(.begin)
        for _ in 0..<30 {
            if group.launches.isEmpty { group.pass(1.2) }
            group.end(group.startReady(), .signalled(9))
        }
        #expect(group.broken.isEmpty)
    }

    @Test func endOfTheGeneration_isNotBroken() {
        var group = broken()
        group.tell(.generationEnded)
        #expect(group.broken.last == .some(nil))
        #expect(group.machine.isFinished)
    }
}
