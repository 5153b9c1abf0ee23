import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

/// The time between the decision to start a process and its start.
@Suite struct StartTests {
    @Test func startThatHasNotBeenAnswered_neverTimesOutAndIsNeverKilled() {
        var group = Group(processes: 2, startupTimeout: 15)
        group.tell(.begin)
        group.startReady()
        group.pass(60)
        #expect(group.killed.isEmpty)
        #expect(group.count(.processKilled) == 0)
        let second = group.startReady()
        #expect(group.machine.member(second)?.isActive == true)
        #expect(group.launches.isEmpty)
    }

    @Test func startupTimeout_beginsWhenTheProcessHasBeenStarted() {
        var group = Group(processes: 1, startupTimeout: 15)
        group.tell(.begin)
        group.pass(60)
        let ticket = group.startOne()
        group.pass(14)
        #expect(group.killed.isEmpty)
        group.pass(2)
        #expect(group.killed == [ticket])
    }

    @Test func oneFailedStart_isFollowedByAnotherAtOnce() {
        var group = Group.running(processes: 1)
        group.pass(20)
        group.end(group.tickets[0], .signalled(9))
        group.tell(.startFailed(ticket: group.launches.removeFirst().ticket, reason: "environment-file"))
        // The end and the failure are two in a row: the least delay there is.
        group.pass(0.12)
        #expect(group.launches.count == 1)
        let ticket = group.startReady()
        group.tell(.changed(ticket: ticket, version("app", 2)))
        group.settle()
        #expect(group.tickets.count == 1)
        #expect(group.count(.reloadDone) == 1)
    }

    @Test func groupThatShrinks_givesUpAStartThatHasNotBeenAnswered() {
        var recycling = RecyclingPlan()
        recycling.processesMax = 2
        var group = Group(processes: 1, recycling: recycling)
        group.tell(.begin)
        let first = group.startReady()
        for _ in 0..<4 {
            group.pass(0.25)
            group.tell(.load(outstanding: 5))
        }
        #expect(group.launches.count == 1)
        for _ in 0..<400 {
            group.pass(0.25)
            group.tell(.load(outstanding: 0))
        }
        #expect(group.launches.isEmpty)
        #expect(group.tickets == [first])
    }

    @Test func processesThatAreReplacedBeforeTheyStart_areGivenUp() {
        var group = Group(processes: 2)
        group.tell(.begin)
        let first = group.startReady()
        group.tell(.changed(ticket: first, version("app", 2)))
        group.settle()
        #expect(group.tickets.count == 2)
        #expect(group.count(.reloadDone) == 1)
    }
}
