import Glibc
import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

/// The user of this process.
let ownUser = getuid()

@Suite struct PreloadTests {
    private static let place = Place(file: "site.conf", line: 4, server: ConfigurationTests.virtual)

    private func key(_ name: String) -> ApplicationKey {
        ApplicationKey(entryFile: "/\(name).wsgi", applicationGroup: "", symbol: "application")
    }

    private func configuration(_ arguments: String = "a", isRoot: Bool = true) throws -> Configuration {
        var configuration = Configuration()
        try configuration.define(arguments, at: Self.place, isRoot: isRoot)
        return configuration
    }

    @Test func applications_keepTheirOrder_andComeOnce() throws {
        var configuration = try configuration()
        for name in ["x", "y", "x", "z", "y"] {
            configuration.preload(key(name), group: "a", server: ConfigurationTests.virtual)
        }
        #expect(configuration.groups[0].applications == ["x", "y", "z"].map(key))
    }

    @Test func applicationsOfOneFile_differByGroupAndSymbol() throws {
        var configuration = try configuration()
        for (group, symbol) in [("", "f"), ("g", "f"), ("", "h"), ("", "f")] {
            let key = ApplicationKey(entryFile: "/x", applicationGroup: group, symbol: symbol)
            configuration.preload(key, group: "a", server: ConfigurationTests.virtual)
        }
        #expect(configuration.groups[0].applications.count == 3)
    }

    @Test func no65thApplication_isLoadedAtTheStart() throws {
        var configuration = try configuration()
        for index in 0..<100 {
            configuration.preload(key("\(index)"), group: "a", server: ConfigurationTests.virtual)
        }
        #expect(configuration.groups[0].applications == (0..<64).map { key("\($0)") })
    }

    @Test func importScript_mayStandBeforeItsGroup() throws {
        var configuration = Configuration()
        try configuration.addImport("/x", "process-group=a application-group=%{GLOBAL}", at: Self.place)
        try configuration.define("a", at: Self.place, isRoot: true)
        configuration.resolveImports()
        #expect(configuration.problems() == [])
        #expect(configuration.mounts.map(\.target) == ["/x"])
        let key = ApplicationKey(entryFile: "/x", applicationGroup: "", symbol: "")
        #expect(configuration.groups[0].applications == [key])
    }

    @Test func groupWithoutThreads_needsOneService_andTakesNoRequests() throws {
        var configuration = try configuration("a threads=0")
        #expect(configuration.problems().map(\.code) == [.serviceCount])
        configuration.preload(key("x"), group: "a", server: ConfigurationTests.virtual)
        #expect(configuration.problems().map(\.code) == [.serviceCount, .serviceTakesNoRequests])
        configuration = try self.configuration("a threads=0")
        for file in ["/x", "/x", "/y"] {
            try configuration.addImport(file, "process-group=a application-group=%{GLOBAL}", at: Self.place)
            configuration.resolveImports()
            #expect(configuration.problems().map(\.code) == (file == "/y" ? [.serviceCount] : []))
        }
    }

    @Test func unknownOrForeignGroup_loadsNothing() throws {
        var configuration = try configuration()
        configuration.preload(key("x"), group: "b", server: ConfigurationTests.virtual)
        configuration.preload(key("x"), group: "a", server: ConfigurationTests.other)
        #expect(configuration.groups[0].applications == [])
    }

    @Test func optionsWithoutEffect_areRemarked_withTheirPlace() throws {
        let remarks = try configuration("a python-path=C switch-interval=/x").remarks()
        #expect(remarks.map(\.code) == [.optionWithoutEffect, .optionWithoutEffect])
        #expect(
            remarks.map(\.what) == [
                "site.conf:4: option 'python-path' of process group 'a' has no effect",
                "site.conf:4: option 'switch-interval' of process group 'a' has no effect",
            ]
        )
    }

    @Test(.enabled(if: Somebody.user != nil)) func userWithoutGroup_isRemarked_withTheGroupThatIsUsed() throws {
        let user = try #require(Somebody.user)
        let remarks = try configuration("a user=\(user.name)").remarks(httpdUID: user.uid)
        #expect(remarks.map(\.code) == [.primaryGroup])
        #expect(remarks.first?.what.contains("runs with gid \(user.gid), the primary group of user") == true)
        #expect(try configuration("a user=\(user.name) group=#\(user.gid)").remarks(httpdUID: user.uid) == [])
    }

    private static let httpd = HTTPDFacts(uid: 33, gid: 34, userName: "www-data", isRoot: true)

    @Test(.enabled(if: Somebody.user != nil)) func planOfAUser_hasItsIdentity() throws {
        let user = try #require(Somebody.user)
        let group = try configuration("a user=\(user.name) umask=0027 processes=2 threads=3").groups[0]
        let plan = IdentityResolver.plan(group, httpd: Self.httpd, logLevel: 6)
        #expect(plan.changesIdentity)
        #expect(plan.uid == user.uid)
        #expect(plan.gid == user.gid)
        #expect(plan.groups.contains(user.gid))
        #expect(plan.userName == user.name)
        #expect(plan.umask == 0o027)
        #expect(plan.processes == 2)
        #expect(plan.threads == 3)
        #expect(plan.logLevel == 6)
    }

    @Test func planWithoutUser_hasTheIdentityOfHTTPD_andTheRootDirectory() throws {
        let plan = IdentityResolver.plan(try configuration("a").groups[0], httpd: Self.httpd, logLevel: 4)
        #expect(plan.uid == 33)
        #expect(plan.gid == 34)
        #expect(plan.directory == "/")
    }

    @Test func planWithoutRoot_changesNoIdentity() throws {
        var httpd = Self.httpd
        httpd.isRoot = false
        let plan = IdentityResolver.plan(try configuration("a home=/tmp").groups[0], httpd: httpd, logLevel: 4)
        #expect(!plan.changesIdentity)
        #expect(plan.groups == [])
        #expect(plan.directory == "/tmp")
    }
}
