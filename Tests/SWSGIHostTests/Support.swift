import Foundation
import Glibc
import SWSGIConfiguration
import Testing

/// Numbers that look random and are the same in every run.
struct FixedRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 32) | (state << 32)
    }
}

/// The problem that `body` ends with, or nil.
func problem(_ body: () throws(Problem) -> Void) -> Problem? {
    do throws(Problem) {
        try body()
        return nil
    } catch {
        return error
    }
}

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

    /// Writes a file, with the directories above it; gives its path.
    @discardableResult
    func write(_ bytes: some Collection<UInt8>, to name: String) throws -> String {
        let file = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: file)
        return file.path
    }

    /// Makes a directory; gives its path.
    func makeDirectory(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        return "\(path)/\(name)"
    }
}

/// Bundles of the release build, which the tests of the servers load too.
enum Fixture: String {
    case versionA = "FixtureVersionA"
    case versionB = "FixtureVersionB"
    case facts = "FixtureFacts"
    case echo = "FixtureEcho"
    case trouble = "FixtureTrouble"

    /// The built bundle.
    var path: String { Self.products + "/lib\(rawValue).so" }

    func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    /// The bundle with one text replaced by another of the same length.
    func bytes(replacing text: String, by other: String) throws -> Data {
        var bytes = try bytes()
        let range = try #require(bytes.range(of: Data("\0\(text)\0".utf8)))
        try #require(text.utf8.count == other.utf8.count)
        bytes.replaceSubrange(range, with: Data("\0\(other)\0".utf8))
        return bytes
    }

    private static let products =
        ProcessInfo.processInfo.environment["SWSGI_BUILD_DIR"]
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/release"
}
