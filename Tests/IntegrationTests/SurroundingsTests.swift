import Foundation
import Testing

/// What daemon processes are and see: groups, language, priority, limits and environment.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct SurroundingsTests {
    private let user = TestUser.first

    /// A field of /proc/PID/limits: soft and hard.
    private func limit(_ name: String, of process: ProcessFacts) -> [String] {
        let line = ProcessTable.text("/proc/\(process.pid)/limits").split(separator: "\n").first { $0.hasPrefix(name) }
        return line.map { $0.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init) } ?? []
    }

    private func niceness(of process: ProcessFacts) -> String? {
        let stat = ProcessTable.text("/proc/\(process.pid)/stat")
        // The 19th field: the second one ends with the parenthesis.
        return stat.lastIndex(of: ")").map { String(stat[$0...].split(separator: " ")[17]) }
    }

    /// Sizes of the mappings that are written and belong to no file.
    private func writableMappings(of process: ProcessFacts) -> [Int] {
        ProcessTable.text("/proc/\(process.pid)/maps").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 5, fields[1] == "rw-p" else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            return ends.count == 2 ? ends[1] - ends[0] : nil
        }
    }

    /// Serves FixtureFacts in several groups of one server, each at a URL of its name.
    private func withGroups(
        _ groups: [(name: String, options: String)],
        announcing codes: [String] = [],
        _ body: (TestServer) throws -> Void
    ) throws {
        try withServer { server in
            for code in codes { server.announce(code) }
            let lines = try groups.map { name, options in
                let entry = try server.deploy(.facts, as: name)
                let options = options.replacingOccurrences(of: "@DIR@", with: server.directory)
                return server.application(entry, at: "/\(name)", group: name, options: options)
            }
            try server.start(lines.joined())
            try body(server)
        }
    }

    @Test func options_areSeenOnTheProcess() throws {
        let groups = [
            ("groups", "supplementary-groups=\(TestUser.second.name),#54321"),
            ("low", "cpu-priority=7 lang=POSIX"), ("high", "cpu-priority=-3"),
            ("named", "locale=C.UTF-8"), ("wrong", "locale=xx_YY.none"),
            ("small", "threads=3 stack-size=512K"),
            ("limited", "threads=3 memory-limit=512M virtual-memory-limit=8G"),
        ]
        try withGroups(groups, announcing: ["SWSGI3060"]) { server in
            func process(_ name: String) throws -> (facts: Facts, process: ProcessFacts) {
                let facts = try server.facts("/\(name)")
                return (facts, try #require(ProcessFacts(pid: facts.pid)))
            }
            let usual = try process("small").facts
            #expect(usual["env.LANG"] == "C.UTF-8" && usual["env.LC_ALL"] == nil)
            let expected = [user.gid, TestUser.second.gid, 54321].sorted()
            #expect(try process("groups").process.supplementaryGroups == expected)
            #expect(try process("groups").facts["groups"] == expected.map(String.init).joined(separator: ","))
            #expect(try niceness(of: process("low").process) == "7")
            #expect(try niceness(of: process("high").process) == "-3")
            #expect(try process("low").facts["env.LANG"] == "POSIX")
            #expect(try process("named").facts["env.LC_ALL"] == "C.UTF-8")
            // A locale that does not exist: a warning, and the process works.
            #expect(try process("wrong").facts["env.LC_ALL"] == "xx_YY.none")
            #expect(server.logs.lines(containing: "SWSGI3060", "xx_YY.none", "[group wrong]").count == 1)
            #expect(server.logs.lines(containing: "SWSGI3060").count == 1)

            for daemon in server.daemons {
                #expect(ProcessTable.text("/proc/\(daemon.pid)/oom_score_adj") == "200\n")
            }
            let limited = try process("limited").process
            #expect(limit("Max data size", of: limited) == ["\(512 << 20)", "\(512 << 20)"])
            #expect(limit("Max address space", of: limited) == ["\(8 << 30)", "\(8 << 30)"])
            #expect(limit("Max data size", of: try process("small").process).first == "unlimited")
            if !Machine.isSanitized {
                let stacks = writableMappings(of: try process("small").process).filter {
                    (448 << 10...512 << 10).contains($0)
                }
                #expect(stacks.count >= 3)
                #expect(writableMappings(of: limited).filter { (7 << 20...8 << 20).contains($0) }.count >= 3)
            }
        }
    }

    @Test(.enabled(if: !Machine.isSanitized, "the memory is the sanitizer's"))
    func memoryLimit_makesAllocationsFail_andTheProcessServesOn() throws {
        try withServer { server in
            let place = "\(server.www)/app"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let attempt =
                "static const char *attempt(size_t n) { void *volatile p = malloc(n); free(p); return p ? \"yes\" : \"no\"; }"
            try CFixture.compile(
                CFixture.answering("(attempt((size_t)400 << 20))", before: attempt),
                to: "\(place)/large.so"
            )
            try CFixture.compile(
                CFixture.answering("(attempt((size_t)10 << 20))", before: attempt),
                to: "\(place)/little.so"
            )
            let large = try server.write("bundle = large.so\n", to: "www/app/large.wsgi")
            let little = try server.write("bundle = little.so\n", to: "www/app/little.wsgi")
            try server.start(
                """
                WSGIDaemonProcess limited user=\(user.name) group=\(user.name) threads=2 memory-limit=256M
                WSGIDaemonProcess narrow user=\(user.name) group=\(user.name) threads=2 virtual-memory-limit=380M
                WSGIDaemonProcess free user=\(user.name) group=\(user.name) threads=2
                WSGIScriptAlias /limited/large \(large) process-group=limited
                WSGIScriptAlias /limited/little \(little) process-group=limited
                WSGIScriptAlias /narrow/large \(large) process-group=narrow
                WSGIScriptAlias /free/large \(large) process-group=free
                <Directory \(place)>
                    Require all granted
                </Directory>
                """
            )
            #expect(try server.get("/free/large").text == "yes")
            #expect(try server.get("/limited/large").text == "no")
            #expect(try server.get("/limited/little").text == "yes")
            #expect(try server.get("/narrow/large").text == "no")
        }
    }

    /// S24: what the file and the entry file may not set, and what a process has at all.
    @Test func environmentFile_isReadAtEachStart_andAMistakeIsNamed() throws {
        try withServer { server in
            server.announce("SWSGI1122", "SWSGI3003", "SWSGI3004", "SWSGI3082", "SWSGI4093")
            let file = try server.write(
                "# secrets\nSECRET='from the file'\nLANG=POSIX\nKEY='two\nlines\n'\n",
                to: "private/one.env",
                mode: 0o600
            )
            let broken = try server.write("A=1\nLD_PRELOAD=/tmp/x.so\n", to: "private/broken.env", mode: 0o600)
            let good = try server.deploy(.facts, as: "good")
            let bad = try server.deploy(.facts, as: "bad")
            try server.start(
                server.application(good, at: "/good", group: "good", options: "environment-file=\(file)")
                    + server.application(bad, at: "/bad", group: "bad", options: "environment-file=\(broken)")
            )
            try server.logs.waitForLine("SWSGI1122", "'bad'", "\(broken), line 2", "LD_PRELOAD")
            try server.logs.waitForLine("SWSGI3003", "'bad'", "SWSGI6010", "\(broken), line 2", "LD_PRELOAD")
            #expect(!server.logs.lines.contains { $0.text.contains("/tmp/x.so") })
            let facts = try server.facts("/good")
            #expect(facts["env.SECRET"] == "from the file")
            #expect(facts["env.LANG"] == "POSIX")
            let process = try #require(ProcessFacts(pid: facts.pid))
            #expect(
                Set(process.environment.keys) == [
                    "PATH", "LANG", "HOME", "USER", "LOGNAME", "SECRET", "KEY", "SWIFT_BACKTRACE",
                ]
            )
            #expect(process.environment["KEY"] == "two\nlines\n")
            // Mended: no restart of httpd is needed; and the other group's new process has the new content.
            try server.write("A=healed\n", to: broken, mode: 0o600)
            try server.write("SECRET=new\n", to: file, mode: 0o600)
            try eventually("a process of the mended group", within: 40) {
                (try? server.facts("/bad"))?["env.A"] == "healed"
            }
            server.touch(good)
            try eventually("the new content") { try server.facts("/good")["env.SECRET"] == "new" }
        }
    }

    @Test func entryFile_mayNotSetWhatTheLoaderObeys() throws {
        try withServer { server in
            server.announce("SWSGI6010", "SWSGI4028")
            let entry = try server.deploy(.facts, as: "app", entry: ["environment.LD_AUDIT = /tmp/x.so"])
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 500)
            try server.logs.waitForLine("SWSGI6010", entry, "line 2", "LD_AUDIT")
        }
    }
}
