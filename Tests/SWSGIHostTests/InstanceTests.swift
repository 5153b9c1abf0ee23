import Foundation
import Glibc
import SWSGIConfiguration
import SWSGIWire
import Testing

@testable import SWSGIHost

@Suite struct InstanceTests {
    private let deployment: Deployment

    init() throws { deployment = try Deployment() }

    private func mistake(symbol: String = "", entryFile: String? = nil) -> Problem? {
        problem { () throws(Problem) in _ = try deployment.load(symbol: symbol, entryFile: entryFile) }
    }

    /// The problem of a bundle that the entry file names.
    private func mistake(bundle: some Collection<UInt8>) throws -> Problem? {
        try deployment.directory.write(bundle, to: "www/app.so")
        try deployment.write("bundle = app.so")
        return mistake()
    }

    private var bundle: String { deployment.directory.path + "/www/app.so" }

    @Test func bundleItself_mayBeTheEntryFile() throws {
        let instance = try deployment.load(entryFile: Fixture.versionB.path)
        #expect(instance.sdk.hasPrefix("SWSGI/"))
        #expect(instance.version.identity == FileIdentity(path: Fixture.versionB.path))
        #expect(deployment.lines.all == [])
    }

    @Test func instance_servesItsOwnKeyAndState() throws {
        let instance = try Loaded.versionA.get()
        #expect(try serves(instance) { _ in })
        #expect(try serves(instance) { $0.modified += 1 })
        #expect(try serves(instance, .reloading) { _ in })
        #expect(try !serves(instance, .reloading) { $0.modified += 1 })
        #expect(try !serves(instance, .reloading) { $0.size += 1 })
        #expect(try !serves(instance, group: "other") { _ in })
        #expect(try !serves(instance, symbol: "other") { _ in })
        #expect(try !serves(instance, entryFile: "/other") { _ in })
    }

    private func serves(
        _ instance: Instance,
        _ flags: ExchangeFlags = [],
        entryFile: String? = nil,
        group: String = "",
        symbol: String = "",
        change: (inout FileIdentity) -> Void
    ) throws -> Bool {
        var identity = instance.version.identity
        change(&identity)
        var writer = ExchangeHeadWriter()
        writer.begin(
            identity: identity,
            requestStart: 0,
            queueStart: 0,
            entryFile: entryFile ?? instance.version.key.entryFile,
            applicationGroup: group,
            symbol: symbol,
            line: ""
        )
        writer.finish(flags: flags)
        return instance.serves(try ReceivedHead(writer.bytes))
    }

    // MARK: Entry files

    @Test func missingEntryFile_is2001() {
        #expect(mistake()?.description == "SWSGI2001: entry file \(deployment.entryFile) does not exist")
    }

    @Test(.enabled(if: geteuid() != 0, "root reads everything")) func unreadableEntryFile_is2002() throws {
        try deployment.write("bundle = app.so")
        chmod(deployment.entryFile, 0)
        #expect(mistake()?.code == .fileUnreadable)
    }

    @Test func directoryAsEntryFile_is2003() throws {
        let path = try deployment.directory.makeDirectory("www/app.wsgi")
        #expect(mistake()?.description == "SWSGI2003: entry file \(path) is a directory")
    }

    @Test func pipeAsEntryFile_is2004_andNobodyWaits() throws {
        _ = try deployment.directory.makeDirectory("www")
        mkfifo(deployment.entryFile, 0o600)
        #expect(mistake()?.description == "SWSGI2004: entry file \(deployment.entryFile) is not a regular file")
    }

    @Test func deviceAsEntryFile_is2004() {
        #expect(mistake(entryFile: "/dev/null")?.code == .fileNotRegular)
    }

    @Test func emptyEntryFile_is2010() throws {
        try deployment.write("")
        #expect(mistake()?.description == "SWSGI2010: entry file \(deployment.entryFile) is empty")
    }

    @Test(arguments: [
        ("nonsense", 2040), ("bundles = a", 2041), ("bundle = a\nbundle = a", 2042), ("bundle =", 2043),
        ("symbol = a", 2044), ("bundle = a\0", 2045), (String(repeating: "#", count: 65_537), 2045),
        ("bundle = a\ndirectory = /no/such/directory", 2046),
    ])
    func mistakeInTheEntryFile_hasItsCode(_ text: String, _ number: Int) throws {
        try deployment.write(text)
        let problem = mistake()
        #expect(problem?.code.number == number)
        #expect(problem?.what.contains(deployment.entryFile) == true)
    }

