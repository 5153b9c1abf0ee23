import Foundation
import Glibc
import SWSGIConfiguration
import Testing

@testable import SWSGIHost

@Suite struct SnapshotTests {
    private let directory: TemporaryDirectory
    /// The place of the copy, two levels below what belongs to it.
    private let place: String

    init() throws {
        directory = try TemporaryDirectory()
        place = try directory.makeDirectory("snapshot/bundle/bin")
    }

    private func deploy(_ name: String, _ object: SmallELF) throws -> String {
        try directory.write(object.bytes, to: "www/\(name)")
    }

    private func copy(_ bundle: String, _ libraryPath: [String] = []) throws -> Snapshot {
        try Snapshot(of: bundle, libraryPath: libraryPath, in: place)
    }

    /// Where a link beside the copy leads.
    private func target(_ name: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "\(place)/\(name)")
    }

    @Test func copy_isEqual_privateAndApart() throws {
        let snapshot = try copy(Fixture.versionA.path)
        var status = stat()
        #expect(stat(snapshot.path, &status) == 0)
        #expect(snapshot.path == place + "/libFixtureVersionA.so")
        #expect(snapshot.preload == [])
        #expect(status.st_mode & 0o7777 == 0o500)
        #expect(status.st_nlink == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: snapshot.path)) == Fixture.versionA.bytes())
    }

    @Test func changedOriginal_leavesTheCopyAsItIs() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["a.so"]))
        let snapshot = try copy(bundle)
        let before = try Data(contentsOf: URL(fileURLWithPath: snapshot.path))
        _ = try deploy("app.so", SmallELF(needed: ["bbbbbbbb.so"]))
        #expect(try Data(contentsOf: URL(fileURLWithPath: snapshot.path)) == before)
    }

    @Test(arguments: ["$ORIGIN", "${ORIGIN}", "/usr/lib:$ORIGIN", "$ORIGIN/"])
    func libraryBesideTheBundle_isLinked(_ runPath: String) throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libdep.so", "libc.so.6"], runPath: runPath))
        let library = try deploy("libdep.so", SmallELF())
        #expect(try copy(bundle).preload == [])
        #expect(target("libdep.so") == library)
        #expect(target("libc.so.6") == nil)
    }

    @Test(arguments: ["lib", "../lib", "a/b/c"]) func libraryInAnotherPlace_isLinkedThere(_ relative: String) throws {
        let bundle = try deploy("bin/app.so", SmallELF(needed: ["libdep.so"], runPath: "$ORIGIN/\(relative)"))
        let library = try deploy("bin/\(relative)/libdep.so", SmallELF())
        _ = try copy(bundle)
        #expect(target("\(relative)/libdep.so").map(resolved) == resolved(library))
    }

    private func resolved(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    @Test func librariesOfALibrary_areLinkedWhereItLooks() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libA.so"], runPath: "$ORIGIN/lib"))
        _ = try deploy("lib/libA.so", SmallELF(needed: ["libB.so"], runPath: "$ORIGIN"))
        let inner = try deploy("lib/libB.so", SmallELF())
        _ = try copy(bundle)
        #expect(target("lib/libB.so") == inner)
    }

    @Test func libraryThatTwoNeed_isLinkedWhereEachLooks() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libA.so", "libB.so"], runPath: "$ORIGIN"))
        _ = try deploy("libA.so", SmallELF(needed: ["libB.so"], runPath: "$ORIGIN/inner"))
        let beside = try deploy("libB.so", SmallELF())
        _ = try deploy("inner/libB.so", SmallELF())
        _ = try copy(bundle)
        #expect(target("libB.so") == beside)
        #expect(target("libA.so") != nil)
    }

    @Test func librariesThatNeedEachOther_areLinkedOnce() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libA.so"], runPath: "$ORIGIN"))
        _ = try deploy("libA.so", SmallELF(needed: ["libB.so", "app.so"], runPath: "$ORIGIN"))
        _ = try deploy("libB.so", SmallELF(needed: ["libA.so"], runPath: "$ORIGIN"))
        let snapshot = try copy(bundle)
        #expect(target("libA.so") != nil && target("libB.so") != nil)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: snapshot.path)).elementsEqual(
                SmallELF(needed: ["libA.so"], runPath: "$ORIGIN").bytes
            )
        )
    }

    @Test func linkedLibrary_isLinkedByItsRealPath() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libdep.so.1"], runPath: "$ORIGIN"))
        let library = try deploy("libdep.so.1.2", SmallELF())
        symlink("libdep.so.1.2", "\(directory.path)/www/libdep.so.1")
        _ = try copy(bundle)
        #expect(target("libdep.so.1") == library)
    }

    @Test func libraryPath_isLookedAt_afterTheBundlesOwnPlaces() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libA.so", "libB.so"], runPath: "$ORIGIN"))
        let beside = try deploy("libA.so", SmallELF())
        _ = try deploy("more/libA.so", SmallELF())
        let listed = try deploy("more/libB.so", SmallELF())
        #expect(try copy(bundle, ["/no/such", directory.path + "/www/more"]).preload == [])
        #expect(target("libA.so") == beside)
        #expect(target("libB.so") == listed)
    }

    @Test func bundleWithoutPlaces_hasItsLibrariesLoadedBefore_innerOnesFirst() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libA.so", "libC.so"]))
        let outer = try deploy("lib/libA.so", SmallELF(needed: ["libB.so"]))
        let inner = try deploy("lib/libB.so", SmallELF())
        let last = try deploy("lib/libC.so", SmallELF(needed: ["libB.so"], runPath: "/usr/lib"))
        #expect(try copy(bundle, [directory.path + "/www/lib"]).preload == [inner, outer, last])
        #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["app.so"])
    }

    @Test func libraryWithAPathInItsName_isLeftToTheLoader() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["/www/libdep.so", "lib/x.so"], runPath: "$ORIGIN"))
        _ = try deploy("lib/x.so", SmallELF())
        #expect(try copy(bundle).preload == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["app.so"])
    }

    @Test func damagedLibrary_isLinked_forTheLoaderToName() throws {
        let bundle = try deploy("app.so", SmallELF(needed: ["libA.so", "libB.so"], runPath: "$ORIGIN"))
        let text = try directory.write(Array("no library".utf8), to: "www/libA.so")
        let empty = try directory.write([], to: "www/libB.so")
        _ = try copy(bundle)
        #expect(target("libA.so") == text)
        #expect(target("libB.so") == empty)
    }

    @Test func copyThatIsThere_isNeverWrittenOver_asItMayBeMapped() throws {
        let bundle = try deploy("app.so", SmallELF())
        _ = try copy(bundle)
        _ = try deploy("app.so", SmallELF(needed: ["a.so"]))
        let problem = problem { () throws(Problem) in
            _ = try Snapshot(of: bundle, libraryPath: [], in: place)
        }
        #expect(problem?.code == .snapshotFailed)
        #expect(try Data(contentsOf: URL(fileURLWithPath: place + "/app.so")).elementsEqual(SmallELF().bytes))
    }

    @Test func missingPlace_isNamed() throws {
        let bundle = try deploy("app.so", SmallELF())
        let problem = problem { () throws(Problem) in
            _ = try Snapshot(of: bundle, libraryPath: [], in: place + "/missing")
        }
        #expect(problem?.code == .snapshotFailed)
        #expect(
            problem?.what
                == "bundle \(bundle) can't be copied to \(place)/missing/app.so: No such file or directory"
        )
    }
}
