import Foundation
import Testing

/// New code by changing files: nothing is lost, and nothing broken is let in.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct ReloadTests {
    private func withVersionA(
        _ options: String = "processes=2 threads=4",
        inDirectory: String = "",
        _ body: (TestServer, String) throws -> Void
    ) throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: options, inDirectory: inDirectory))
            #expect(try server.get("/").text == "version A\n")
            // A process that is still to load its first code would load what the test puts in its place.
            let processes = options.split(separator: " ").first { $0.hasPrefix("processes=") }
            let count = processes.flatMap { Int($0.dropFirst("processes=".count)) } ?? 1
            try eventually("\(count) processes with the first code") {
                server.logs.lines(containing: "loaded \(entry)").count >= count
            }
            try body(server, entry)
        }
    }

    @Test func touch_bringsANewProcess() throws {
        try withVersionA("processes=1 threads=2") { server, entry in
            let before = try server.get("/")["X-Pid"]
            server.touch(entry)
            // The request that discovers the change waits for the new code.
            let after = try server.get("/")["X-Pid"]
            #expect(after != before)
            try server.logs.waitForLine("SWSGI3006", "app.wsgi")
            try server.logs.waitForLine("SWSGI3007", "one")
        }
    }

    /// As `rsync --inplace --times` leaves it: the same inode, size and time.
    @Test(arguments: RangeTests.modes) func contentUnderTheOldTime_isNoticed(mode: String) throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.copy(Fixture.versionA.path, to: "\(server.www)/app/one.so")
            try server.copy(Fixture.versionB.path, to: "\(server.www)/app/two.so")
            try server.write("bundle = one.so\n", to: "www/app/app.wsgi")
            try server.start(mode == "embedded" ? server.embedded(entry) : server.application(entry))
            #expect(try server.get("/").text == "version A\n")
            var before = stat()
            #expect(stat(entry, &before) == 0)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: entry))
            try file.write(contentsOf: Data("bundle = two.so\n".utf8))
            try file.close()
            var times = [before.st_atim, before.st_mtim]
            #expect(utimensat(AT_FDCWD, entry, &times, 0) == 0)
            var after = stat()
            #expect(stat(entry, &after) == 0)
            #expect(after.st_ino == before.st_ino && after.st_size == before.st_size)
            #expect(after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
            // Each child of httpd has code of its own.
            try eventually("the new code everywhere") {
                try (0..<8).allSatisfy { _ in try server.get("/").text == "version B\n" }
            }
        }
    }

    @Test func touchWithoutARequest_isNoticedByTheNextOne() throws {
        try withVersionA("processes=2 threads=2") { server, entry in
            let old = Set(server.daemons.map(\.pid))
            server.touch(entry)
            letPass(0.3)
            #expect(try server.get("/").status == 200)
            try eventually("new processes only") {
                server.daemons.count == 2 && old.isDisjoint(with: server.daemons.map(\.pid))
            }
        }
    }

    @Test func scriptReloadingOff_keepsTheProcess() throws {
        try withVersionA("processes=1 threads=2", inDirectory: "WSGIScriptReloading Off") { server, entry in
            let before = server.daemons.map(\.pid)
            try server.copy(Fixture.versionB.path, to: "\(server.www)/app/app.so")
            server.touch(entry)
            for _ in 0..<5 { #expect(try server.get("/").text == "version A\n") }
            #expect(server.daemons.map(\.pid) == before)
            try server.graceful()
            try eventually("the new code after a restart") { try server.get("/").text == "version B\n" }
        }
    }

    enum Way: String, Sendable, CaseIterable {
        case move, copyInPlace, touchOnly, bundleAsEntryFile
    }

    /// The answers of one connection are A's, and then B's, and never A's again once a reload is done.
    @Test(.tags(.long), arguments: [Way.move, .copyInPlace])
    func newBundle_takesOverUnderLoadWithoutAFailure(way: Way) throws {
        try withVersionA { server, entry in
            let load = LoadGenerator(port: server.port, connections: 16) { _, response in
                if response.status != 200 { return "status \(response.status)" }
                return ["version A\n", "version B\n"].contains(response.text) ? nil : "body '\(response.text)'"
            }
            try eventually("the old code in use") { load.served >= 16 }
            let bundle = "\(server.www)/app/app.so"
            if way == .move {
                try server.copy(Fixture.versionB.path, to: bundle + ".new")
                #expect(rename(bundle + ".new", bundle) == 0)
            } else {
                try server.copy(Fixture.versionB.path, to: bundle)
            }
            server.touch(entry)
            try server.logs.waitForLine("SWSGI3007", within: 60)
            let after = try LoadGenerator(port: server.port, connections: 4, requests: 200).wait()
            #expect(after.bodies == ["version B\n": 200])
            let served = load.served
            try eventually("the new code in use") { load.served >= served + 32 }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(report.bodies["version A\n"] ?? 0 > 0)
            #expect(report.bodies["version B\n"] ?? 0 > 0)
            #expect(report.idleCloses == 0)
        }
    }

    @Test func bundleAsEntryFile_isReloadedWhenItIsReplaced() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "app")
            let bundle = "\(server.www)/app/app.so"
            try server.start(server.application(bundle))
            #expect(try server.get("/").text == "version A\n")
            try server.copy(Fixture.versionB.path, to: bundle + ".new")
            #expect(rename(bundle + ".new", bundle) == 0)
            #expect(try server.get("/").text == "version B\n")
        }
    }

    @Test(.tags(.long)) func brokenBundle_isRefusedWhileTheOldServesOn() throws {
        try withVersionA { server, entry in
            server.announce("SWSGI2015", "SWSGI3008")
            let bundle = "\(server.www)/app/app.so"
            let load = LoadGenerator(port: server.port, connections: 8)
            let whole = try Data(contentsOf: URL(fileURLWithPath: Fixture.versionB.path))
            try whole.prefix(5000).write(to: URL(fileURLWithPath: bundle + ".new"))
            #expect(rename(bundle + ".new", bundle) == 0)
            chmod(bundle, 0o755)
            server.touch(entry)
            try server.logs.waitForLine("SWSGI2015", bundle)
            try server.logs.waitForLine("SWSGI3008", "one")
            #expect(try server.get("/").text == "version A\n")
            letPass(1)
            #expect(server.logs.lines(containing: "SWSGI3008").count == 1)
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(Array(report.bodies.keys) == ["version A\n"])

            try server.copy(Fixture.versionB.path, to: bundle)
            server.touch(entry)
            try eventually("the mended bundle") { try server.get("/").text == "version B\n" }
            try eventually("answers of the mended bundle only") {
                let after = try LoadGenerator(port: server.port, connections: 4, requests: 100).wait()
                return after.bodies == ["version B\n": 100]
            }
        }
    }

    @Test(arguments: ["init_crash", "init_exit", "init_hang"])
    func bundleThatEndsItsProcess_isRefusedWhileTheOldServesOn(fixture: String) throws {
        try withVersionA("processes=2 threads=4 startup-timeout=2") { server, entry in
            server.announce("SWSGI2033", "SWSGI2034", "SWSGI2035", "SWSGI3008", "SWSGI3009", "[group one]", "pid ")
            let load = LoadGenerator(port: server.port, connections: 4)
            let bundle = "\(server.www)/app/app.so"
            try server.copy(try CFixture.path(fixture), to: bundle + ".new")
            #expect(rename(bundle + ".new", bundle) == 0)
            server.touch(entry)
            try server.logs.waitForLine("SWSGI3008", "one", within: 40)
            #expect(try server.get("/").text == "version A\n")
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
        }
    }

    @Test func entryFileThatVanishes_isAnswered404AndComesBack() throws {
        try withVersionA { server, entry in
            server.announce("SWSGI4002", "SWSGI3008", "SWSGI2001")
            #expect(rename(entry, entry + ".away") == 0)
            #expect(try server.get("/").status == 404)
            #expect(rename(entry + ".away", entry) == 0)
            try eventually("an answer") { try server.get("/").text == "version A\n" }
        }
    }

    @Test func reloadOfOneApplication_leavesTheOtherGroupAlone() throws {
        try withServer { server in
            let first = try server.deploy(.versionA, as: "first")
            let second = try server.deploy(.versionA, as: "second")
            try server.start(
                server.application(first, at: "/first", group: "first")
                    + server.application(second, at: "/second", group: "second", user: .second)
            )
            let before = try server.get("/second")["X-Pid"]
            let old = try server.get("/first")["X-Pid"]
            server.touch(first)
            #expect(try server.get("/first")["X-Pid"] != old)
            #expect(try server.get("/second")["X-Pid"] == before)
        }
    }
}

