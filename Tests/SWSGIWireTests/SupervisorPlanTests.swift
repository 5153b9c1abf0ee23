import SWSGIWire
import Testing

@Suite struct SupervisorPlanTests {
    static let group = GroupPlan(
        name: "example",
        changesIdentity: true,
        uid: 1000,
        gid: 1001,
        groups: [1001, 27],
        userName: "www",
        userHome: "/home/www",
        directory: "/srv",
        umask: 0o027,
        processes: 2,
        threads: 15,
        displayName: "(wsgi:example)",
        startupTimeout: 30,
        shutdownTimeout: 5,
        applications: [ControlTests.key],
        logLevel: 6
    )
    static let plan: SupervisorPlan = {
        var other = group
        other.name = "other"
        other.changesIdentity = false
        other.groups = []
        other.umask = nil
        other.displayName = nil
        other.applications = []
        other.deadlines = DeadlinePlan(requestTimeout: 3, interruptTimeout: 4, deadlockTimeout: 5)
        var plan = SupervisorPlan(
            parent: 4711,
            program: "/usr/lib/swsgid",
            backtrace: "/usr/lib/swift-backtrace-static",
            snapshotBase: "/run",
            groups: [group, other]
        )
        plan.descriptorLimit = 4096
        return plan
    }()

    @Test func plan_travels() throws {
        #expect(try Self.plan.bytes.withUnsafeBytes { try SupervisorPlan($0) } == Self.plan)
    }

    @Test func planWithoutGroupsOrBacktrace_travels() throws {
        let plan = SupervisorPlan(parent: 1, program: "p", backtrace: nil, snapshotBase: "", groups: [])
        #expect(try plan.bytes.withUnsafeBytes { try SupervisorPlan($0) } == plan)
    }

    @Test func fiveHundredGroups_travel_inOrder() throws {
        var plan = Self.plan
        plan.groups = (0..<500).map { index in
            var group = Self.group
            group.name = "group-\(index)"
            return group
        }
        let received = try plan.bytes.withUnsafeBytes { try SupervisorPlan($0) }
        #expect(received.groups.map(\.name) == plan.groups.map(\.name))
    }

    @Test func umaskOf0777_differsFromNone() throws {
        var plan = Self.plan
        plan.groups[0].umask = 0o777
        plan.groups[1].umask = nil
        let received = try plan.bytes.withUnsafeBytes { try SupervisorPlan($0) }
        #expect(received.groups.map(\.umask) == [0o777, nil])
    }

    @Test func surroundings_travel() throws {
        var plan = Self.plan
        plan.groups[1].surroundings = ControlTests.surroundings
        #expect(try plan.bytes.withUnsafeBytes { try SupervisorPlan($0) } == plan)
    }

    @Test func longPath_isRefused() {
        var plan = Self.plan
        plan.program = String(repeating: "x", count: ControlLimits.path + 1)
        let problem = refusal(plan.bytes) { bytes throws(Malformed) in _ = try SupervisorPlan(bytes) }
        #expect(problem == "text of 4097 bytes, more than 4096")
    }

    @Test func everyTruncation_andAByteTooMany_areRefused() throws {
        let trial = try trial()
        trial.feedTruncations(of: Self.plan.bytes)
        trial.feed(Self.plan.bytes + [0])
        #expect(trial.refused == Self.plan.bytes.count + 1)
    }

    @Test func everyByteChange_givesAConsistentPlanOrNone() throws {
        let trial = try trial()
        trial.feedByteChanges(of: Self.plan.bytes)
        #expect(trial.inconsistent == 0)
    }

    @Test func thirtyThousandRandomInputs_giveAConsistentPlanOrNone() throws {
        let trial = try trial()
        trial.feedRandomChanges(of: Self.plan.bytes, times: 20_000, seed: 9)
        trial.feedRandomBytes(upTo: 200, times: 10_000, seed: 10)
        #expect(trial.inconsistent == 0)
        #expect(trial.accepted > 0 && trial.refused > 0)
    }

    @Test func descriptorsOfGroups_followEachOther() {
        let places = (0..<3).flatMap {
            [
                SupervisorDescriptors.queue(ofGroup: $0), SupervisorDescriptors.log(ofGroup: $0),
                SupervisorDescriptors.takers(ofGroup: $0),
            ]
        }
        #expect(places == Array(7...15))
    }

    private func trial() throws -> Trial {
        try Trial { bytes throws(Malformed) in
            let plan = try SupervisorPlan(bytes)
            return plan.bytes.withUnsafeBytes { (try? SupervisorPlan($0)) == plan }
        }
    }
}
