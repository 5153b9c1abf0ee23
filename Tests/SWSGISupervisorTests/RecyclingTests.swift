import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

@Suite struct RecyclingTests {
    private func plan(_ change: (inout RecyclingPlan) -> Void) -> RecyclingPlan {
        var plan = RecyclingPlan()
        change(&plan)
        return plan
    }

    // MARK: Drains

    @Test func drainWithoutGracefulTimeout_isNeverCancelled() {
        var group = Group.running(processes: 1)
        group.tell(.leaving(ticket: 1, .maximumRequests))
        group.startReady()
        #expect(group.reasons == [1: .maximumRequests])
        group.pass(1_000_000)
        #expect(group.cancelled.isEmpty && group.killed.isEmpty)
    }

    @Test func gracefulTimeout_cancels_thenKillsAfterShutdownTimeout() {
        var group = Group.running(processes: 1, recycling: plan { $0.gracefulTimeout = 10_000_000 })
        group.tell(.leaving(ticket: 1, .restartInterval))
        group.startReady()
        group.pass(9.9)
        #expect(group.cancelled.isEmpty)
        group.pass(0.2)
        #expect(group.cancelled == [1])
        group.tell(.running(ticket: 1, ["GET /slow HTTP/1.1"]))
        group.pass(4.8)
        #expect(group.killed.isEmpty)
        group.pass(0.2)
        #expect(group.killed == [1])
        #expect(group.logged == [3080])
        group.end(1, .signalled(9))
        #expect(group.logged == [3080])
        #expect(group.launches.isEmpty)
    }

    @Test func gracefulTimeoutOf0_cancelsAtOnce() {
        var group = Group.running(processes: 1, recycling: plan { $0.gracefulTimeout = 0 })
        group.tell(.leaving(ticket: 1, .restartInterval))
        group.startReady()
        group.pass(0)
        #expect(group.cancelled == [1])
        #expect(group.killed.isEmpty)
        group.pass(5.1)
        #expect(group.killed == [1])
    }

    @Test func evictionTimeout_isForSIGUSR1Alone() {
        let times = plan {
            $0.gracefulTimeout = 100_000_000
            $0.evictionTimeout = 1_000_000
        }
        var group = Group.running(processes: 2, recycling: times)
        group.tell(.leaving(ticket: 1, .gracefulSignal))
        group.tell(.leaving(ticket: 2, .shutdownSignal))
        group.startReady()
        group.startReady()
        #expect(group.reasons == [1: .evictionSignal, 2: .shutdownSignal])
        group.pass(2)
        #expect(group.cancelled == [1])
        group.pass(100)
        #expect(group.cancelled == [1, 2])
    }

    @Test func processWithoutExchanges_thatDoesNotEnd_isKilledAfterShutdownTimeout() {
        var group = Group.running(processes: 1)
        group.tell(.finished(ticket: 1))
        group.tell(.leaving(ticket: 1))
        group.startReady()
        group.pass(100)
        #expect(group.killed.isEmpty)
        group.tell(.finished(ticket: 1))
        group.pass(4.9)
        #expect(group.killed.isEmpty)
        group.pass(0.2)
        #expect(group.killed == [1])
        #expect(group.logged == [3009])
    }

    @Test func processesThatOnlyDrain_doNotDelayTheNextReplacement() {
        var group = Group.running(processes: 2)
        for ticket in [1, 2, 3, 4, 5] {
            group.tell(.leaving(ticket: ticket, .maximumRequests))
            group.startReady()
            #expect(group.drained.last == ticket)
        }
        #expect(group.machine.processes.count == 7)
    }

    // MARK: Reasons

    @Test func allThatLeave_areReplacedOneAfterTheOther() {
        var group = Group.running(processes: 3)
        for ticket in 1...3 { group.tell(.leaving(ticket: ticket, .maximumRequests)) }
        for count in 1...3 {
            #expect(group.launches.count == 1)
            #expect(group.drained.count == count - 1)
            group.startReady()
        }
        #expect(group.launches.isEmpty)
        #expect(group.drained == [1, 2, 3])
        #expect(group.logged.isEmpty)
    }

