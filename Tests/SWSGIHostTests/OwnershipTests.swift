import Foundation
import Glibc
import SWSGIConfiguration
import SWSGIWire
import Testing

@testable import SWSGIHost

/// What is asked of the files of applications; the files belong to who runs the tests.
@Suite struct OwnershipTests {
    private let directory: TemporaryDirectory
    private let file: String

    init() throws {
        directory = try TemporaryDirectory()
        file = try directory.write([1, 2, 3], to: "app/app.so")
        chmod(file, 0o644)
        chmod(parent, 0o755)
    }

    private var parent: String { directory.path + "/app" }

    private static let mine: Ownership = {
        var ownership = Ownership()
        ownership.uid = getuid()
        return ownership
    }()
    private static let ours: Ownership = {
        var ownership = Ownership()
        ownership.gid = getgid()
        return ownership
    }()
    private static let notEverybodys: Ownership = {
        var ownership = Ownership()
        ownership.refusesWritable = true
        return ownership
    }()

    private func opening(_ ownership: Ownership, _ path: String? = nil) -> Problem? {
        problem { () throws(Problem) in _ = try SourceFile(path ?? file, kind: "bundle", ownership) }
    }

    @Test func usualFile_isOpened() throws {
        for ownership in [Ownership(), Self.mine, Self.ours, Self.notEverybodys] { #expect(opening(ownership) == nil) }
        #expect(try SourceFile(file, kind: "bundle", Self.mine).prefix(8) == [1, 2, 3])
    }

    @Test func withoutRules_anythingIsOpened() {
        chmod(file, 0o666)
        chmod(parent, 0o777)
        #expect(opening(Ownership()) == nil)
    }

    @Test func fileThatEverybodyMayWriteTo_isRefused_always() {
        chmod(file, 0o646)
        for ownership in [Self.mine, Self.ours, Self.notEverybodys] {
            #expect(opening(ownership)?.code == .everybodyMayWrite)
            #expect(opening(ownership)?.what == "bundle \(file) may be written to by everybody (mode 0646)")
        }
    }

    @Test func directoryThatEverybodyMayWriteTo_isRefused_withoutTheStickyBit() {
        chmod(parent, 0o757)
        #expect(
            opening(Self.notEverybodys)?.what
                == "the directory \(parent) of bundle \(file) may be written to by everybody (mode 0757)"
        )
        chmod(parent, 0o1757)
        #expect(opening(Self.notEverybodys) == nil)
    }

    @Test func groupMayWrite_whenItIsTheGroupsCode() {
        chmod(file, 0o664)
        #expect(opening(Self.mine)?.code == .groupMayWrite)
        #expect(opening(Self.ours) == nil)
        #expect(opening(Self.notEverybodys) == nil)
        chmod(file, 0o644)
        chmod(parent, 0o775)
        #expect(
            opening(Self.mine)?.what
                == "the directory \(parent) of bundle \(file) may be written to by its group (mode 0775)"
        )
    }

    @Test func ownerAndGroupOfSomebodyElse_areRefused() {
        var other = Ownership()
        other.uid = getuid() &+ 1
        #expect(opening(other)?.code == .ownerForeign)
        other = Ownership()
        other.gid = getgid() &+ 1
        #expect(opening(other)?.code == .groupForeign)
    }

    /// What counts is where the file is, and every directory on the way.
    @Test func links_areFollowed_andTheirDirectoriesLookedAt() throws {
        let real = try directory.write([7], to: "real/real.so")
        chmod(real, 0o644)
        let middle = try directory.makeDirectory("middle")
        symlink("../real/real.so", "\(middle)/middle.so")
        symlink("\(middle)/middle.so", "\(parent)/link.so")
        let link = "\(parent)/link.so"
        #expect(try SourceFile(link, kind: "bundle", Self.mine).prefix(8) == [7])
        for place in [middle, directory.path + "/real"] {
            chmod(place, 0o777)
            #expect(opening(Self.notEverybodys, link)?.code == .everybodyMayWrite, "\(place)")
            chmod(place, 0o755)
        }
        symlink("loop.so", "\(parent)/loop.so")
        #expect(opening(Self.mine, "\(parent)/loop.so")?.code == .fileUnreadable)
    }

    @Test func whatIsNoFile_isNamed_asWithoutRules() throws {
        #expect(opening(Self.mine, "\(parent)/missing.so")?.code == .fileMissing)
        #expect(opening(Self.mine, "\(directory.path)/missing/app.so")?.code == .fileMissing)
        mkfifo("\(parent)/pipe.so", 0o600)
        #expect(opening(Self.mine, "\(parent)/pipe.so")?.code == .fileNotRegular)
        #expect(opening(Self.mine, parent)?.code == .fileIsDirectory)
    }

    @Test func library_isLookedAt_too() throws {
        let bundle = try directory.write(SmallELF(needed: ["libdep.so"], runPath: "$ORIGIN").bytes, to: "app/app.so")
        let library = try directory.write(SmallELF().bytes, to: "app/libdep.so")
        chmod(bundle, 0o644)
        chmod(library, 0o666)
        let place = try directory.makeDirectory("snapshot/bundle/bin")
        let found = problem { () throws(Problem) in
            _ = try Snapshot(of: bundle, libraryPath: [], in: place, Self.notEverybodys)
        }
        #expect(found?.code == .everybodyMayWrite)
        #expect(found?.what.contains("library \(library)") == true)
    }
}
