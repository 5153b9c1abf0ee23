import SWSGIWire
import Testing

@Suite struct CheckPlanTests {
    private static let plan: CheckPlan = {
        var ownership = Ownership()
        ownership.uid = 7
        let httpd = CheckPlan.Reader(title: "httpd: ", changesIdentity: true, uid: 33, gid: 33, groups: [33])
        let group = CheckPlan.Reader(
            title: "process group 'a': ",
            changesIdentity: true,
            uid: 1000,
            gid: 1001,
            groups: [1001, 27],
            directory: "/srv",
            root: "/jail",
            ownership: ownership
        )
        let entry = CheckPlan.Entry(
            place: "site.conf:4",
            path: "/jail/a.wsgi",
            reader: 1,
            inside: "/a.wsgi",
            mayBeDirectory: true,
            isLoaded: false,
            isEmbedded: true,
            function: "application"
        )
        return CheckPlan(purpose: .start, logLevel: 6, readers: [httpd, group], entries: [entry])
    }()

    @Test func plan_travels() throws {
        for purpose in [CheckPlan.Purpose.test, .start, .dump] {
            var plan = Self.plan
            plan.purpose = purpose
            #expect(try plan.bytes.withUnsafeBytes { try CheckPlan($0) } == plan)
        }
    }

    @Test func planThatIsCutShort_isRefused() {
        let bytes = Self.plan.bytes
        for count in bytes.indices {
            #expect(throws: Malformed.self) { try bytes[..<count].withUnsafeBytes { try CheckPlan($0) } }
        }
    }

    @Test func entryOfNobody_isRefused() {
        var plan = Self.plan
        plan.entries[0].reader = 2
        #expect(throws: Malformed.self) { try plan.bytes.withUnsafeBytes { try CheckPlan($0) } }
        plan = Self.plan
        plan.readers = []
        plan.entries = []
        #expect(throws: Malformed.self) { try plan.bytes.withUnsafeBytes { try CheckPlan($0) } }
    }
}
