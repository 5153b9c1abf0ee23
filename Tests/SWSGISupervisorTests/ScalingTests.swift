import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

/// `processes=2-4`; each process of these groups has one thread.
@Suite struct ScalingTests {
    private func group(_ least: Int = 2, _ most: UInt32 = 4) -> Group {
        var recycling = RecyclingPlan()
        recycling.processesMax = most
        return Group.running(processes: least, recycling: recycling)
    }

    /// So many exchanges, for some seconds, looked at four times a second; every process that is asked for gets ready.
    private func load(_ group: inout Group, _ outstanding: Int64, _ seconds: Double) {
        for _ in 0..<Int(seconds * 4) {
            group.tell(.load(outstanding: outstanding))
            while !group.launches.isEmpty { group.startReady() }
            group.pass(0.25)
        }
    }

    @Test func queueing_addsProcesses_upToTheLargestNumber() {
        var group = group()
        load(&group, 3, 10)
        #expect(group.tickets.count == 3)
        load(&group, 100, 10)
        #expect(group.tickets.count == 4)
        #expect(group.drained.isEmpty)
        #expect(group.logged.isEmpty)
    }

    @Test func shortQueueing_addsNothing() {
        var group = group()
        for _ in 0..<20 {
            load(&group, 3, 0.5)
            load(&group, 2, 0.25)
        }
        #expect(group.tickets.count == 2)
    }

    @Test func processThatComesUp_isWaitedFor() {
        var group = group()
        for _ in 0..<20 {
            group.tell(.load(outstanding: 100))
            group.now += Group.second / 4
        }
        #expect(group.launches.count == 1)
    }

    @Test func idleGroup_shrinksOneByOne_toItsSmallestNumber() {
        var group = group()
        load(&group, 100, 10)
        #expect(group.tickets.count == 4)
        load(&group, 0, 29)
        #expect(group.drained.isEmpty)
        load(&group, 0, 25)
        #expect(group.drained.count == 1)
        load(&group, 0, 35)
        #expect(group.drained.count == 2)
        load(&group, 0, 100)
        #expect(group.drained.count == 2)
        #expect(group.reasons.values.allSatisfy { $0 == .idleGroup })
        #expect(group.machine.processes.count { $0.isActive } == 2)
        #expect(group.launches.isEmpty)
    }

    @Test func loadThatTheOthersCouldNotBearWell_keepsTheProcesses() {
        var group = group()
        load(&group, 100, 10)
        load(&group, 2, 300)
        #expect(group.drained.isEmpty)
        for _ in 0..<300 {
            load(&group, 4, 0.5)
            load(&group, 0, 0.5)
        }
        #expect(group.drained.isEmpty)
    }

    @Test func loneRequests_doNotKeepProcesses() {
        var group = group()
        load(&group, 100, 10)
        for _ in 0..<30 {
            load(&group, 4, 0.25)
            load(&group, 0, 4)
        }
        #expect(group.drained.count == 2)
    }

    @Test(arguments: [Int64.min, -1, .max]) func numbersThatCanNotBe_areTakenForWhatCan(_ outstanding: Int64) {
        var group = group()
        load(&group, outstanding, 10)
        #expect(group.tickets.count == (outstanding > 0 ? 4 : 2))
    }

    @Test func leavingProcess_goesWithoutAReplacement_whenTheGroupShrinks() {
        var group = group()
        load(&group, 100, 10)
        load(&group, 0, 20)
        // Starts fail, so that the replacement is still due.
        group.tell(.leaving(ticket: 1, .maximumRequests))
        for _ in 0..<12 {
            while !group.launches.isEmpty {
                group.tell(.startFailed(ticket: group.launches.removeFirst().ticket, reason: "fork"))
            }
            group.now = max(group.now, group.machine.backoff.until)
            group.tell(.deadline)
        }
        while !group.launches.isEmpty {
            group.tell(.startFailed(ticket: group.launches.removeFirst().ticket, reason: "fork"))
        }
        for _ in 0..<2 {
            group.tell(.load(outstanding: 0))
            group.now += Group.second
        }
        #expect(group.drained == [1])
        #expect(group.reasons == [1: .maximumRequests])
        group.pass(200)
        #expect(group.launches.isEmpty)
    }

    @Test func replacement_keepsTheNumber_andStopsSteps() {
        var group = group()
        load(&group, 100, 10)
        group.tell(.replaceAll)
        for _ in 0..<20 {
            group.tell(.load(outstanding: 0))
            group.now += 10 * Group.second
        }
        #expect(group.drained.isEmpty)
        while !group.launches.isEmpty { group.startReady() }
        #expect(group.drained.count == 4)
        #expect(group.machine.processes.count { $0.isActive } == 4)
    }

    @Test func groupOfAFixedNumber_staysAsItIs() {
        var group = Group.running(processes: 2)
        load(&group, 100, 10)
        load(&group, 0, 100)
        #expect(group.tickets.count == 2)
        #expect(group.drained.isEmpty)
    }

    @Test func endedGroup_doesNotGrow() {
        var group = group()
        group.tell(.stop)
        load(&group, 100, 3)
        #expect(group.tickets.count == 2)
        #expect(group.launches.isEmpty)
    }
}
