import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGISupervisor

@Suite struct PoisonTests {
    private func loading(_ version: ApplicationVersion) -> Group {
        var group = Group.running(processes: 1)
        group.pass(20)
        group.tell(.loading(ticket: 1, version))
        return group
    }

    @Test func crashWhileLoading_poisonsTheVersion() {
        var group = loading(version("a", 1))
        group.end(1, .signalled(11))
        #expect(group.logged == [3001, 2033])
        #expect(group.launches[0].poisoned.map(\.version) == [version("a", 1)])
        #expect(group.launches[0].poisoned[0].reason.contains("SWSGI2033"))
        #expect(group.launches[0].poisoned[0].reason.contains("SIGSEGV"))
    }

    @Test func exitWhileLoading_poisonsTheVersion() {
        var group = loading(version("a", 1))
        group.end(1, .exited(0))
        #expect(group.logged == [3001, 2034])
        #expect(group.launches[0].poisoned.map(\.version) == [version("a", 1)])
    }

    /// A process that can't load ends itself: that is no exit() of the application, and it has said what is wrong.
    @Test(arguments: [true, false]) func ownExit_isNotCalledTheApplications(tellsItsEnd: Bool) {
        var group = loading(version("a", 1))
        // What a process says last may be lost behind its other lines.
        if tellsItsEnd { group.tell(.notLoaded(ticket: 1, version("a", 1))) }
        group.end(1, .exited(WorkerExit.notLoaded))
        #expect(group.logged == [3001])
        #expect(group.texts[0].contains("could not load '\(key("a").entryFile)', as its line before says, and ended"))
        #expect(!group.texts[0].contains("status"))
        #expect(group.launches[0].poisoned.isEmpty)
    }

    @Test func ownExitCodes_areSaidInWords() {
        var group = Group(processes: 1)
        group.tell(.begin)
        group.end(group.startOne(), .exited(WorkerExit.setup))
        #expect(group.texts[0].contains("could not become what its group is configured to be"))
        // The same number from a process that serves is the application's own.
        var other = Group.running(processes: 1)
        other.end(1, .exited(WorkerExit.setup))
        #expect(other.texts[0].contains("exited with status 82"))
        var third = Group.running(processes: 1)
        third.end(1, .exited(WorkerExit.serviceFailed))
        #expect(third.texts[0].contains("exited with status 83"))
    }

    @Test func loadingTooLong_killsAndPoisons() {
        var group = loading(version("a", 1))
        group.pass(16)
        #expect(group.killed == [1])
        #expect(group.logged == [2035])
        #expect(group.launches[0].poisoned.map(\.version) == [version("a", 1)])
        group.end(1, .signalled(9))
        #expect(group.logged == [2035])
    }

    @Test func crashAfterLoading_poisonsNothing() {
        var group = loading(version("a", 1))
        group.tell(.loaded(ticket: 1, version("a", 1)))
        group.end(1, .signalled(11))
        #expect(group.launches[0].poisoned.isEmpty)
        #expect(group.launches[0].preload == [key("a")])
    }

    @Test func signalFromOutsideWhileLoading_poisonsAtTheThirdTimeOnly() {
        var group = loading(version("a", 1))
        for round in 1...3 {
            group.end(group.tickets[0], .signalled(9))
            group.pass(1)
            #expect(group.launches[0].poisoned.isEmpty == (round < 3))
            let ticket = group.startOne()
            group.tell(.loading(ticket: ticket, version("a", 1)))
        }
    }

    @Test func backtraceThatHangsWhileLoading_poisonsForTheCrash() {
        var group = loading(version("a", 1))
        group.tell(.crashing(ticket: 1, signal: 4))
        group.end(1, .signalled(14))
        #expect(group.logged == [2033, 3001])
        #expect(group.machine.applications.poisoned[0].reason.contains("SIGILL"))
    }

    @Test func otherVersionLoaded_liftsThePoison() {
        var group = loading(version("a", 1))
        group.end(1, .signalled(11))
        let ticket = group.startReady()
        group.tell(.loaded(ticket: ticket, version("a", 1)))
        #expect(group.machine.applications.poisoned.count == 1)
        group.tell(.loaded(ticket: ticket, version("a", 2)))
        #expect(group.machine.applications.poisoned.isEmpty)
    }

    @Test func memory_isBounded() {
        var memory = ApplicationMemory()
        for number in 0..<200 {
            memory.poison(version("p\(number)", 1), "")
            memory.fail(version("f\(number)", 1))
            memory.loaded(version("l\(number)", 1), configured: [])
        }
        #expect(memory.poisoned.count == ControlLimits.applications)
        #expect(memory.failed.count == ControlLimits.applications)
        #expect(memory.preload(configured: [key("c")]).count == ControlLimits.applications)
        #expect(memory.preload(configured: [key("c")])[0] == key("c"))
        #expect(memory.known.last == key("l199"))
    }
}
