import Foundation
import Testing

/// What the options of WSGIDaemonProcess do to the processes that they make.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ProcessGroupTests {
    private let user = TestUser.first

    /// Serves FixtureFacts in a group with these options, and hands over what the process says and what /proc says.
    private func withGroup(
        _ options: String,
        announcing codes: [String] = [],
        _ body: (TestServer, Facts, ProcessFacts) throws -> Void
    ) throws {
        try withServer { server in
            for code in codes { server.announce(code) }
            let entry = try server.deploy(.facts, as: "app")
            try FileManager.default.createDirectory(
                atPath: "\(server.directory)/home",
                withIntermediateDirectories: true
            )
            let line = options.replacingOccurrences(of: "@HOME@", with: "\(server.directory)/home")
            try server.start(
                """
                WSGIDaemonProcess one \(line)
                WSGIScriptAlias / \(entry)
                <Directory \(server.www)/app>
                    WSGIProcessGroup one
                    WSGIApplicationGroup %{GLOBAL}
                    Require all granted
                </Directory>
                """
            )
            let facts = try server.facts()
            let process = try #require(ProcessFacts(pid: facts.pid))
            try body(server, facts, process)
        }
    }

    @Test func process_hasTheIdentityOfItsGroupAndNothingOfRoot() throws {
        try withGroup("user=\(user.name) group=\(user.name)") { server, facts, process in
            #expect(process.userIDs == [user.uid, user.uid, user.uid, user.uid])
            #expect(process.groupIDs == [user.gid, user.gid, user.gid, user.gid])
            #expect(process.supplementaryGroups == [user.gid, TestUser.extraGroupID].sorted())
            #expect(facts["groups"] == process.supplementaryGroups.map(String.init).joined(separator: ","))
            for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
                #expect(process.status[set] == "0000000000000000", "\(set)")
            }
            let supervisor = try #require(server.supervisors.first)
            #expect(process.parent == supervisor.pid)
            #expect(supervisor.parent == server.parentPID)
            #expect(supervisor.userIDs == [0, 0, 0, 0])
        }
    }

    @Test func process_hasExactlyFiveDescriptors() throws {
        try withGroup("user=\(user.name) group=\(user.name) threads=3") { server, facts, process in
            #expect(facts.descriptors.filter { $0 <= 4 } == [0, 1, 2, 3, 4])
            // While a request runs there is its reply socket too; afterwards nothing.
            let own = facts.values.filter { $0.key.hasPrefix("fd.") && $0.value != "anon_inode:[eventfd]" }
            #expect(own.count <= 6, "\(facts.values)")
            try eventually("five descriptors, not \(process.descriptors)") { process.hostDescriptors.count == 5 }
            let open = process.hostDescriptors
            #expect(open[0] == "/dev/null")
            #expect(open[3]?.hasPrefix("socket:") == true)
            #expect(open[4]?.hasPrefix("socket:") == true)
            #expect(!open.values.contains { $0.hasSuffix("error.log") }, "\(open)")
            _ = server
        }
    }

    @Test func process_hasACleanEnvironment() throws {
        try withGroup("user=\(user.name) group=\(user.name)") { _, facts, _ in
            let names = facts.values.keys.filter { $0.hasPrefix("env.") }.map { $0.dropFirst(4) }
            #expect(!names.contains { $0 == Substring(TestServer.marker) }, "\(names)")
            #expect(!names.contains { $0.hasPrefix("APACHE") || $0.hasPrefix("LD_") }, "\(names)")
            #expect(facts["env.USER"] == user.name)
            #expect(facts["env.LOGNAME"] == user.name)
            #expect(facts["env.PATH"]?.isEmpty == false)
        }
    }

    @Test func userWithoutGroup_takesThePrimaryGroupAndSaysSo() throws {
        try withGroup("user=\(user.name)") { server, facts, _ in
            #expect(facts["gid"] == "\(user.gid)")
            try server.logs.waitForLine("SWSGI1018", "one")
        }
    }

    @Test func groupWithoutUser_keepsHttpdsUser() throws {
        try withGroup("group=\(TestUser.second.name)") { _, facts, _ in
            #expect(facts["uid"] == "33")
            #expect(facts["gid"] == "\(TestUser.second.gid)")
        }
    }

    @Test func groupWithoutOptions_runsAsHttpdWithOneProcess() throws {
        try withGroup("") { server, facts, _ in
            #expect(facts["uid"] == "33")
            #expect(facts["gid"] == "33")
            #expect(server.daemons.count == 1)
        }
    }

    @Test(arguments: [("0077", "0077"), ("022", "0022"), ("7", "0007")])
    func umask_isTheProcesss(value: String, shown: String) throws {
        try withGroup("user=\(user.name) group=\(user.name) umask=\(value)") { _, facts, process in
            #expect(facts["umask"] == shown)
            #expect(process.umask == shown)
        }
    }

    @Test func home_isTheWorkingDirectory() throws {
        try withGroup("user=\(user.name) group=\(user.name) home=@HOME@") { server, facts, _ in
            #expect(facts["cwd"] == "\(server.directory)/home")
        }
    }

    @Test func withoutHome_theWorkingDirectoryIsTheRoot() throws {
        try withGroup("user=\(user.name) group=\(user.name)") { _, facts, _ in
            #expect(facts["cwd"] == "/")
        }
    }

    @Test(arguments: [("%{GROUP}", "(wsgi:one)"), ("my-name", "my-name")])
    func displayName_isShownInProcessLists(value: String, shown: String) throws {
        try withGroup("user=\(user.name) group=\(user.name) display-name=\(value)") { server, facts, process in
            #expect(facts["cmdline"]?.hasPrefix(shown) == true, "\(facts["cmdline"] ?? "")")
            #expect(process.arguments.first == shown)
            #expect(facts["comm"] == String(shown.prefix(15)))
            _ = server
        }
    }

    @Test(arguments: [1, 7])
    func threads_areThatMany(count: Int) throws {
        try withGroup("user=\(user.name) group=\(user.name) threads=\(count)") { _, _, process in
            // Besides the request threads: the main thread and at most a few of the host's own.
            try eventually("\(count) threads") {
                ProcessFacts(pid: process.pid).map { $0.threadCount >= count } ?? false
            }
            #expect(try #require(ProcessFacts(pid: process.pid)).threadCount <= count + 3)
        }
    }

    @Test func processes_areThatManyAndAllServe() throws {
        try withGroup("user=\(user.name) group=\(user.name) processes=3 threads=1") { server, _, _ in
            try eventually("three processes") { server.daemons.count == 3 }
            let pids = Set(server.daemons.map(\.pid))
            var seen: Set<Int32> = []
            try eventually("answers of all three", within: 60) {
                let clients = (0..<12).map { _ in Background { try server.facts().pid } }
                for client in clients { seen.insert(try client.value()) }
                return seen == pids
            }
        }
    }

    @Test func twoGroups_runUnderTwoUsers() throws {
        try withServer { server in
            let first = try server.deploy(.facts, as: "first")
            let second = try server.deploy(.facts, as: "second")
            try server.start(
                server.application(first, at: "/first", group: "first", user: .first)
                    + server.application(second, at: "/second", group: "second", user: .second)
            )
            #expect(try server.facts("/first")["uid"] == "\(TestUser.first.uid)")
            #expect(try server.facts("/second")["uid"] == "\(TestUser.second.uid)")
            #expect(try server.facts("/first").pid != server.facts("/second").pid)
        }
    }

    /// Two hosts of different ports; the first one defines the group.
    private func twoHosts(_ server: TestServer, second name: String, group: String) throws -> (
        lines: String, port: UInt16
    ) {
        let port = try Ports.free()
        let entry = try server.deploy(.facts, as: "app")
        func host(_ port: UInt16, _ name: String, _ group: String, _ lines: String) -> String {
            """
            <VirtualHost 127.0.0.1:\(port)>
                ServerName \(name)
                \(lines)
                WSGIScriptAlias / \(entry)
                <Directory \(server.www)/app>
                    WSGIProcessGroup \(group)
                    Require all granted
                </Directory>
            </VirtualHost>

            """
        }
        let definition = "WSGIDaemonProcess one user=\(user.name) group=\(user.name)"
        let lines =
            "Listen 127.0.0.1:\(port)\n" + host(server.port, "a.example", "one", definition)
            + host(port, name, group, "")
        return (lines, port)
    }

    @Test func group_isFoundByAnotherHostOfTheSameName() throws {
        try withServer { server in
            let (lines, port) = try twoHosts(server, second: "a.example", group: "one")
            try server.start(lines)
            let first = try server.facts()
            let second = Facts(try HTTPConnection(port: port).get("/"))
            #expect(first["uid"] == "\(user.uid)")
            #expect(second.pid == first.pid)
        }
    }

    @Test func group_isFoundByAHostWhoseNameStandsBehindIt() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            let port = try Ports.free()
            func host(_ port: UInt16, _ lines: String) -> String {
                """
                <VirtualHost 127.0.0.1:\(port)>
                    \(lines)
                    WSGIScriptAlias / \(entry) process-group=one application-group=%{GLOBAL}
                    ServerName a.example
                </VirtualHost>

                """
            }
            try server.start(
                "Listen 127.0.0.1:\(port)\n"
                    + host(server.port, "WSGIDaemonProcess one user=\(user.name) group=\(user.name)") + host(port, "")
                    + "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
            )
            let first = try server.facts()
            #expect(Facts(try HTTPConnection(port: port).get("/")).pid == first.pid)
        }
    }

    @Test func group_ofAnotherHostChosenByARequestIsRefused() throws {
        try withServer { server in
            server.announce("SWSGI4012")
            let (lines, port) = try twoHosts(server, second: "b.example", group: "%{ENV:CHOSEN}")
            try server.start("SetEnvIf Host .* CHOSEN=one\n" + lines)
            #expect(try server.facts()["uid"] == "\(user.uid)")
            #expect(try HTTPConnection(port: port).get("/").status == 500)
            try server.logs.waitForLine("SWSGI4012", "one")
        }
    }
}
