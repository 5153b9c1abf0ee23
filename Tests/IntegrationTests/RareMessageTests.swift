import Foundation
import Glibc
import Testing

/// Messages that need a broken surrounding: descriptors that have run out, directories that are gone, a crowded queue.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct RareMessageTests {
    // MARK: Starting

    @Test func installationWithoutItsProgram_refusesEmbeddedRequests_andSaysWhy() throws {
        try withServer { server in
            server.announce("SWSGI1172", "SWSGI1207", "SWSGI4101")
            let entry = try server.deploy(.versionA, as: "app")
            unlink("\(server.library)/swsgid")
            try server.start(server.embedded(entry))
            try server.logs.waitForLine("SWSGI1172", "swsgid")
            #expect(try server.get("/").status == 500)
            try server.logs.waitForLine("SWSGI4101", entry)
        }
    }

    @Test func tooFewDescriptorsForTheQueues_endTheStart() throws {
        try withServer { server in
            server.announce("SWSGI3013", "AH", "SWSGI1207")
            server.descriptorLimit = 64
            let user = TestUser.first.name
            try server.configure(
                (0..<40).map { "WSGIDaemonProcess g\($0) user=\(user) group=\(user)\n" }.joined()
            )
            // httpd says it in its log: it has detached itself already, or not.
            _ = try server.signal("start")
            try server.logs.waitForLine("SWSGI3013", "40 process groups")
            try eventually("end of httpd") { server.parentPID == nil }
        }
    }

    /// A user who calls it by hand.
    @Test func supervisorWithoutItsDescriptors_saysSo() throws {
        let result = try run(Installation.daemon, ["supervise"])
        #expect(result.status == 1)
        #expect(result.errors.contains("SWSGI3012"), "\(result.errors)")
    }

    @Test func logThatIsNoFile_isWarnedAbout() throws {
        try withServer { server in
            server.announce("SWSGI1023")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(
                "<VirtualHost *>\nServerName a.example\nErrorLog syslog\n\(server.application(entry))</VirtualHost>\n"
            )
            try server.logs.waitForLine("SWSGI1023", "'one'")
            #expect(try server.get("http://a.example/").status == 200)
        }
    }

    @Test func groupChosenByAVariable_withoutLimits_isNoticed() throws {
        try withServer { server in
            try server.configure("WSGIScriptAlias / \(server.www)/x process-group=%{ENV:GROUP}\n")
            #expect(try server.signal("configtest").errors.contains("SWSGI1209"))
        }
    }

    @Test func environmentFileThatIsGone_keepsTheGroupFromStarting() throws {
        try withServer { server in
            server.announce("SWSGI1122", "SWSGI3061", "SWSGI3001", "SWSGI3004", "SWSGI3009")
            let path = try server.write("A=b\n", to: "environment")
            let entry = try server.deploy(.versionA, as: "app")
            unlink(path)
            try server.start(server.application(entry, options: "environment-file=\(path)"))
            try server.logs.waitForLine("SWSGI3061", path)
        }
    }

    @Test func programThatIsNone_isTriedAgain_untilItIsOne() throws {
        try withServer { server in
            server.announce("SWSGI3005", "SWSGI1207")
            let entry = try server.deploy(.versionA, as: "app")
            let program = "\(server.library)/swsgid"
            rename(program, "\(program).kept")
            try server.write("no program\n", to: program, mode: 0o755)
            try server.start(server.application(entry))
            try server.logs.waitForLine("SWSGI3005", program)
            // No process takes it before there is a supervisor.
            let waiting = Background { try server.get("/").status }
            unlink(program)
            rename("\(program).kept", program)
            #expect(try waiting.value() == 200)
        }
    }

    // MARK: Running

    @Test func directoryInAJailThatIsGone_keepsNewProcessesFromStarting() throws {
        try withServer { server in
            server.announce("SWSGI3014", "SWSGI3")
            let jail = "\(server.directory)/jail"
            try FileManager.default.createDirectory(atPath: "\(jail)/srv", withIntermediateDirectories: true)
            try server.copy(CFixture.path("plain"), to: "\(jail)/srv/plain.so")
            try server.write("", to: "\(jail)/home/x")
            let group = TestUser.first.name
            try server.start(
                """
                WSGIDaemonProcess one user=\(group) group=\(group) threads=1 chroot=\(jail) home=/home
                WSGIScriptAlias / \(jail)/srv/plain.so process-group=one application-group=%{GLOBAL}
                <Directory \(jail)>
                    Require all granted
                </Directory>
                """
            )
            #expect(try server.get("/").status == 200)
            let first = try server.daemon().pid
            rename("\(jail)/home", "\(jail)/gone")
            kill(first, SIGUSR1)
            try server.logs.waitForLine("SWSGI3014", "working directory /home in \(jail)")
            rename("\(jail)/gone", "\(jail)/home")
            try eventually("another process", within: 60) {
                server.daemons.contains { $0.pid != first } && !ProcessTable.isAlive(first)
            }
            #expect(try server.get("/").status == 200)
        }
    }

    /// As a cleaner of temporary directories does it.
    @Test func snapshotsThatAreGone_keepTheFormerCodeServing() throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            server.announce("SWSGI2050", "SWSGI2061")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.embedded(entry))
            #expect(try server.get("/").text == "version A\n")
            let run = "\(server.directory)/run"
            let names = try FileManager.default.contentsOfDirectory(atPath: run)
            let home = try #require(names.first { $0.hasPrefix("swsgi.embedded-") })
            try FileManager.default.removeItem(atPath: "\(run)/\(home)")
            server.touch(entry)
            #expect(try server.get("/").text == "version A\n")
            try server.logs.waitForLine("SWSGI2050", "a directory for a snapshot can't be made")
            try server.logs.waitForLine("SWSGI2061", entry)
        }
    }

    /// 4 MiB of them: the heads of requests that no process takes.
    @Test func queueWithoutRoom_isAnswered503() throws {
        try withServer { server in
            server.settings = "LimitRequestFieldSize 60000\n"
            server.announce("SWSGI4020", "SWSGI3022", "AH")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "threads=1 listen-backlog=1000 deadlock-timeout=0"))
            #expect(try server.get("/").status == 200)
            let process = try server.daemon()
            kill(process.pid, SIGSTOP)
            defer { kill(process.pid, SIGCONT) }
            let field = "X-Long: " + String(repeating: "x", count: 50_000)
            var waiting: [HTTPConnection] = []
            while server.logs.lines(containing: "SWSGI4020").isEmpty {
                try #require(waiting.count < 300)
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead("GET", "/", [field])
                waiting.append(connection)
            }
            kill(process.pid, SIGCONT)
            let statuses = try waiting.map { try $0.response(to: "GET").status }
            #expect(Set(statuses) == [200, 503])
        }
    }

    @Test func environWithoutMeasure_isAnswered500_andATunnel405() throws {
        try withServer { server in
            server.settings = "LimitRequestFieldSize 20000000\n"
            server.announce("SWSGI4027")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            let field = "X-Long: " + String(repeating: "x", count: 17 << 20)
            #expect(try server.get("/", headers: [field]).status == 500)
            try server.logs.waitForLine("SWSGI4027")
            #expect(try server.request("CONNECT", "localhost:80").status == 405)
            try server.logs.waitForLine("SWSGI4054", "[wsgi:info]")
            #expect(try server.get("/").status == 200)
        }
    }

    /// Only httpd's children can send there; here it is the test, which is root.
    @Test func messageThatIsNoExchange_isThrownAway() throws {
        try withServer { server in
            server.announce("SWSGI5003")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            let child = try #require(server.children.first)
            let queue = try #require(try ForeignDescriptor.queue(of: child.pid))
            #expect(queue.send(Array("nonsense".utf8)))
            try server.logs.waitForLine("SWSGI5003")
            #expect(try server.get("/").status == 200)
            #expect(server.daemons.count == 1)
        }
    }
}