/// What a process runs is its own copy.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct SnapshotTests {
    @Test(.tags(.long)) func overwritingTheBundleInPlace_crashesNobody() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=2 threads=4"))
            let load = LoadGenerator(port: server.port, connections: 8)
            let pids = try eventually("both processes") {
                let found = Set(server.daemons.map(\.pid))
                return found.count == 2 ? found : nil
            }
            try eventually("the code in use") { load.served >= 16 }
            let bundle = "\(server.www)/app/app.so"
            for round in 0..<6 {
                // Without a touch of the entry file, nothing is to be reloaded.
                try server.copy(round % 2 == 0 ? Fixture.versionB.path : "/bin/true", to: bundle)
                letPass(0.2)
                #expect(truncate(bundle, 0) == 0)
                letPass(0.2)
            }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(Array(report.bodies.keys) == ["version A\n"])
            #expect(Set(server.daemons.map(\.pid)) == pids)
        }
    }

    @Test func process_mapsAPrivateCopyThatOnlyItsUserCanRead() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            let daemon = try server.daemon()
            let mapped = daemon.mappedFiles.filter { $0.contains("app.so") }
            #expect(!mapped.isEmpty, "\(daemon.mappedFiles)")
            #expect(!mapped.contains("\(server.www)/app/app.so"))
            for path in mapped where FileManager.default.fileExists(atPath: path) {
                let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
                let attributes = try FileManager.default.attributesOfItem(atPath: folder)
                #expect((attributes[.posixPermissions] as? Int ?? 0) & 0o077 == 0, "\(folder)")
                #expect(attributes[.ownerAccountID] as? Int == TestUser.first.uid, "\(folder)")
            }
        }
    }

    @Test func applicationGroups_haveGlobalsOfTheirOwn() throws {
        try withServer { server in
            try server.write("", to: "www/app/x")
            try CFixture.compile(
                CFixture.answering("count()", before: Self.counter),
                to: "\(server.www)/app/app.so"
            )
            let entry = try server.writeEntry("app", ["bundle = app.so"])
            try server.start(
                """
                WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
                WSGIScriptAlias /first \(entry) application-group=first
                WSGIScriptAlias /second \(entry) application-group=second
                WSGIProcessGroup one
                <Directory \(server.www)>
                    Require all granted
                </Directory>
                """
            )
            #expect(try server.get("/first").text == "1")
            #expect(try server.get("/first").text == "2")
            #expect(try server.get("/second").text == "1")
            #expect(try server.get("/first").text == "3")
            #expect(server.daemons.count == 1)
        }
    }

    private static let counter = """
        static const char *count(void) {
            static int calls = 0;
            static char text[2];
            text[0] = (char)('0' + ++calls);
            return text;
        }
        """
}
