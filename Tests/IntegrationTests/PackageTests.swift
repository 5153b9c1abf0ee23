import Foundation
import Testing

/// A package of its own, as a user would write it, with this one as a path dependency.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct PackageTests {
    private var swift: String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/swift" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @Test(.tags(.long)) func helloPackage_isBuiltByItselfAndServed() throws {
        let package = "\(Installation.package)/Tests/Packages/hello"
        let source = try String(contentsOfFile: "\(package)/Sources/hello/hello.swift", encoding: .utf8)
        #expect(source.split(separator: "\n", omittingEmptySubsequences: false).count <= 11)
        let scratch = try CFixture.scratchDirectory("swsgi-hello")
        var environment = Command.environment
        for name in ["PATH", "HOME"] { environment[name] = ProcessInfo.processInfo.environment[name] }
        // SwiftPM leaves its locks there.
        environment["TMPDIR"] = scratch
        try run(
            try #require(swift),
            ["build", "-c", "release", "--package-path", package, "--scratch-path", scratch],
            environment: environment,
            within: 400
        ).check()
        try withServer { server in
            let entry = try server.deploy(bundle: "\(scratch)/release/libhello.so", as: "hello")
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "Hello, world!\n")
        }
    }
}
