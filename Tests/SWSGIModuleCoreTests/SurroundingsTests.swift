import Glibc
import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

@Suite struct JailTests {
    private let jail = Jail("/srv/jail")

    @Test(
        arguments: [
            ("/srv/jail/app/a.wsgi", "/app/a.wsgi"), ("/srv/jail/", "/"), ("/srv/jail", "/"),
            ("/srv/jail/../x", "/../x"), ("/srv/jail2/a", nil), ("/srv/jai", nil), ("/srv", nil), ("/", nil), ("", nil),
            ("srv/jail/a", nil),
        ] as [(String, String?)]
    ) func path_isSeenFromInside(_ outside: String, _ inside: String?) {
        #expect(jail.inside(outside) == inside)
    }

    @Test func fieldsThatArePaths_areSeenFromInside_andOthersAreNot() {
        func value(_ name: String, _ text: String) -> String {
            text.withCString { String(cString: jail.value(name, $0)) }
        }
        #expect(value("SCRIPT_FILENAME", "/srv/jail/a") == "/a")
        #expect(value("DOCUMENT_ROOT", "/srv/jail") == "/")
        #expect(value("DOCUMENT_ROOT", "/srv/www") == "/srv/www")
        #expect(value("PATH_INFO", "/srv/jail/a") == "/srv/jail/a")
        #expect(value("HTTP_X", "/srv/jail/a") == "/srv/jail/a")
    }
}

/// From options to what the supervisor is told.
@Suite struct SurroundingsPlanTests {
    private static let httpd = HTTPDFacts(uid: 65_533, gid: 65_533, userName: "httpd", isRoot: true)

    private func plan(_ options: String, _ httpd: HTTPDFacts = httpd) throws -> GroupPlan {
        var group = GroupDefinition(
            options: try DaemonProcessOptions("a \(options)"),
            place: Place(file: "site.conf", line: 1, server: ConfigurationTests.main)
        )
        group.applications = ["/jail/app/a.wsgi", "/srv/b.wsgi"].map {
            ApplicationKey(entryFile: $0, applicationGroup: "", symbol: "")
        }
        return IdentityResolver.plan(group, httpd: httpd, logLevel: 4)
    }

    @Test func nothingGiven_isNothingSpecial() throws {
        #expect(try plan("").surroundings == Surroundings())
        #expect(try plan("").applications.count == 2)
    }

    @Test func options_becomeThePlan() throws {
        let plan = try plan(
            "lang=a locale=b cpu-priority=3 stack-size=1M memory-limit=1G virtual-memory-limit=2G environment-file=/e"
        )
        var expected = Surroundings()
        (expected.lang, expected.locale, expected.priority) = ("a", "b", 3)
        (expected.stackSize, expected.dataLimit, expected.addressLimit) = (1 << 20, 1 << 30, 2 << 30)
        expected.environmentFile = "/e"
        #expect(plan.surroundings == expected)
    }

    @Test(.enabled(if: Somebody.user != nil)) func supplementaryGroups_takeThePlaceOfTheUsers() throws {
        let user = try #require(Somebody.user)
        #expect(try plan("user=\(user.name) supplementary-groups=#7,#9,#7").groups == [user.gid, 7, 9])
        #expect(try plan("user=\(user.name)").groups == user.groups(with: user.gid))
    }

    @Test func applicationsOutsideOfTheRoot_areLeftOut_andTheOthersSeenFromInside() throws {
        let plan = try plan("chroot=/jail home=/data")
        #expect(plan.applications.map(\.entryFile) == ["/app/a.wsgi"])
        #expect(plan.surroundings.root == "/jail")
        #expect(plan.surroundings.directoryInRoot == "/data")
        // A home that is not inside: the root, never a directory outside.
        #expect(try self.plan("chroot=/jail").surroundings.directoryInRoot == "/")
    }

    @Test(.enabled(if: Somebody.user != nil)) func dedicatedUser_doesNotLoadWhatEverybodyMayWriteTo() throws {
        let user = try #require(Somebody.user)
        #expect(try plan("user=\(user.name)").surroundings.ownership.refusesWritable)
        #expect(try !plan("").surroundings.ownership.refusesWritable)
        let same = HTTPDFacts(uid: user.uid, gid: user.gid, userName: user.name, isRoot: true)
        #expect(try !plan("user=\(user.name)", same).surroundings.ownership.refusesWritable)
        let unprivileged = HTTPDFacts(uid: 65_533, gid: 65_533, userName: "httpd", isRoot: false)
        #expect(try !plan("user=\(user.name)", unprivileged).surroundings.ownership.refusesWritable)
    }

    @Test func scriptUserAndGroup_becomeNumbers() throws {
        #expect(try plan("script-user=root").surroundings.ownership.uid == 0)
        #expect(try plan("script-group=#77").surroundings.ownership.gid == 77)
    }

    @Test func dumps_goWhereHttpdsGo() throws {
        var httpd = Self.httpd
        httpd.dumpDirectory = "/var/cores"
        #expect(try plan("", httpd).surroundings.dumpDirectory == "/var/cores")
    }

    private func remarks(_ options: String) throws -> [Problem] {
        var configuration = Configuration()
        try configuration.define(
            "a \(options)",
            at: Place(file: "c", line: 2, server: ConfigurationTests.main),
            isRoot: true
        )
        return configuration.remarks()
    }

    @Test func environmentFileThatCanNotBeUsed_isRemarked() throws {
        let found = try #require(remarks("environment-file=/no/such/file").first)
        #expect(found.code == .environmentFileDoubtful)
        #expect(found.what.hasPrefix("c:2: process group 'a': environment-file /no/such/file: "))
    }

    @Test(.enabled(if: Somebody.user != nil)) func userOfSeveralGroups_isRemarked_once() throws {
        let user = try #require(Somebody.user)
        var configuration = Configuration()
        for (name, options) in [("a", "user=\(user.name)"), ("b", ""), ("c", "user=#\(user.uid)"), ("d", "")] {
            try configuration.define(
                "\(name) group=#77 \(options)",
                at: Place(file: "c", line: 2, server: ConfigurationTests.main),
                isRoot: true
            )
        }
        let remarks = configuration.remarks(httpdUID: user.uid)
        #expect(remarks.map(\.code) == [.userShared])
        #expect(remarks.map(\.what) == ["process groups 'a', 'c' all run as uid \(user.uid)"])
    }

    @Test func limitThatTheStacksReach_isRemarked() throws {
        #expect(try remarks("memory-limit=16M").map(\.code) == [.optionsConflict])
    }
}
