import Foundation
import Glibc
import SWSGIConfiguration
import SWSGIModuleCore
import SWSGIWire
import Testing

/// A directory that is removed with the object.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/var/tmp/swsgi-unit-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            String(cString: try #require(buffer.baseAddress.flatMap { mkdtemp($0) }))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes an empty file.
    func make(_ name: String, mode: mode_t) {
        close(open("\(path)/\(name)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        chmod("\(path)/\(name)", mode)
    }
}

@Suite struct GenerationPathTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var module: String { directory.path + "/mod_swsgi.so" }

    @Test func programBesideTheModule_isFound() throws {
        directory.make("swsgid", mode: 0o755)
        let paths = try GenerationPaths(module: module, runtimeDirectory: directory.path)
        #expect(paths.program == directory.path + "/swsgid")
        #expect(paths.backtrace == nil)
        #expect(paths.snapshots == directory.path)
    }

    @Test func missingProgram_isNamed() {
        let problem = problem { () throws(Problem) in
            _ = try GenerationPaths(module: module, runtimeDirectory: directory.path)
        }
        #expect(problem?.code == .programMissing)
        #expect(problem?.what == "\(directory.path)/swsgid does not exist or can't be executed")
    }

    @Test func programThatCannotBeExecuted_isMissing() {
        directory.make("swsgid", mode: 0o644)
        let problem = problem { () throws(Problem) in
            _ = try GenerationPaths(module: module, runtimeDirectory: directory.path)
        }
        #expect(problem?.code == .programMissing)
    }

    @Test(arguments: [(mode_t(0o755), true), (0o644, false)])
    func backtraceProgram_isUsed_whenItCanBeExecuted(_ mode: mode_t, _ isUsed: Bool) throws {
        directory.make("swsgid", mode: 0o755)
        directory.make("swift-backtrace-static", mode: mode)
        let paths = try GenerationPaths(module: module, runtimeDirectory: directory.path)
        #expect(paths.backtrace == (isUsed ? directory.path + "/swift-backtrace-static" : nil))
    }

    /// Directories of this machine from which nothing can be mapped for execution, and one that does not exist.
    static let unusable: [String] =
        ["/no/such/directory"]
        + ["/proc", "/sys", "/run", "/dev/shm"].filter { path in
            var status = statvfs()
            let noExecution: UInt = 8
            return statvfs(path, &status) == 0 && status.f_flag & noExecution != 0
        }

    @Test(arguments: unusable)
    func runtimeDirectoryWhereNothingCanBeExecuted_isNotUsed(_ runtime: String) throws {
        directory.make("swsgid", mode: 0o755)
        let paths = try GenerationPaths(module: module, runtimeDirectory: runtime)
        #expect(["/var/lib", "/var/tmp", "/tmp"].contains(paths.snapshots))
    }
}

@Suite struct GenerationTests {
    private func generation(_ names: [String]) throws -> Generation {
        var configuration = Configuration()
        for name in names {
            let place = Place(file: "site.conf", line: 1, server: ConfigurationTests.main)
            try configuration.define(name, at: place, isRoot: false)
        }
        let directory = try TemporaryDirectory()
        directory.make("swsgid", mode: 0o755)
        return try Generation(
            configuration,
            httpd: HTTPDFacts(uid: getuid(), gid: getgid(), userName: "x", isRoot: false),
            paths: GenerationPaths(module: directory.path + "/mod_swsgi.so", runtimeDirectory: "/tmp"),
            logs: names.map { _ in (descriptor: -1, level: 4) },
            mainLog: 2
        )
    }

    @Test func groups_areFoundByTheirWholeNames() throws {
        let generation = try generation(["a", "b", "ab"])
        #expect(generation.groups.map(\.name) == ["a", "b", "ab"])
        for (index, name) in ["a", "b", "ab"].enumerated() { #expect(generation.index(of: name) == index) }
        for name in ["", "A", "abc"] { #expect(generation.index(of: name) == nil) }
    }

    @Test func queueOfAGroup_holdsMessages() throws {
        let generation = try generation(["a", "b"])
        #expect(generation.groups[0].sender != generation.groups[1].sender)
        for _ in 0..<100 { try send(generation.groups[0].sender, [UInt8](repeating: 0, count: 1000)) }
    }

    @Test func newPage_hasNoEnds() throws {
        let generation = try generation(["a"])
        #expect(generation.ends.ends(group: 0, since: .min) == [])
    }

    @Test func noGroups_needNoSupervisor() throws {
        #expect(try generation([]).turn() == nil)
    }

    @Test func processOfSomebodyElse_isNotItsSupervisor() throws {
        let generation = try generation(["a"])
        #expect(!generation.supervisorEnded(1))
        #expect(!generation.supervisorEnded(0))
    }
}
