import Foundation
import SWSGIConfiguration
import Testing

@testable import SWSGIHost

/// Where the code of SwiftPM looks for the resources of a package.
@Suite struct ResourceBundleTests {
    private static let mark = "could not load resource bundle: from \0"

    private func paths(_ text: String) -> [String] {
        Array(text.utf8).withUnsafeBytes { ResourceBundles.paths(in: $0) }
    }

    private func problem(_ text: String, program: String?) -> Problem? {
        let bytes = Array(text.utf8)
        do {
            try bytes.withUnsafeBytes { try ResourceBundles.check($0, bundle: "/srv/a.so", program: program) }
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test func paths_areFoundOnce_andOnlyWholeOnes() {
        #expect(
            paths("\0/build/a_A.resources\0x/build/b.resources\0.resources\0/a_A.resource\0") == [
                "/build/a_A.resources"
            ]
        )
        #expect(paths("/a.resources\0/b.resources\0/a.resources\0") == ["/a.resources", "/b.resources"])
        #expect(paths("") == [])
        #expect(paths(String(repeating: ".resources\0", count: 10_000)) == [])
        #expect(paths("\0/" + String(repeating: "x", count: 5000) + ".resources\0") == [])
    }

    @Test func resourcesThatAreNowhere_areNamed_withBothPlaces() {
        let found = problem(Self.mark + "/nonexistent/a_A.resources\0", program: "/usr/lib/x/swsgid")
        #expect(found?.code == .resourcesMissing)
        #expect(found?.what.contains("at /usr/lib/x/a_A.resources and at /nonexistent/a_A.resources") == true)
        #expect(problem(Self.mark + "/nonexistent/a_A.resources\0", program: nil)?.code == .resourcesMissing)
        // Without the code that would end the process, a name is only a name.
        #expect(problem("/nonexistent/a_A.resources\0", program: nil) == nil)
    }

    @Test func resourcesBesideTheProgram_orWhereTheyWereBuilt_areWell() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("swsgi-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder + "/a_A.resources", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(problem(Self.mark + "\(folder)/a_A.resources\0", program: "/nonexistent/swsgid") == nil)
        #expect(problem(Self.mark + "/nonexistent/a_A.resources\0", program: folder + "/swsgid") == nil)
    }
}
