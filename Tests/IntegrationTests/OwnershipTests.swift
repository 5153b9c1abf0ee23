import Foundation
import Testing

/// Who may have written an application's files: script-user=, script-group=, and what is asked by default.
///
/// The names have the numbers of the faults.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct OwnershipTests {
    private let user = TestUser.first

    /// A way to spoil an application in `www/NAME`, and what is said of it.
    private struct Case {
        let name: String
        let options: String
        let code: String
        let words: String
        let spoil: (String) throws -> Void
    }

    private func withCases(_ cases: [Case], good: [(String, String, (String) throws -> Void)]) throws {
        try withServer { server in
            func application(_ name: String, _ options: String, _ spoil: (String) throws -> Void) throws -> String {
                let entry = try server.deploy(bundle: CFixture.path("plain"), as: name)
                try spoil("\(server.www)/\(name)")
                return server.application(entry, at: "/\(name)", group: name, options: "threads=1 \(options)")
            }
            for item in cases { server.announce(item.code) }
            server.announce("SWSGI4028")
            try server.start(
                try cases.map { try application($0.name, $0.options, $0.spoil) }.joined()
                    + good.map { try application($0.0, $0.1, $0.2) }.joined()
            )
            for item in cases {
                #expect(try server.get("/\(item.name)").status == 403, "\(item.name)")
                try server.logs.waitForLine(item.code, item.words, "[group \(item.name)]")
            }
            for (name, _, _) in good { #expect(try server.get("/\(name)").status == 200, "\(name)") }
            for process in server.daemons where process.mappedFiles.contains(where: { $0.hasSuffix("plain.so") }) {
                Issue.record("a bundle that is refused has been mapped by \(process)")
            }
        }
    }

    /// Gives all of a deployment to a user and group, with these modes.
    private func give(_ place: String, _ uid: Int, _ gid: Int, file: mode_t = 0o644, directory: mode_t = 0o755) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] {
            chown("\(place)/\(name)", uid_t(uid), gid_t(gid))
            chmod("\(place)/\(name)", file)
        }
        chown(place, uid_t(uid), gid_t(gid))
        chmod(place, directory)
    }

    private func bundle(_ place: String) -> String {
        "\(place)/\(URL(fileURLWithPath: place).lastPathComponent).so"
    }

    @Test func b7_b8_whatEverybodyMayWriteTo_isNotLoaded_asADedicatedUser() throws {
        try withCases(
            [
                Case(name: "entry", options: "", code: "SWSGI6016", words: "entry file") {
                    chmod("\($0)/entry.wsgi", 0o666)
                },
                Case(name: "bundle", options: "", code: "SWSGI6016", words: "bundle") { chmod(bundle($0), 0o777) },
                Case(name: "place", options: "", code: "SWSGI6016", words: "the directory") { chmod($0, 0o777) },
                // By a link: what counts is where the file is.
                Case(name: "link", options: "", code: "SWSGI6016", words: "the directory") { place in
                    try FileManager.default.createDirectory(atPath: "\(place)/open", withIntermediateDirectories: true)
                    rename("\(place)/link.so", "\(place)/open/real.so")
                    symlink("open/real.so", "\(place)/link.so")
                    chmod("\(place)/open", 0o777)
                },
                Case(name: "above", options: "", code: "SWSGI6016", words: "a directory above bundle") { place in
                    try FileManager.default.createDirectory(
                        atPath: "\(place)/open/closed",
                        withIntermediateDirectories: true
                    )
                    rename("\(place)/above.so", "\(place)/open/closed/real.so")
                    symlink("open/closed/real.so", "\(place)/above.so")
                    chmod("\(place)/open", 0o777)
                },
            ],
            good: [
                ("sticky", "", { chmod($0, 0o1777) }), ("group", "", { chmod($0, 0o775) }),
                (
                    "linked", "",
                    { place in
                        rename("\(place)/linked.so", "\(place)/real.so")
                        symlink("real.so", "\(place)/linked.so")
                    }
                ),
            ]
        )
    }

    @Test func b7_b8_b9_scriptUser_ownsAllOfIt_alone() throws {
        let owner = TestUser.second
        let options = "script-user=\(owner.name)"
        try withCases(
            [
                Case(name: "entry", options: options, code: "SWSGI6013", words: "entry file") { place in
                    give(place, owner.uid, owner.gid)
                    chown("\(place)/entry.wsgi", 0, 0)
                },
                Case(name: "bundle", options: options, code: "SWSGI6013", words: "bundle") { place in
                    give(place, owner.uid, owner.gid)
                    chown(bundle(place), uid_t(user.uid), 0)
                },
                Case(name: "place", options: options, code: "SWSGI6013", words: "the directory") { place in
                    give(place, owner.uid, owner.gid)
                    chown(place, 0, 0)
                },
                Case(name: "group", options: options, code: "SWSGI6015", words: "the directory") { place in
                    give(place, owner.uid, owner.gid, directory: 0o775)
                },
                Case(name: "file", options: options, code: "SWSGI6015", words: "bundle") { place in
                    give(place, owner.uid, owner.gid)
                    chmod(bundle(place), 0o664)
                },
            ],
            good: [("good", options, { give($0, owner.uid, owner.gid) })]
        )
    }

    @Test func b9_scriptGroup_hasAllOfIt_andNobodyElseWrites() throws {
        let group = TestUser.groupID(TestUser.extraGroup)
        let options = "script-group=\(TestUser.extraGroup)"
        try withCases(
            [
                Case(name: "entry", options: options, code: "SWSGI6014", words: "entry file") { place in
                    give(place, 0, group)
                    chown("\(place)/entry.wsgi", 0, 0)
                },
                Case(name: "place", options: options, code: "SWSGI6014", words: "the directory") { place in
                    give(place, 0, group)
                    chown(place, 0, 0)
                },
                Case(name: "open", options: options, code: "SWSGI6016", words: "bundle") { place in
                    give(place, 0, group)
                    chmod(bundle(place), 0o666)
                },
            ],
            good: [("good", options, { give($0, user.uid, group, file: 0o664, directory: 0o775) })]
        )
    }

    @Test func mistakes_areNamedAtStart() throws {
        try withServer { server in
            for (options, code) in [
                ("script-user=daemon script-group=daemon", "SWSGI1124"), ("script-user=no-such-user", "SWSGI1009"),
                ("script-group=no-such-group", "SWSGI1010"),
            ] {
                try server.configure("WSGIDaemonProcess one \(options)")
                let result = try server.signal("configtest")
                #expect(result.errors.contains(code), "\(options)")
            }
        }
    }

    /// Deploying something that must not be loaded leaves the old code serving.
    @Test func refusedReload_leavesTheOldCodeServing() throws {
        try withServer { server in
            server.announce("SWSGI6016", "SWSGI3008")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            let before = try server.get("/").text
            chmod("\(server.www)/app/app.so", 0o777)
            server.touch(entry)
            #expect(try server.get("/").text == before)
            try server.logs.waitForLine("SWSGI6016", "bundle")
            try server.logs.waitForLine("SWSGI3008")
            #expect(try server.get("/").text == before)
        }
    }
}