    @Test func restartInterval_replacesByAge_onceEach() {
        var group = Group.running(processes: 2, recycling: plan { $0.restartInterval = 60_000_000 })
        group.pass(59)
        #expect(group.launches.isEmpty)
        group.pass(2)
        #expect(group.launches.count == 1)
        group.startReady()
        group.startReady()
        #expect(group.drained == [1, 2])
        #expect(group.reasons == [1: .restartInterval, 2: .restartInterval])
        group.pass(58)
        #expect(group.launches.isEmpty)
    }

    @Test func jitter_differsBetweenProcesses_andStaysWithinItsRange() {
        let recycling = plan {
            $0.maximumRequests = 1000
            $0.maximumRequestsJitter = 500
            $0.restartInterval = 60_000_000
            $0.restartIntervalJitter = 30_000_000
        }
        var group = Group(processes: 50, recycling: recycling)
        group.tell(.begin)
        let requests = group.launches.map(\.limits.requests)
        #expect(Set(requests).count > 20)
        #expect(requests.allSatisfy { (1000...1500).contains($0) })
        let ages = group.launches.compactMap { group.machine.age(of: $0.ticket) }
        #expect(Set(ages).count > 20)
        #expect(ages.allSatisfy { (60 * Group.second...90 * Group.second).contains($0) })
    }

    @Test func limitsOfAProcess_areTheGroups() {
        var group = Group(
            processes: 1,
            recycling: plan {
                $0.maximumRequests = 1
                $0.cpuTimeLimit = 60
            }
        )
        group.tell(.begin)
        var expected = WorkerLimits()
        expected.requests = 1
        expected.cpuTime = 60
        expected.cpuTimeMax = 66
        expected.isRunOnce = true
        #expect(group.launches.map(\.limits) == [expected])
    }

    @Test func memoryAboveTheLimit_isReplacedOnce_withItsSizeInTheLog() {
        var group = Group.running(processes: 2, recycling: plan { $0.rssLimit = 100 << 20 })
        group.tell(.memory(ticket: 1, 200 << 20))
        #expect(group.launches.isEmpty)
        group.pass(6)
        group.tell(.memory(ticket: 1, 100 << 20))
        #expect(group.launches.isEmpty)
        group.tell(.memory(ticket: 1, 101 << 20))
        group.tell(.memory(ticket: 1, 102 << 20))
        #expect(group.logged == [3081])
        #expect(group.launches.count == 1)
        group.startReady()
        #expect(group.reasons == [1: .rssLimit])
        group.tell(.memory(ticket: 1, 103 << 20))
        #expect(group.logged == [3081])
    }

    @Test func replaceAll_replacesEveryProcess_oneAfterTheOther() {
        var group = Group.running(processes: 3)
        group.tell(.replaceAll)
        for _ in 1...3 {
            #expect(group.launches.count == 1)
            group.startReady()
        }
        #expect(group.drained == [1, 2, 3])
        #expect(group.reasons.values.allSatisfy { $0 == .gracefulSignal })
        #expect(group.launches.isEmpty)
    }

    @Test func leavingProcess_thatDies_isReplacedOnce() {
        var group = Group.running(processes: 1)
        group.pass(20)
        group.tell(.leaving(ticket: 1, .cpuTimeLimit))
        #expect(group.launches.map(\.ticket) == [2])
        group.end(1, .signalled(9))
        group.startReady()
        #expect(group.tickets == [2])
        #expect(group.launches.isEmpty)
        #expect(group.drained.isEmpty)
    }

    @Test func changeDuringRecycling_replacesEveryOldProcess() {
        var group = Group.running(processes: 2)
        group.tell(.leaving(ticket: 1, .maximumRequests))
        group.tell(.changed(ticket: 2, version("a", 2)))
        group.settle()
        #expect(group.tickets.allSatisfy { $0 > 2 })
        #expect(group.tickets.count == 2)
        #expect(group.logged == [3006, 3007])
    }

    @Test func everyDeadline_isDoneWhenItIsTold() {
        let recycling = plan {
            $0.gracefulTimeout = 1_000_000
            $0.restartInterval = 2_000_000
        }
        var group = Group.running(processes: 2, recycling: recycling)
        for _ in 0..<50 {
            guard let deadline = group.machine.nextDeadline else { break }
            group.now = max(deadline, group.now)
            group.tell(.deadline)
            #expect(group.machine.nextDeadline ?? .max > group.now)
            if !group.launches.isEmpty { group.startReady() }
        }
    }
}
