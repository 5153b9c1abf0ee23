import SWSGIConfiguration
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire
import Testing

@Suite struct ConfigurationTests {
    static let main = ServerFacts(id: 1, hostName: "example.org", isVirtual: false)
    static let virtual = ServerFacts(id: 2, hostName: "a.example.org", isVirtual: true)
    static let sameName = ServerFacts(id: 3, hostName: "a.example.org", isVirtual: true)
    static let other = ServerFacts(id: 4, hostName: "b.example.org", isVirtual: true)
    static let nameless = ServerFacts(id: 5, hostName: "", isVirtual: true)
    static let otherNameless = ServerFacts(id: 6, hostName: "", isVirtual: true)

    private static func place(_ line: Int, _ server: ServerFacts = main) -> Place {
        Place(file: "site.conf", line: line, server: server)
    }

    @Test func groups_keepTheirOrder() throws {
        var configuration = Configuration()
        for (line, name) in ["b", "a", "c"].enumerated() {
            try configuration.define(name, at: Self.place(line), isRoot: false)
        }
        #expect(configuration.groups.map(\.options.name) == ["b", "a", "c"])
        #expect(configuration.groups.map(\.place.line) == [0, 1, 2])
    }

    @Test func secondGroupOfAName_isRefused_withThePlaceOfTheFirst() throws {
        var configuration = Configuration()
        try configuration.define("a", at: Self.place(3, Self.virtual), isRoot: false)
        let problem = problem { () throws(Problem) in
            try configuration.define("a threads=2", at: Self.place(9, Self.other), isRoot: false)
        }
        #expect(problem?.code == .groupDuplicate)
        #expect(problem?.what == "WSGIDaemonProcess: process group 'a' is already defined at site.conf:3")
        #expect(configuration.groups.count == 1)
    }

    @Test func mistakeInTheOptions_definesNothing() {
        var configuration = Configuration()
        let problem = problem { () throws(Problem) in
            try configuration.define("a threads=x", at: Self.place(1), isRoot: false)
        }
        #expect(problem?.code == .numberInvalid)
        #expect(configuration.groups.isEmpty)
    }

    @Test(arguments: [
        ("a user=swsgi-no-such-user", 1009, "user 'swsgi-no-such-user' does not exist"),
        ("a user=#4294967294", 1009, "user '#4294967294' does not exist"),
        ("a group=swsgi-no-such-group", 1010, "group 'swsgi-no-such-group' does not exist"),
        ("a user=root", 6001, "process group 'a' must not run as uid 0 (user 'root')"),
        ("a user=#0", 6001, "process group 'a' must not run as uid 0 (user '#0')"),
        ("a group=root", 6002, "process group 'a' must not run as gid 0 (group 'root')"),
        ("a group=#0", 6002, "process group 'a' must not run as gid 0 (group '#0')"),
        (
            "a supplementary-groups=daemon,swsgi-no-such-group", 1010,
            "supplementary group 'swsgi-no-such-group' does not exist"
        ),
        (
            "a supplementary-groups=#0", 6002,
            "process group 'a' must not have the supplementary gid 0 (group '#0')"
        ),
        ("a home=/no/such/directory", 1011, "home '/no/such/directory' is not a directory"),
        ("a home=/dev/null", 1011, "home '/dev/null' is not a directory"),
    ])
    func identityThatCannotBe_isRefused(_ arguments: String, _ number: Int, _ what: String) {
        for isRoot in [true, false] {
            var configuration = Configuration()
            let problem = problem { () throws(Problem) in
                try configuration.define(arguments, at: Self.place(1), isRoot: isRoot)
            }
            #expect(problem?.code.number == number)
            #expect(problem?.what == "WSGIDaemonProcess: \(what)")
        }
    }

    @Test(.enabled(if: Somebody.user != nil)) func identityOfSomebodyElse_needsRoot() throws {
        let user = try #require(Somebody.user)
        var configuration = Configuration()
        let problem = problem { () throws(Problem) in
            try configuration.define("a user=\(user.name)", at: Self.place(1), isRoot: false)
        }
        #expect(problem?.code == .identityNeedsRoot)
        #expect(problem?.what == "WSGIDaemonProcess: user=\(user.name) needs httpd to be started as root")
        try configuration.define("a user=\(user.name)", at: Self.place(1), isRoot: true)
    }

    @Test func useOfAnUndefinedGroup_isAProblem_withItsPlace() {
        var configuration = Configuration()
        configuration.use("missing", at: Self.place(7))
        let problems = configuration.problems()
        #expect(problems.map(\.code) == [.processGroupUndefined])
        #expect(
            problems.map(\.what) == ["site.conf:7: process group 'missing' is not defined by any WSGIDaemonProcess"]
        )
    }

    @Test func useOfAnotherHostsGroup_isAProblem_withBothPlaces() throws {
        var configuration = Configuration()
        try configuration.define("a", at: Self.place(3, Self.virtual), isRoot: false)
        configuration.use("a", at: Self.place(8, Self.other))
        let problems = configuration.problems()
        #expect(problems.map(\.code) == [.processGroupForeign])
        #expect(
            problems.map(\.what) == [
                "site.conf:8: process group 'a' belongs to another virtual host, defined at site.conf:3"
            ]
        )
    }

    @Test func useBeforeTheDefinition_isNoProblem() throws {
        var configuration = Configuration()
        configuration.use("a", at: Self.place(1))
        try configuration.define("a", at: Self.place(2), isRoot: false)
        #expect(configuration.problems() == [])
    }

    @Test func everyUse_isLookedAt_inItsOrder() throws {
        var configuration = Configuration()
        try configuration.define("a", at: Self.place(1, Self.virtual), isRoot: false)
        configuration.use("x", at: Self.place(2))
        configuration.use("a", at: Self.place(3, Self.virtual))
        configuration.use("a", at: Self.place(4, Self.other))
        #expect(configuration.problems().map(\.code) == [.processGroupUndefined, .processGroupForeign])
    }

    @Test func useInTheMainServer_isNoProblem_asVirtualHostsInheritIt() throws {
        var configuration = Configuration()
        try configuration.define("a", at: Self.place(1, Self.virtual), isRoot: false)
        configuration.use("a", at: Self.place(2, Self.main))
        #expect(configuration.problems() == [])
    }

    @Test(arguments: [
        (main, virtual, true), (main, main, true), (virtual, virtual, true), (virtual, sameName, true),
        (virtual, other, false), (virtual, main, false), (nameless, otherNameless, false), (nameless, nameless, true),
    ])
    func group_servesItsHost_andThoseOfTheSameName(_ owner: ServerFacts, _ user: ServerFacts, _ expected: Bool) throws {
        var configuration = Configuration()
        try configuration.define("a", at: Self.place(1, owner), isRoot: false)
        #expect(configuration.groups[0].isAccessible(from: user) == expected)
    }

    @Test func thousandGroups_areDefined() throws {
        var configuration = Configuration()
        for index in 0..<1000 {
            try configuration.define("group-\(index)", at: Self.place(index), isRoot: false)
        }
        #expect(configuration.groups.count == 1000)
    }
}

/// A user that the tests don't run as and that is not root.
enum Somebody {
    static let user: User? = ["nobody", "daemon", "bin"].compactMap { User($0) }.first { user in
        user.uid != 0 && user.gid != 0 && user.uid != ownUser
    }
}
