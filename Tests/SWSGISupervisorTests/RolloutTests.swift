import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

@Suite struct RolloutTests {
    @Test func change_replacesOneAfterTheOther_theReporterFirst() {
        var group = Group.running(processes: 3)
        group.tell(.changed(ticket: 2, version("a", 2)))
        #expect(group.logged == [3006])
        #expect(group.launches.map(\.ticket) == [4])
        #expect(group.launches[0].required == [key("a")])
        group.startReady()
        #expect(group.drained == [2])
        #expect(group.launches.map(\.ticket) == [5])
        group.startReady()
        #expect(group.drained == [2, 1])
        group.startReady()
        #expect(group.drained == [2, 1, 3])
        #expect(group.launches.isEmpty)
        #expect(group.logged == [3006, 3007])
        for ticket in [1, 2, 3] { group.end(ticket) }
        #expect(group.tickets == [4, 5, 6])
        #expect(group.logged == [3006, 3007])
    }

    @Test func drainThatIsNotSeenYet_isNotCalledDone() {
        var group = Group.running(processes: 1)
        group.seesDrains = false
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.startReady()
        #expect(group.drained == [1])
        #expect(group.logged == [3006])
        group.tell(.stopped(ticket: 1))
        #expect(group.logged == [3006, 3007])
    }

    @Test func drainThatIsNeverSeen_isCalledDoneAfterASecond() {
        var group = Group.running(processes: 1)
        group.seesDrains = false
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.startReady()
        group.pass(0.9)
        #expect(group.logged == [3006])
        group.pass(0.2)
        #expect(group.logged == [3006, 3007])
    }

    @Test func sameChangeFromSeveralProcesses_isOneReload() {
        var group = Group.running(processes: 3)
        for ticket in 1...3 { group.tell(.changed(ticket: ticket, version("a", 2))) }
        group.settle()
        #expect(group.tickets == [4, 5, 6])
        #expect(group.logged == [3006, 3007])
    }

    @Test func requiredApplicationNotLoaded_keepsTheOldProcesses() {
        var group = Group.running(processes: 2)
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.end(group.startOne(), .exited(WorkerExit.notLoaded))
        #expect(group.logged == [3006, 3008])
        #expect(group.failed == [1: [version("a", 2)], 2: [version("a", 2)]])
        #expect(group.tickets == [1, 2])
        #expect(group.drained.isEmpty)
        #expect(group.launches.isEmpty)
    }

    /// "The old code serves on" is said where a process has it.
    @Test(arguments: [true, false]) func failedChange_saysWhoServesNow(hasOld: Bool) {
        var group = Group.running(processes: 1)
        if hasOld { group.tell(.loaded(ticket: 1, version("a", 1))) }
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.end(group.startOne(), .exited(WorkerExit.notLoaded))
        #expect(group.logged.last == 3008)
        let text = group.texts.last ?? ""
        #expect(text.contains("the old code serves on") == hasOld)
        #expect(text.contains("its requests are answered with 500") == !hasOld)
    }

    @Test func failedChangeReportedAgain_isAnsweredAtOnce_theNextOneIsTried() {
        var group = Group.running(processes: 1)
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.end(group.startOne(), .exited(WorkerExit.notLoaded))
        group.failed = [:]
        group.tell(.changed(ticket: 1, version("a", 2)))
        #expect(group.failed == [1: [version("a", 2)]])
        #expect(group.launches.isEmpty)
        group.tell(.changed(ticket: 1, version("a", 3)))
        #expect(group.launches.count == 1)
        group.settle()
        #expect(group.logged == [3006, 3008, 3006, 3007])
    }

    @Test func replacementThatDiesLoadingTheNewCode_failsTheReload() {
        var group = Group.running(processes: 1)
        group.tell(.changed(ticket: 1, version("a", 2)))
        let ticket = group.startOne()
        group.tell(.loading(ticket: ticket, version("a", 2)))
        group.end(ticket, .signalled(5))
        #expect(group.logged == [3006, 3001, 2033, 3008])
        #expect(group.failed == [1: [version("a", 2)]])
    }

    @Test func replacementThatHangsLoadingTheNewCode_failsTheReload() {
        var group = Group.running(processes: 1)
        group.tell(.changed(ticket: 1, version("a", 2)))
        let ticket = group.startOne()
        group.tell(.loading(ticket: ticket, version("a", 2)))
        group.pass(16)
        #expect(group.killed == [ticket])
        group.end(ticket, .signalled(9))
        #expect(group.logged == [3006, 2035, 3008])
        #expect(group.failed == [1: [version("a", 2)]])
        #expect(group.tickets == [1])
    }

