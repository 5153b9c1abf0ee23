import Foundation
import Testing

/// How many reloads the long test does; without it there is no long test.
private let longReloads = ProcessInfo.processInfo.environment["SWSGI_RELOADS"].flatMap { Int($0) }

/// New code beside the former, in httpd's own children.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"), .serialized)
struct EmbeddedReloadTests {
    private func withVersionA(
        _ settings: String = EmbeddedTests.oneChild,
        multiProcessing: String = "event",
        _ body: (TestServer, String) throws -> Void
    ) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.settings = settings
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.embedded(entry))
            #expect(try server.get("/").text == "version A\n")
            try body(server, entry)
        }
    }

    @Test(arguments: ["event", "prefork"]) func reload_underLoad_losesNoRequest(multiProcessing: String) throws {
        try withVersionA("", multiProcessing: multiProcessing) { server, entry in
            let load = LoadGenerator(port: server.port, connections: 16) { _, response in
                if response.status != 200 { return "status \(response.status)" }
                return ["version A\n", "version B\n"].contains(response.text) ? nil : "body '\(response.text)'"
            }
            let children = try server.startedChildren()
            try eventually("the old code in use") { load.served >= 16 }
            try server.copy(Fixture.versionB.path, to: "\(server.www)/app/app.so")
            server.touch(entry)
            try eventually("the new code alone, in each child") {
                try LoadGenerator(port: server.port, connections: 8, requests: 200).wait().bodies == [
                    "version B\n": 200
                ]
            }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(report.bodies["version A\n"] ?? 0 > 0)
            #expect(report.bodies["version B\n"] ?? 0 > 0)
            #expect(children.isSubset(of: server.children.map(\.pid)))
        }
    }

    @Test func f105_formerCode_staysMapped() throws {
        try withVersionA { server, entry in
            let first = try mappedSnapshots(server)
            #expect(first.count == 1)
            try server.copy(Fixture.versionB.path, to: "\(server.www)/app/app.so")
            server.touch(entry)
            #expect(try server.get("/").text == "version B\n")
            let both = try mappedSnapshots(server)
            #expect(both.count == 2)
            #expect(first.isSubset(of: both))
        }
    }

    @Test func brokenVersion_isRefusedWhileTheFormerServesOn() throws {
        try withVersionA { server, entry in
            server.announce("SWSGI2", "SWSGI2061")
            let good = try String(contentsOfFile: entry, encoding: .utf8)
            try server.write("bundle = nosuch.so\n", to: entry)
            for _ in 0..<20 { #expect(try server.get("/").text == "version A\n") }
            try server.logs.waitForLine("SWSGI2061", entry)
            #expect(server.logs.lines(containing: "SWSGI2061").count == 1)
            try server.copy(Fixture.versionB.path, to: "\(server.www)/app/app.so")
            try server.write(good, to: entry)
            #expect(try server.get("/").text == "version B\n")
        }
    }

    @Test func scriptReloadingOff_keepsTheCode() throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.embedded(entry, inDirectory: "WSGIScriptReloading Off"))
            #expect(try server.get("/").text == "version A\n")
            try server.copy(Fixture.versionB.path, to: "\(server.www)/app/app.so")
            server.touch(entry)
            #expect(try server.get("/").text == "version A\n")
            try server.graceful()
            try eventually("the new code in new children") { try server.get("/").text == "version B\n" }
        }
    }

    @Test func f104_manyReloads_keepServing() throws {
        try reload(60)
    }

    @Test(.tags(.long), .enabled(if: longReloads != nil, "asked for with SWSGI_RELOADS=5000"))
    func manyThousandReloads_keepServing() throws {
        try reload(try #require(longReloads))
    }

    private func reload(_ count: Int) throws {
        try withVersionA { server, entry in
            // A child that has thousands of snapshots to remove may take longer to end than httpd waits.
            if count > 1000 { server.announce("AH00045", "AH00046", "AH00047") }
            let child = try #require(server.children.first)
            let before = child.resident
            let connection = try HTTPConnection(port: server.port)
            for number in 0..<count {
                server.touch(entry)
                #expect(try connection.get("/").text == "version A\n", "\(number)")
            }
            #expect(try mappedSnapshots(server).count == count + 1)
            #expect(server.children.map(\.pid) == [child.pid])
            let growth = (child.resident - before) / count
            print("\(count) reloads in one child: \(growth) KiB each, \(child.resident) KiB in all")
            // A reload may cost what the bundle itself takes, and not another runtime.
            #expect(growth < 512)
        }
    }

    private func mappedSnapshots(_ server: TestServer) throws -> Set<String> {
        let child = try #require(server.children.first)
        return child.mappedFiles.filter { $0.hasSuffix("/app.so") }
    }
}
