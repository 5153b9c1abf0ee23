import SWSGISystem
import Testing

@testable import SWSGISupervisor

@Suite struct EndingTests {
    @Test func endedGeneration_startsNothing_andIsFinishedWithItsLastProcess() {
        var group = Group.running(processes: 2)
        group.tell(.generationEnded)
        group.end(1)
        #expect(!group.machine.isFinished)
        group.end(2)
        #expect(group.machine.isFinished)
        #expect(group.launches.isEmpty)
        #expect(group.logged.isEmpty)
        #expect(group.drained.isEmpty)
    }

    @Test func endedGeneration_killsAfterShutdownTimeout() {
        var group = Group.running(processes: 2)
        group.tell(.generationEnded)
        group.pass(4)
        group.end(1)
        #expect(group.killed.isEmpty)
        group.pass(2)
        #expect(group.killed == [2])
        #expect(group.logged == [3009])
        group.end(2, .signalled(9))
        #expect(group.machine.isFinished)
        #expect(group.machine.nextDeadline == nil)
    }

    @Test func crashInEndedGeneration_isLogged_notRestarted() {
        var group = Group.running(processes: 1)
        group.tell(.generationEnded)
        group.end(1, .signalled(11))
        #expect(group.logged == [3001])
        #expect(group.launches.isEmpty)
        #expect(group.machine.isFinished)
    }

    @Test func startsThatAreNotDone_endWithTheGeneration() {
        var group = Group(processes: 2)
        group.tell(.begin)
        group.tell(.generationEnded)
        #expect(group.machine.isFinished)
    }

    @Test func orphaned_worksOn_thenDrains_thenKills() {
        var group = Group.running(processes: 1)
        group.tell(.orphaned)
        group.pass(4)
        #expect(group.drained.isEmpty)
        group.pass(2)
        #expect(group.drained == [1])
        #expect(group.killed.isEmpty)
        group.pass(5)
        #expect(group.killed == [1])
    }

    @Test func orphaned_endsEarlier_whenTheGenerationDoes() {
        var group = Group.running(processes: 1)
        group.tell(.orphaned)
        group.pass(1)
        group.tell(.generationEnded)
        group.pass(5.1)
        #expect(group.drained.isEmpty)
        #expect(group.killed == [1])
    }

    @Test func stop_drainsAtOnce_thenKills() {
        var group = Group.running(processes: 2)
        group.tell(.stop)
        #expect(group.drained == [1, 2])
        group.tell(.stop)
        #expect(group.drained == [1, 2])
        group.pass(5.1)
        #expect(group.killed == [1, 2])
    }

    @Test func draining_takesAsLongAsItNeeds() {
        var group = Group.running(processes: 1)
        group.tell(.leaving(ticket: 1))
        group.startReady()
        #expect(group.drained == [1])
        group.pass(10_000)
        #expect(group.killed.isEmpty)
    }

    @Test func everyDeadline_isDoneWhenItIsTold() {
        var group = Group.running(processes: 3)
        group.tell(.loading(ticket: 1, version("a", 1)))
        group.tell(.crashing(ticket: 2, signal: 11))
        group.tell(.silent(ticket: 3))
        group.tell(.orphaned)
        for _ in 0..<50 {
            guard let deadline = group.machine.nextDeadline else { break }
            group.now = max(deadline, group.now)
            group.tell(.deadline)
            #expect(group.machine.nextDeadline ?? .max > group.now)
        }
        #expect(group.machine.processes.allSatisfy { $0.isKilled })
    }
}
