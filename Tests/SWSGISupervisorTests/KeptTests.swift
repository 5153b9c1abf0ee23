import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

/// What some processes of a group serve, new ones must be able to.
@Suite struct KeptTests {
    /// Processes that serve version 1 of an application.
    private func serving(_ processes: Int) -> Group {
        var group = Group.running(processes: processes)
        for ticket in 1...processes { group.tell(.loaded(ticket: ticket, version("a", 1))) }
        return group
    }

    private func refuse(_ group: inout Group, _ version: ApplicationVersion) {
        let ticket = group.startOne()
        group.tell(.loading(ticket: ticket, version))
        group.tell(.notLoaded(ticket: ticket, version))
        group.end(ticket, .exited(WorkerExit.notLoaded))
    }

    private func waitForTheNextTry(_ group: inout Group) {
        for _ in 0..<40 where group.launches.isEmpty { group.pass(1) }
    }

    @Test func firstProcesses_areBoundToNothing() {
        var group = Group(processes: 2)
        group.tell(.begin)
        #expect(group.launches.allSatisfy { $0.kept.isEmpty })
        // One that is not ready yet serves nothing.
        let ticket = group.startOne()
        group.tell(.loaded(ticket: ticket, version("a", 1)))
        group.end(group.startOne(), .signalled(9))
        #expect(group.launches.last?.kept == [])
    }

    @Test func recyclingWhileTheFileIsBroken_leavesTheOldServing_andIsTriedAgain() {
        var group = serving(2)
        group.tell(.leaving(ticket: 1, .maximumRequests))
        #expect(group.launches.first?.kept == [key("a")])
        refuse(&group, version("a", 2))
        #expect(group.logged == [3086])
        #expect(group.drained.isEmpty && group.tickets.prefix(2) == [1, 2])
        for _ in 0..<5 {
            waitForTheNextTry(&group)
            refuse(&group, version("a", 2))
        }
        #expect(group.logged == [3086], "told once")
        #expect(group.drained.isEmpty)
        waitForTheNextTry(&group)
        let ticket = group.startOne()
        group.tell(.loaded(ticket: ticket, version("a", 3)))
        group.tell(.ready(ticket: ticket))
        #expect(group.reasons == [1: .maximumRequests])
    }

    @Test func placeOfAnEndedProcess_staysEmptyWhileTheFileIsBroken() {
        var group = serving(2)
        group.end(1, .signalled(9))
        refuse(&group, version("a", 2))
        #expect(group.logged == [3001, 3086])
        refuse(&group, version("a", 2))
        #expect(group.launches.isEmpty, "there is a delay now")
        #expect(group.tickets == [2])
        // The next change is tried at once.
        group.tell(.changed(ticket: 2, version("a", 3)))
        #expect(!group.launches.isEmpty)
        while !group.launches.isEmpty {
            let ticket = group.startOne()
            group.tell(.loaded(ticket: ticket, version("a", 3)))
            group.tell(.ready(ticket: ticket))
        }
        #expect(group.logged == [3001, 3086, 3006, 3007])
        group.settle()
        #expect(group.tickets.count == 2 && !group.tickets.contains(2))
    }

    @Test func lastProcess_isReplacedByOneThatIsBoundToNothing() {
        var group = serving(1)
        group.end(1, .signalled(9))
        #expect(group.launches.first?.kept == [])
    }

    @Test func changeOfOneApplication_isNotTaken_whenAnotherCanNotBeLoaded() {
        var group = Group.running(processes: 1)
        for name in ["a", "b"] { group.tell(.loaded(ticket: 1, version(name, 1))) }
        group.tell(.changed(ticket: 1, version("a", 2)))
        #expect(group.launches.first?.required == [key("a")])
        #expect(group.launches.first?.kept == [key("b")])
        refuse(&group, version("b", 2))
        #expect(group.logged == [3006, 3008])
        #expect(group.failed == [1: [version("a", 2)]])
        #expect(group.drained.isEmpty)
    }
}