    // MARK: Bundles

    @Test func missingBundle_is2001() throws {
        try deployment.write("bundle = app.so")
        #expect(mistake()?.description == "SWSGI2001: bundle \(bundle) does not exist")
    }

    @Test func directoryAsBundle_is2003() throws {
        try deployment.write("bundle = .")
        #expect(mistake()?.code == .fileIsDirectory)
    }

    @Test func pipeAsBundle_is2004_andNobodyWaits() throws {
        try deployment.write("bundle = app.so")
        mkfifo(bundle, 0o600)
        #expect(mistake()?.description == "SWSGI2004: bundle \(bundle) is not a regular file")
    }

    @Test func emptyBundle_is2010() throws {
        #expect(try mistake(bundle: [])?.description == "SWSGI2010: bundle \(bundle) is empty")
    }

    @Test func textAsBundle_is2011() throws {
        let problem = try mistake(bundle: Array("#!/bin/sh\n".utf8))
        #expect(problem?.description == "SWSGI2011: bundle \(bundle) is not an ELF shared object")
    }

    @Test(arguments: [(4, 1, 2012), (18, 40, 2013), (16, 2, 2014)] as [(Int, UInt8, Int)])
    func bundleOfAnotherKind_hasItsCode(_ offset: Int, _ value: UInt8, _ number: Int) throws {
        var bytes = try Fixture.versionA.bytes()
        bytes[offset] = value
        #expect(try mistake(bundle: bytes)?.code.number == number)
    }

    @Test func bundleCutInHalf_is2015() throws {
        let bytes = try Fixture.versionA.bytes()
        let problem = try mistake(bundle: bytes[..<(bytes.count / 2)])
        #expect(problem?.code == .truncated)
        #expect(problem?.what.hasPrefix("bundle \(bundle) is cut short") == true)
    }

    @Test func missingSymbol_is2020() throws {
        try deployment.write("bundle = \(Fixture.versionA.path)\nsymbol = no_such_function")
        #expect(
            mistake()?.description
                == "SWSGI2020: bundle \(Fixture.versionA.path) does not export 'no_such_function'"
        )
        #expect(mistake(symbol: "of_the_request")?.what.hasSuffix("does not export 'of_the_request'") == true)
    }

    /// The C library's functions: calling them as an application would end the process.
    @Test(arguments: ["abort", "getenv"]) func functionOfAnotherLibrary_is2020(_ name: String) throws {
        try deployment.write("bundle = \(Fixture.versionA.path)\nsymbol = \(name)")
        #expect(mistake()?.description == "SWSGI2020: bundle \(Fixture.versionA.path) does not export '\(name)'")
    }

    @Test func undefinedSymbol_is2030() throws {
        let bytes = try Fixture.versionA.bytes(replacing: "swift_release", by: "swift_missing")
        let problem = try mistake(bundle: bytes)
        #expect(problem?.description == "SWSGI2030: bundle \(bundle): undefined symbol: swift_missing")
    }

    @Test func missingLibrary_is2031() throws {
        let bytes = try Fixture.versionA.bytes(replacing: "libswiftCore.so", by: "libswiftNone.so")
        let problem = try mistake(bundle: bytes)
        #expect(problem?.code == .libraryMissing)
        #expect(problem?.what.hasPrefix("bundle \(bundle) needs libswiftNone.so: not found in /") == true)
    }

    @Test func bundleThatTheLoaderRefuses_is2032() throws {
        var bytes = try Fixture.versionA.bytes()
        bytes[7] = 9  // for another system
        let problem = try mistake(bundle: bytes)
        #expect(problem?.code == .loadFailed)
        #expect(problem?.what.hasPrefix("bundle \(bundle): ") == true)
    }

    @Test func missingPlaceForTheCopy_is2050() throws {
        try deployment.write("bundle = \(Fixture.versionA.path)")
        let problem = problem { () throws(Problem) in
            _ = try Instance(
                key: ApplicationKey(entryFile: deployment.entryFile, applicationGroup: "", symbol: ""),
                facts: HostFacts(processGroup: "", threads: 1, processes: 1),
                directory: "/no/such/directory",
                log: { _, _ in }
            )
        }
        #expect(problem?.code == .snapshotFailed)
    }
}