    @Test func replacementThatDiesForAnotherReason_isTriedAgain_threeTimes() {
        var group = Group.running(processes: 1)
        group.tell(.changed(ticket: 1, version("a", 2)))
        for attempt in 1...4 {
            #expect(group.launches.count == 1)
            #expect(group.failed.isEmpty)
            group.end(group.startOne(), .signalled(9))
            if attempt < 4 { group.pass(1) }
        }
        #expect(group.failed == [1: [version("a", 2)]])
        #expect(group.count(.reloadFailed) == 1)
        group.pass(60)
        #expect(group.launches.isEmpty)
        #expect(group.tickets == [1])
    }

    @Test func replacementThatCrashesInAnotherApplication_isTriedWithoutIt() {
        var group = Group.running(processes: 1)
        group.tell(.changed(ticket: 1, version("a", 2)))
        let ticket = group.startOne()
        group.tell(.loading(ticket: ticket, version("b", 1)))
        group.end(ticket, .signalled(11))
        #expect(group.failed.isEmpty)
        #expect(group.launches[0].required == [key("a")])
        #expect(group.launches[0].poisoned.map(\.version) == [version("b", 1)])
        group.settle()
        #expect(group.count(.reloadDone) == 1)
    }

    @Test func replacementThatCannotBeStarted_isTriedAgain() {
        var group = Group.running(processes: 1)
        group.tell(.changed(ticket: 1, version("a", 2)))
        let ticket = group.launches.removeFirst().ticket
        group.tell(.startFailed(ticket: ticket, reason: "fork"))
        group.pass(1)
        group.settle()
        #expect(group.tickets == [3])
        #expect(group.count(.reloadDone) == 1)
    }

    @Test func changeDuringReload_startsAnotherRound() {
        var group = Group.running(processes: 3)
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.startReady()
        group.startOne()
        group.tell(.changed(ticket: 4, version("a", 3)))
        group.tell(.ready(ticket: 5))
        group.settle()
        // 4, 5 and the one that was just coming up had read the file before the second change; nobody else had.
        #expect(group.machine.processes.allSatisfy { $0.ticket > 5 })
        #expect(group.machine.processes.count == 3)
        #expect(group.count(.reloadStarted) == 2)
        #expect(group.count(.reloadDone) == 2)
        #expect(group.failed.isEmpty)
    }

    @Test func changesDuringReload_areCoalesced() {
        var group = Group.running(processes: 2)
        group.tell(.changed(ticket: 1, version("a", 2)))
        for number: Int64 in 3...20 { group.tell(.changed(ticket: 2, version("a", number))) }
        group.settle()
        #expect(group.count(.reloadStarted) <= 2)
        #expect(group.machine.processes.count == 2)
        #expect(group.tickets.allSatisfy { $0 > 3 })
    }

    @Test func changeReportedBeforeAnyReplacementStarted_needsNoSecondRound() {
        var group = Group.running(processes: 1)
        group.tell(.leaving(ticket: 1))
        // The leaving process's replacement is in flight: both changes wait for it.
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.tell(.changed(ticket: 1, version("a", 3)))
        group.settle()
        #expect(group.count(.reloadStarted) == 1)
        #expect(group.tickets == [3])
    }

    @Test func changesOfTwoApplications_areBothRolledOut() {
        var group = Group.running(processes: 2)
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.startOne()
        group.tell(.changed(ticket: 2, version("b", 2)))
        group.tell(.ready(ticket: 3))
        group.settle()
        #expect(group.tickets.allSatisfy { $0 > 3 })
        #expect(group.count(.reloadDone) == 2)
    }

    @Test func failedReload_withALaterChange_goesOnWithThatOne() {
        var group = Group.running(processes: 2)
        group.tell(.changed(ticket: 1, version("a", 2)))
        let ticket = group.startOne()
        group.tell(.changed(ticket: 2, version("a", 3)))
        group.end(ticket, .exited(WorkerExit.notLoaded))
        #expect(group.failed == [1: [version("a", 2)], 2: [version("a", 2)]])
        group.settle()
        #expect(group.machine.processes.count == 2)
        #expect(group.tickets.allSatisfy { $0 > 3 })
        #expect(group.logged == [3006, 3008, 3006, 3007])
    }

