import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

private func place(_ line: Int, _ server: ServerFacts = ConfigurationTests.main) -> Place {
    Place(file: "site.conf", line: line, server: server)
}

@Suite struct ProxyTrustTests {
    private func remarks(_ body: (inout Configuration) throws -> Void) rethrows -> [Problem] {
        var configuration = Configuration()
        try body(&configuration)
        return configuration.remarks()
    }

    @Test(arguments: [
        ("0.0.0.0/0", true), ("::/0", true), ("::ffff:0.0.0.0/96", true), ("0.0.0.0/1", false), ("::/1", false),
        ("10.0.0.0/8", false), ("::1", false),
    ])
    func c29_networkOfEverybody_isRemarked(_ text: String, _ isRemarked: Bool) throws {
        let found = try remarks { $0.proxies.note(try #require(Network(text)), at: place(3)) }
        #expect(found.map(\.code) == (isRemarked ? [.everybodyTrusted] : []))
        if isRemarked { #expect(found[0].what.hasPrefix("site.conf:3: ")) }
    }

    @Test func c30_twoHeadersForTheSame_areRemarked_inOneDirective() throws {
        let network = try #require(Network("10.0.0.0/8"))
        let found = remarks {
            $0.proxies.note(network, at: place(1))
            for header in [ProxyHeader.forwardedFor, .forwardedProto, .realIP] { $0.proxies.note(header, at: place(2)) }
        }
        #expect(found.map(\.code) == [.headersRival])
        #expect(
            found.map(\.what) == [
                "site.conf:2: WSGITrustedProxyHeaders has X-Forwarded-For and X-Real-IP for the same; the first that a request has is used"
            ]
        )
        let apart = remarks {
            $0.proxies.note(network, at: place(1))
            $0.proxies.note(.forwardedFor, at: place(2))
            $0.proxies.note(.realIP, at: place(3))
        }
        #expect(apart == [])
    }

    @Test func c31_headersWithoutProxies_areRemarked_whereTheyStandFirst() {
        let found = remarks {
            $0.proxies.note(.realIP, at: place(5))
            $0.proxies.note(.forwardedHost, at: place(6))
        }
        #expect(found.map(\.code) == [.proxiesMissing])
        #expect(found[0].what.hasPrefix("site.conf:5: "))
    }

    @Test(arguments: ["10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1"])
    func network_isWrittenAsItWas(_ text: String) {
        #expect(Network(text)?.text == text)
    }
}

@Suite struct SystemIdentityTests {
    private func remarks(_ arguments: String, httpdUID: UInt32? = nil) throws -> [Problem] {
        var configuration = Configuration()
        try configuration.define(arguments, at: place(8), isRoot: true)
        return configuration.remarks(httpdUID: httpdUID).filter {
            [.userOfSystem, .groupPowerful].contains($0.code)
        }
    }

    @Test(.enabled(if: User("daemon") != nil)) func c14_userOfTheSystem_isRemarked_butNotHttpdsOwn() throws {
        let user = try #require(User("daemon"))
        let found = try remarks("a user=daemon group=daemon")
        #expect(found.map(\.code) == [.userOfSystem])
        #expect(found.first?.what == "site.conf:8: process group 'a' runs as user 'daemon' (uid \(user.uid))")
        #expect(try remarks("a user=daemon group=daemon", httpdUID: user.uid) == [])
        #expect(try remarks("a") == [])
    }

    @Test(.enabled(if: groupID("shadow") != nil && groupID("disk") != nil && Somebody.user != nil))
    func c13_groupAsGoodAsRoot_isRemarked() throws {
        let user = try #require(Somebody.user)
        func powerful(_ options: String) throws -> [String] {
            try remarks("a user=\(user.name) \(options)").filter { $0.code == .groupPowerful }.map(\.what)
        }
        #expect(try powerful("group=shadow").first?.contains("has the group 'shadow'") == true)
        #expect(try powerful("supplementary-groups=shadow,disk").count == 2)
        #expect(try powerful("group=#\(user.gid)") == [])
    }
}

@Suite struct CheckPlanMakingTests {
    private static let httpd = HTTPDFacts(uid: 65_533, gid: 65_533, userName: "httpd", isRoot: true)

    private func mount(_ target: String, group: String?, _ line: Int, in server: ServerFacts) -> Mount {
        Mount(
            place: place(line, server),
            server: server,
            location: "/",
            target: target,
            processGroup: group,
            applicationGroup: nil,
            symbol: nil
        )
    }

    private func plan(_ configuration: Configuration) -> CheckPlan {
        CheckPlan(configuration, httpd: Self.httpd, purpose: .test, logLevel: 4)
    }

    @Test func entries_haveTheirGroupAsReader_andHttpdWithoutOne() throws {
        var configuration = Configuration()
        try configuration.define("a", at: place(1), isRoot: true)
        try configuration.define("b", at: place(2, ConfigurationTests.virtual), isRoot: true)
        let mounts: [(String, String?, ServerFacts)] = [
            ("/1", "b", ConfigurationTests.virtual), ("/2", "a", ConfigurationTests.other),
            ("/3", "b", ConfigurationTests.other), ("/4", "%{ENV:X}", ConfigurationTests.main),
            ("/5", nil, ConfigurationTests.main),
        ]
        for (line, mount) in mounts.enumerated() {
            configuration.add(self.mount(mount.0, group: mount.1, line, in: mount.2))
        }
        let plan = plan(configuration)
        #expect(plan.readers.map(\.title) == ["httpd: ", "process group 'a': ", "process group 'b': "])
        #expect(plan.entries.map(\.reader) == [2, 1, 0, 0, 0])
        #expect(plan.entries.map(\.place) == (0..<5).map { "site.conf:\($0)" })
    }

    @Test func c40_groupThatAVariableChooses_isRemarked_unlessTheChoiceIsLimited() {
        var configuration = Configuration()
        configuration.add(mount("/x", group: "%{ENV:CHOSEN}", 7, in: ConfigurationTests.main))
        configuration.add(mount("/y", group: "%{ENV:CHOSEN}", 8, in: ConfigurationTests.main))
        configuration.add(mount("/z", group: "%{GLOBAL}", 9, in: ConfigurationTests.main))
        #expect(configuration.remarks().map(\.code) == [.groupUnrestricted])
        #expect(configuration.remarks().first?.what.hasPrefix("site.conf:7: %{ENV:CHOSEN} chooses") == true)
        configuration.allow("%{GLOBAL}", at: place(1))
        #expect(configuration.remarks() == [])
    }

    @Test func fileOfManyHosts_isLookedAtOnce_forEachGroup() throws {
        var configuration = Configuration()
        for name in ["a", "b"] { try configuration.define(name, at: place(1), isRoot: true) }
        for line in 0..<9 {
            configuration.add(mount("/x", group: line % 2 == 0 ? "a" : "b", line, in: ConfigurationTests.main))
        }
        #expect(plan(configuration).entries.map(\.reader) == [1, 2])
    }

    /// /usr is a directory that only root may write to.
    @Test func fileOfAJail_isLookedAtFromInside_andOneOutsideNotAtAll() throws {
        var configuration = Configuration()
        try configuration.define("a chroot=/usr", at: place(1), isRoot: true)
        for target in ["/usr/x", "/y"] {
            configuration.add(mount(target, group: "a", 2, in: ConfigurationTests.main))
        }
        let entries = plan(configuration).entries
        #expect(entries.map(\.path) == ["/usr/x"])
        #expect(entries.map(\.inside) == ["/x"])
    }

    @Test func whatProcessesLoadThemselves_isMarked() throws {
        var configuration = Configuration()
        try configuration.define("a", at: place(1), isRoot: true)
        let key = ApplicationKey(entryFile: "/x", applicationGroup: "", symbol: "")
        configuration.preload(key, group: "a", server: ConfigurationTests.main)
        for target in ["/x", "/y"] {
            configuration.add(mount(target, group: "a", 2, in: ConfigurationTests.main))
        }
        #expect(plan(configuration).entries.map(\.isLoaded) == [true, false])
    }

    @Test func function_isKnown_unlessSomethingElseMayNameIt() throws {
        var configuration = Configuration()
        try configuration.define("a", at: place(1), isRoot: true)
        try configuration.define("service threads=0", at: place(1), isRoot: true)
        var named = mount("/1", group: "a", 2, in: ConfigurationTests.main)
        named.symbol = "hello"
        configuration.add(named)
        named.symbol = "%{ENV:HELLO}"
        configuration.add(named)
        configuration.add(mount("/2", group: "a", 3, in: ConfigurationTests.main))
        configuration.add(mount("/3", group: "service", 4, in: ConfigurationTests.main))
        for kind in [ScriptAliasOptions.Kind.access, .user] {
            let script = NamedScript(kind, entryFile: "/4", processGroup: nil, applicationGroup: nil)
            configuration.add(script, at: place(5))
        }
        #expect(plan(configuration).entries.map(\.function) == ["hello", nil, "", nil, "allow_access", nil])
        configuration.namesFunctions = true
        #expect(plan(configuration).entries.map(\.function) == ["hello", nil, nil, nil, "allow_access", nil])
        let dispatch = NamedScript(.dispatch, entryFile: "/5", processGroup: "a", applicationGroup: nil)
        configuration.add(dispatch, at: place(6))
        let functions = plan(configuration).entries.map(\.function)
        #expect(functions == [nil, nil, nil, "allow_access", nil, "dispatch_request"])
    }

    @Test func embeddedEntries_areMarked_whereTheyWillRun() throws {
        var configuration = Configuration()
        try configuration.define("a", at: place(1), isRoot: true)
        for (target, group) in [("/1", nil), ("/2", "%{GLOBAL}"), ("/3", "a"), ("/4", "%{ENV:X}")] {
            configuration.add(mount(target, group: group, 2, in: ConfigurationTests.main))
        }
        for kind in [ScriptAliasOptions.Kind.handler, .access] {
            let script = NamedScript(kind, entryFile: "/\(kind)", processGroup: nil, applicationGroup: nil)
            configuration.add(script, at: place(3))
        }
        func embedded() -> [String] { plan(configuration).entries.filter(\.isEmbedded).map(\.path) }
        #expect(embedded() == ["/1", "/2", "/access"])
        configuration.embedded.isRestricted = true
        #expect(embedded() == ["/access"])
        configuration.embedded.isRestricted = false
        let dispatch = NamedScript(.dispatch, entryFile: "/dispatch", processGroup: nil, applicationGroup: nil)
        configuration.add(dispatch, at: place(6))
        #expect(embedded() == ["/access", "/dispatch"])
    }
}
