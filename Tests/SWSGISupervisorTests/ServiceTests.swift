import SWSGIConfiguration
import SWSGISystem
import Testing

@testable import SWSGISupervisor

/// Groups with threads=0.
@Suite struct ServiceTests {
    private func running(processes: Int = 1) -> Group {
        var group = Group(processes: processes, isService: true)
        group.tell(.begin)
        for _ in 0..<processes { group.startReady() }
        return group
    }

    @Test func replacedService_endsFirst_thenTheNextIsStarted() {
        var group = running()
        group.tell(.leaving(ticket: 1))
        #expect(group.drained == [1])
        #expect(group.launches.isEmpty)
        group.pass(3)
        #expect(group.launches.isEmpty)
        group.end(1)
        #expect(group.launches.map(\.ticket) == [2])
        #expect(group.logged.isEmpty)
    }

    @Test func serviceThatDoesNotEnd_isKilledAfterShutdownTimeout() {
        var group = running()
        group.tell(.leaving(ticket: 1))
        group.pass(4.9)
        #expect(group.killed.isEmpty)
        group.pass(0.2)
        #expect(group.killed == [1])
        #expect(group.logged == [3009])
        #expect(group.launches.isEmpty)
        group.end(1, .signalled(9))
        #expect(group.launches.count == 1)
    }

    @Test func serviceThatReturns_isStartedAgain_withoutAnAlarm() {
        var group = running()
        group.pass(5)
        group.end(1)
        #expect(group.launches.count == 1)
        #expect(group.logged.isEmpty)
    }

    @Test func serviceThatKeepsReturningAtOnce_isDelayed() {
        var group = running()
        for _ in 0..<8 {
            group.end(group.tickets.last ?? 0)
            group.pass(0.2)
            if !group.launches.isEmpty { group.startReady() }
        }
        #expect(group.count(.restartDelayed) == 1)
    }

    @Test func serviceThatNeverStarts_breaksNoRequests() {
        var group = running()
        for _ in 0..<20 {
            group.end(group.tickets.last ?? 0, .exited(81))
            group.pass(40)
            if !group.launches.isEmpty { group.startOne() }
        }
        #expect(group.broken.isEmpty)
        #expect(group.count(.groupBroken) == 0)
    }

    @Test func serviceThatFails_isLogged() {
        var group = running()
        group.end(1, .exited(83))
        #expect(group.logged == [3001])
        #expect(group.launches.count == 1)
    }

    @Test func endedGeneration_tellsServicesToEnd() {
        var group = running(processes: 2)
        group.tell(.generationEnded)
        #expect(group.drained == [1, 2])
        group.end(1)
        group.end(2)
        #expect(group.machine.isFinished)
    }
}
