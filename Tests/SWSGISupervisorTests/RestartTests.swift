import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

@Suite struct RestartTests {
    @Test func begin_startsAllProcesses() {
        var group = Group(processes: 3, applications: [key("a")])
        group.tell(.begin)
        #expect(group.launches.map(\.ticket) == [1, 2, 3])
        #expect(group.launches.allSatisfy { $0.preload == [key("a")] && $0.required.isEmpty && $0.poisoned.isEmpty })
    }

    @Test func endAfterWork_isRestartedAtOnce_andLogged() {
        var group = Group.running(processes: 2)
        group.pass(60)
        group.end(1, .signalled(11))
        #expect(group.launches.map(\.ticket) == [3])
        #expect(group.logged == [3001])
    }

    @Test func failuresBeforeReady_growTheDelay_upToItsLimit() {
        var group = Group(processes: 1)
        group.tell(.begin)
        var delays: [Double] = []
        for _ in 0..<80 {
            let before = group.now
            group.end(group.startOne(), .exited(82))
            while group.launches.isEmpty, let deadline = group.machine.nextDeadline {
                group.now = deadline
                group.tell(.deadline)
            }
            delays.append(Double(group.now - before) / Double(Group.second))
        }
        #expect(Array(delays.prefix(6)) == [0, 0.1, 0.2, 0.4, 0.8, 1.6])
        #expect(delays.dropFirst(10).allSatisfy { $0 == 30 })
        #expect(group.count(.restartDelayed) == 1)
    }

    @Test func jitter_neverExceedsATenth() {
        var backoff = Backoff()
        var ticket = 1
        for _ in 0..<100 {
            let member = Member(ticket: ticket, startedAt: 0)
            _ = backoff.failed(member, next: ticket + 1, limit: Delays.restartMax, now: 0, random: .max)
            ticket += 1
        }
        #expect(backoff.until >= Delays.restartMax)
        #expect(backoff.until < Delays.restartMax / 10 * 11)
    }

    @Test func delayAtTheEndOfTime_doesNotOverflow() {
        var backoff = Backoff()
        for ticket in 1..<5 {
            let member = Member(ticket: ticket, startedAt: 0)
            _ = backoff.failed(member, next: ticket + 1, limit: Delays.restartMax, now: .max - 1, random: 5)
        }
        #expect(backoff.until == .max)
    }

    @Test func startFailure_isLoggedOnce_andDelayed() {
        var group = Group(processes: 1)
        group.tell(.begin)
        for _ in 0..<4 {
            let ticket = group.launches.removeFirst().ticket
            group.tell(.startFailed(ticket: ticket, reason: "directory: No such file"))
            group.pass(1)
        }
        #expect(group.count(.startFailed) == 1)
        #expect(group.count(.restartDelayed) == 1)
    }

    @Test func processThatStays_endsTheDelay() {
        var group = Group(processes: 1)
        group.tell(.begin)
        for _ in 0..<6 {
            group.end(group.startOne(), .exited(82))
            group.pass(5)
        }
        group.startReady()
        group.pass(11)
        #expect(group.machine.backoff.isClear)
        group.end(group.tickets[0], .signalled(6))
        #expect(group.launches.count == 1)
    }

    @Test func healthyOldProcess_doesNotEndTheDelayOfAnother() {
        var group = Group.running(processes: 2)
        group.pass(100)
        group.end(2, .signalled(6))
        for _ in 0..<6 {
            group.end(group.startOne(), .exited(82))
            group.pass(4)
        }
        #expect(!group.machine.backoff.isClear)
    }

    @Test func processesThatEndTogether_countOnce() {
        var group = Group(processes: 3)
        group.tell(.begin)
        let first = (group.startOne(), group.startOne(), group.startOne())
        group.end(first.0, .exited(82))
        group.end(first.1, .exited(82))
        group.end(first.2, .exited(82))
        #expect(group.launches.count == 3)
        #expect(group.machine.backoff.streak == 1)
    }

    @Test func killingEveryHalfSecond_isAnsweredWithinASecond() {
        var group = Group.running(processes: 1)
        for _ in 0..<50 {
            group.pass(0.5)
            group.end(group.tickets[0], .signalled(9))
            if group.launches.isEmpty { group.pass(1) }
            #expect(group.launches.count == 1)
            group.startReady()
        }
    }

    @Test func crashesSoonAfterReady_areDelayedAfterFive() {
        var group = Group.running(processes: 1)
        for _ in 0..<6 {
            group.end(group.tickets[0], .signalled(11))
            #expect(group.launches.count == 1)
            group.startReady()
        }
        group.end(group.tickets[0], .signalled(11))
        #expect(group.launches.isEmpty)
        #expect(group.count(.restartDelayed) == 1)
    }

    @Test func notReadyInTime_isKilled() {
        var group = Group(processes: 1)
        group.tell(.begin)
        group.startOne()
        group.pass(14)
        #expect(group.killed.isEmpty)
        group.pass(2)
        #expect(group.killed == [1])
        #expect(group.logged == [3009])
        group.end(1, .signalled(9))
        #expect(group.logged == [3009])
        #expect(group.launches.count == 1)
    }

    @Test func crashing_isReplacedBeforeItHasEnded_andKilledAfterFifteenSeconds() {
        var group = Group.running(processes: 1)
        group.pass(20)
        group.tell(.crashing(ticket: 1, signal: 11))
        #expect(group.launches.map(\.ticket) == [2])
        group.startReady()
        group.pass(16)
        #expect(group.killed == [1])
        group.end(1, .signalled(9))
        #expect(group.logged == [3009, 3001])
        #expect(group.launches.isEmpty)
    }

    @Test func misbehaving_isKilledAndReplaced() {
        var group = Group.running(processes: 1)
        group.tell(.misbehaved(ticket: 1, what: "nonsense"))
        #expect(group.killed == [1])
        #expect(group.logged == [3010])
        #expect(group.launches.map(\.ticket) == [2])
    }

    @Test func silent_isKilledAfterASecond_unlessItEnds() {
        var group = Group.running(processes: 2)
        group.tell(.silent(ticket: 1))
        group.tell(.silent(ticket: 2))
        group.end(2, .exited(3))
        #expect(group.killed.isEmpty)
        group.pass(1.1)
        #expect(group.killed == [1])
        #expect(group.logged == [3001, 3011])
    }

    @Test func deaf_isKilled() {
        var group = Group.running(processes: 1)
        group.tell(.deaf(ticket: 1))
        #expect(group.killed == [1])
        #expect(group.logged == [3009])
    }

    @Test func misbehavingAgainAndAgain_isDelayed_whateverItSaysBetween() {
        var group = Group(processes: 1)
        group.tell(.begin)
        for _ in 0..<2 {
            let ticket = group.startOne()
            group.tell(.misbehaved(ticket: ticket, what: "nonsense"))
            group.tell(.ready(ticket: ticket))
            group.end(ticket, .signalled(9))
        }
        #expect(group.launches.isEmpty)
        #expect(group.count(.restartDelayed) == 1)
    }

    @Test func crashingAgainAndAgain_isDelayed_beforeTheBacktraceHasEnded() {
        var group = Group(processes: 1)
        group.tell(.begin)
        for _ in 0..<2 { group.tell(.crashing(ticket: group.startOne(), signal: 11)) }
        #expect(group.launches.isEmpty)
        #expect(group.count(.restartDelayed) == 1)
        group.pass(0.2)
        #expect(group.launches.count == 1)
    }
}
