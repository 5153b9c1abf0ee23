import SWSGIConfiguration
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

/// What the configuration makes of WSGIHandlerScript, WSGIRestrictProcess and <WSGIInterpreterOptions>.
@Suite struct MappingTests {
    private static let place = Place(file: "site.conf", line: 4, server: ConfigurationTests.main)

    private func configuration(_ groups: String...) throws -> Configuration {
        var configuration = Configuration()
        for group in groups { try configuration.define(group, at: Self.place, isRoot: true) }
        return configuration
    }

    private static func handler(processGroup: String?, applicationGroup: String?) -> NamedScript {
        NamedScript(.handler, entryFile: "/h", processGroup: processGroup, applicationGroup: applicationGroup)
    }

    @Test func handlerScript_withBothNamesIsLoadedBeforeRequests() throws {
        var configuration = Configuration()
        configuration.add(
            Self.handler(processGroup: "a", applicationGroup: "%{GLOBAL}"),
            at: Self.place
        )
        try configuration.define("a", at: Self.place, isRoot: true)
        configuration.resolveImports()
        #expect(configuration.problems() == [])
        #expect(configuration.mounts.map(\.target) == ["/h"])
        let key = ApplicationKey(entryFile: "/h", applicationGroup: "", symbol: "handle_request")
        #expect(configuration.groups[0].applications == [key])
    }

    private static let unknown: [(String?, String?)] = [("a", nil), (nil, "x"), ("a", "%{ENV:X}"), ("%{ENV:X}", "x")]

    @Test(arguments: unknown)
    func handlerScript_withoutBothLiteralNamesWaitsForARequest(_ group: String?, _ application: String?) throws {
        var configuration = try configuration("a")
        configuration.add(
            Self.handler(processGroup: group, applicationGroup: application),
            at: Self.place
        )
        configuration.resolveImports()
        #expect(configuration.problems() == [])
        #expect(configuration.groups[0].applications.isEmpty)
    }

    @Test func handlerScript_inAnUndefinedGroupIsAProblem() {
        var configuration = Configuration()
        configuration.add(
            Self.handler(processGroup: "a", applicationGroup: nil),
            at: Self.place
        )
        #expect(configuration.problems().map(\.code) == [.processGroupUndefined])
    }

    @Test func askedScript_inHttpdIsRemarkedOn_whereNoApplicationMayBe() throws {
        var configuration = try configuration("a")
        for group in [nil, "%{GLOBAL}", "a"] {
            configuration.add(
                NamedScript(.access, entryFile: "/x", processGroup: group, applicationGroup: "%{GLOBAL}"),
                at: Self.place
            )
        }
        #expect(configuration.embedded.isNeeded)
        #expect(configuration.remarks().filter { $0.code == .scriptInHttpd }.isEmpty)
        configuration.embedded.isRestricted = true
        #expect(configuration.embedded.isNeeded)
        #expect(configuration.remarks().filter { $0.code == .scriptInHttpd }.count == 2)
        configuration.resolveImports()
        #expect(configuration.groups[0].applications.map(\.symbol) == ["allow_access"])
    }

    @Test func allowedGroup_thatNobodyDefinesIsRemarkedOn() throws {
        var configuration = try configuration("one")
        for name in ["one", "One", "%{GLOBAL}", "%{ENV:X}"] { configuration.allow(name, at: Self.place) }
        let remarks = configuration.remarks().filter { $0.code == .allowedGroupUndefined }
        #expect(
            remarks.map(\.what) == [
                "site.conf:4: WSGIRestrictProcess allows process group 'One', which no WSGIDaemonProcess defines"
            ]
        )
    }

    private func rules(_ lines: [(section: String?, what: Restrictions, isOn: Bool)]) throws -> RestrictionRules {
        var rules = RestrictionRules()
        for line in lines {
            if let section = line.section { rules.begin(try InterpreterSection(section)) }
            rules.set(line.what, line.isOn, directive: "WSGIRestrictX", at: Self.place)
            rules.end()
        }
        return rules
    }

    @Test func serversRestrictions_holdEverywhere_theLastCounts() throws {
        let rules = try rules([
            (nil, .input, true), (nil, .output, true), (nil, .output, false), (nil, .signals, false),
        ])
        #expect(rules.restrictions(of: "one") == [.input])
        #expect(RestrictionRules().restrictions(of: "one") == .standard)
    }

    @Test func section_countsTheMoreTheMoreItNames() throws {
        let rules = try rules([
            ("process-group=one", .input, false), ("", .input, true), (nil, .input, false),
            ("process-group=one", .output, true), ("process-group=one", .output, false),
            ("process-group=two", .output, true),
        ])
        #expect(rules.restrictions(of: "one") == [.signals])
        #expect(rules.restrictions(of: "two") == [.signals, .input, .output])
        #expect(rules.restrictions(of: "three") == [.signals, .input])
    }

    @Test(arguments: ["application-group=a", "process-group=one application-group=a", "process-group=%{GLOBAL}"])
    func section_forWhatHasNoProcessOfItsOwnIsRemarkedOn(_ section: String) throws {
        let rules = try rules([(section, .input, true)])
        #expect(rules.restrictions(of: "one") == .standard)
        #expect(rules.remarks.map(\.code) == [.sectionWithoutEffect])
        #expect(rules.remarks.first?.what.hasPrefix("site.conf:4: WSGIRestrictX has no effect") == true)
    }

    @Test func serverName_thatComesLaterCounts() throws {
        var configuration = Configuration()
        func place(_ server: ServerFacts) -> Place { Place(file: "site.conf", line: 4, server: server) }
        try configuration.define("a", at: place(ConfigurationTests.nameless), isRoot: true)
        configuration.use("a", at: place(ConfigurationTests.otherNameless))
        #expect(configuration.problems().map(\.code) == [.processGroupForeign])
        configuration.updateServers { server in
            ServerFacts(id: server.id, hostName: "a.example.org", isVirtual: server.isVirtual)
        }
        #expect(configuration.problems() == [])
        #expect(configuration.groups[0].isAccessible(from: ConfigurationTests.sameName))
    }
}
