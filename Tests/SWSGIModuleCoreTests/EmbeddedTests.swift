import Foundation
import SWSGIConfiguration
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

/// Which version of an entry file a child of httpd serves.
@Suite struct EmbeddedVersionTests {
    private let old = FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
    private let new = FileIdentity(device: 1, inode: 2, size: 3, modified: 5, changed: 5)
    private let newest = FileIdentity(device: 1, inode: 2, size: 3, modified: 6, changed: 5)

    private func loaded() -> EmbeddedVersions {
        var versions = EmbeddedVersions()
        #expect(versions.decide(seen: old, now: 0) == .load)
        versions.succeeded(old)
        return versions
    }

    @Test func firstRequest_loads_andOthersWait() {
        var versions = EmbeddedVersions()
        #expect(versions.decide(seen: old, now: 0) == .load)
        #expect(versions.decide(seen: old, now: 0) == .wait)
        #expect(versions.decide(seen: nil, now: 0) == .wait)
        versions.succeeded(old)
        #expect(versions.decide(seen: old, now: 0) == .run)
    }

    @Test func change_isLoadedByOne_whileOthersRunTheFormer() {
        var versions = loaded()
        #expect(versions.decide(seen: new, now: 0) == .load)
        #expect(versions.decide(seen: new, now: 0) == .run)
        #expect(versions.decide(seen: old, now: 0) == .run)
        versions.succeeded(new)
        #expect(versions.decide(seen: new, now: 0) == .run)
    }

    @Test func requestThatLookedBeforeTheChange_loadsNothing() {
        var versions = loaded()
        #expect(versions.decide(seen: new, now: 0) == .load)
        versions.succeeded(new)
        #expect(versions.decide(seen: old, now: 0) == .load)
        #expect(!versions.needs(new))
        versions.skipped(now: 0)
        #expect(versions.decide(seen: new, now: 0) == .run)
    }

    @Test func vanishedEntryFile_needsNothing() {
        #expect(!loaded().needs(nil))
        #expect(EmbeddedVersions().needs(nil))
    }

    @Test func brokenChange_isTriedOnce_untilTheNextChange() {
        var versions = loaded()
        #expect(versions.decide(seen: new, now: 0) == .load)
        versions.failed(new, now: 0, isFinal: false)
        #expect(versions.decide(seen: new, now: 1 << 60) == .run)
        #expect(versions.decide(seen: newest, now: 0) == .load)
        versions.succeeded(newest)
        #expect(versions.decide(seen: newest, now: 0) == .run)
    }

    @Test func brokenFirstVersion_isTriedAgainAfterASecond_orWhenItChanges() {
        var versions = EmbeddedVersions()
        #expect(versions.decide(seen: old, now: 0) == .load)
        versions.failed(old, now: 0, isFinal: false)
        #expect(versions.decide(seen: old, now: 999_999_999) == .refuse)
        #expect(versions.decide(seen: nil, now: 999_999_999) == .refuse)
        #expect(versions.decide(seen: old, now: 1_000_000_000) == .load)
        #expect(versions.needs(old))
        versions.failed(old, now: 1_000_000_000, isFinal: false)
        #expect(versions.decide(seen: new, now: 1_000_000_001) == .load)
    }

    @Test func brokenCodeThatIsMapped_isNotMappedAgain_untilItChanges() {
        var versions = EmbeddedVersions()
        #expect(versions.decide(seen: nil, now: 0) == .load)
        versions.failed(old, now: 0, isFinal: true)
        #expect(versions.decide(seen: nil, now: 1_000_000_000) == .load)
        #expect(!versions.needs(old))
        #expect(versions.needs(new))
        versions.skipped(now: 1_000_000_000)
        #expect(versions.decide(seen: nil, now: 1_999_999_999) == .refuse)
    }

    @Test func withoutReloading_whatIsLoadedStays() {
        var versions = loaded()
        #expect(versions.decide(seen: nil, now: 0) == .run)
    }
}

/// What is said at start of requests without a process group.
@Suite struct EmbeddedPlanTests {
    private let server = ServerFacts(id: 1, hostName: "a", isVirtual: false)

    private func place(_ line: Int) -> Place { Place(file: "/etc/httpd.conf", line: line, server: server) }

    private func configuration(_ names: [String], uses: [String]) throws -> Configuration {
        var configuration = Configuration()
        for (index, name) in names.enumerated() {
            try configuration.define(name, at: place(index + 1), isRoot: false)
        }
        for name in uses { configuration.use(name, at: place(90)) }
        return configuration
    }

    private func codes(_ configuration: Configuration) -> [Int] { configuration.remarks().map(\.code.number) }

    @Test func unusedGroup_isNamed_whenAnEntryFileHasNone() throws {
        var configuration = try configuration(["one", "two"], uses: ["two"])
        #expect(codes(configuration) == [])
        configuration.embedded.add("/app.wsgi")
        let remarks = configuration.remarks()
        #expect(remarks.map(\.code.number) == [1170])
        #expect(remarks.first?.what.contains("/etc/httpd.conf:1: nothing names process group 'one'") == true)
    }

    @Test func groupsThatRequestsName_areNotGuessedAt() throws {
        var configuration = try configuration(["one"], uses: ["%{ENV:GROUP}"])
        configuration.embedded.add("/app.wsgi")
        #expect(codes(configuration) == [])
        #expect(configuration.problems().isEmpty)
    }

    @Test func groupsThatRestrictProcessAllows_areNamed() throws {
        var configuration = try configuration(["one", "two"], uses: ["two"])
        configuration.embedded.add("/app.wsgi")
        configuration.allow("one", at: place(5))
        #expect(codes(configuration) == [])
    }

    @Test func whereADispatchScriptChooses_aliasesWithoutAGroupAreNoConflict() throws {
        let dispatch = NamedScript(.dispatch, entryFile: "/dispatch", processGroup: "two", applicationGroup: nil)
        for isRestricted in [false, true] {
            var configuration = try configuration(["one", "two"], uses: [])
            configuration.embedded.isRestricted = isRestricted
            configuration.embedded.add("/app.wsgi")
            configuration.add(dispatch, at: place(6))
            #expect(codes(configuration) == [])
        }
    }

    @Test func global_isNoGroup() throws {
        let configuration = try configuration([], uses: ["%{GLOBAL}"])
        #expect(configuration.problems().isEmpty)
    }

    @Test func restriction_isHeldAgainstEntryFilesWithoutAGroup() throws {
        var configuration = try configuration([], uses: [])
        configuration.embedded.isRestricted = true
        #expect(codes(configuration) == [])
        configuration.embedded.add("/app.wsgi")
        configuration.embedded.add("/app.wsgi")
        configuration.embedded.add("/other.wsgi")
        let remarks = configuration.remarks()
        #expect(remarks.map(\.code.number) == [1171])
        #expect(remarks.first?.what.contains("/app.wsgi, and 1 others") == true)
    }

    @Test func importForHttpdsChildren_isPreloadedOnce() throws {
        var configuration = Configuration()
        for _ in 0..<2 {
            try configuration.addImport("/i.wsgi", "process-group=%{GLOBAL} application-group=a", at: place(1))
        }
        configuration.resolveImports()
        #expect(configuration.problems().isEmpty)
        #expect(configuration.embedded.preloads.map(\.entryFile) == ["/i.wsgi"])
        #expect(configuration.embedded.preloads.map(\.applicationGroup) == ["a"])
    }
}