    @Test func failedReload_releasesOvertakenChangesToo() {
        var group = Group.running(processes: 2)
        group.tell(.changed(ticket: 1, version("a", 2)))
        let first = group.startOne()
        group.tell(.changed(ticket: 1, version("a", 3)))
        group.tell(.changed(ticket: 2, version("a", 4)))
        group.end(first, .exited(WorkerExit.notLoaded))
        #expect(group.failed[1] == [version("a", 2), version("a", 3)])
        group.end(group.startOne(), .exited(WorkerExit.notLoaded))
        #expect(group.failed[2]?.contains(version("a", 4)) == true)
        #expect(group.machine.processes.allSatisfy { $0.reported.isEmpty })
    }

    @Test func changeThatNewProcessesKeepReporting_isGivenUp() {
        var group = Group.running(processes: 1)
        var rounds = 0
        while group.failed.isEmpty, rounds < 20 {
            rounds += 1
            group.tell(.changed(ticket: group.tickets[0], version("a", 2)))
            group.settle()
            group.pass(0.1)
        }
        #expect(rounds < 6)
        #expect(group.count(.reloadFailed) == 1)
    }

    @Test func fileThatIsPutBack_isRolledOutAgain() {
        var group = Group.running(processes: 1)
        for _ in 0..<10 {
            for number: Int64 in [1, 2] {
                group.tell(.changed(ticket: group.tickets[0], version("a", number)))
                group.settle()
            }
        }
        #expect(group.count(.reloadDone) == 20)
        #expect(group.failed.isEmpty)
    }

    @Test func oldProcessThatDiesDuringReload_isNotWaitedFor() {
        var group = Group.running(processes: 2)
        group.pass(20)
        group.tell(.changed(ticket: 1, version("a", 2)))
        group.startOne()
        group.end(1, .signalled(11))
        group.end(2, .signalled(11))
        group.tell(.ready(ticket: 3))
        group.settle()
        #expect(group.machine.processes.count == 2)
        #expect(group.count(.reloadDone) == 1)
    }

    @Test func leaving_isReplacedFirst_thenDrained() {
        var group = Group.running(processes: 2)
        group.tell(.leaving(ticket: 1))
        #expect(group.launches.map(\.ticket) == [3])
        #expect(group.launches[0].required.isEmpty)
        #expect(group.drained.isEmpty)
        group.startReady()
        #expect(group.drained == [1])
        group.end(1)
        #expect(group.tickets == [2, 3])
        #expect(group.logged.isEmpty)
        #expect(group.launches.isEmpty)
    }

    @Test func leavingReplacementThatDies_isTriedAgain_andTheOldServes() {
        var group = Group.running(processes: 1)
        group.tell(.leaving(ticket: 1))
        for _ in 0..<6 {
            group.end(group.startOne(), .exited(82))
            group.pass(4)
            #expect(group.drained.isEmpty)
        }
        group.startReady()
        #expect(group.drained == [1])
    }

    @Test func touchFiveTimesASecond_neverWedges_andEndsWithTheLastChange() {
        var group = Group.running(processes: 3)
        var loaded: [Int: Int64] = [1: 1, 2: 1, 3: 1]
        var random = SystemRandomNumberGenerator()
        func step(_ group: inout Group, file: Int64) {
            if !group.launches.isEmpty, Bool.random(using: &random) {
                let ticket = group.startOne()
                loaded[ticket] = file
            }
            for member in group.machine.processes where member.pid != nil && member.isActive {
                if member.readyAt == nil, Bool.random(using: &random) { group.tell(.ready(ticket: member.ticket)) }
                if member.readyAt != nil, loaded[member.ticket] != file {
                    group.tell(.changed(ticket: member.ticket, version("a", file)))
                }
            }
            for ticket in group.drained { group.end(ticket) }
            group.drained = []
            group.pass(0.05)
        }
        for turn in 0..<2000 { step(&group, file: Int64(2 + turn / 4)) }
        let last = Int64(2 + 2000 / 4)
        for _ in 0..<500 { step(&group, file: last) }
        #expect(group.machine.processes.count == 3)
        #expect(group.tickets.allSatisfy { loaded[$0] == last })
        #expect(group.machine.rollout.round == nil)
        #expect(group.machine.rollout.pending.isEmpty)
        #expect(group.failed.isEmpty)
    }
}
