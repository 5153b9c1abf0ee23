import Foundation
import Testing

/// Process groups with a root directory of their own.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ChrootTests {
    private let user = TestUser.first

    /// A group that sees `jail` alone, with the attacker at / and a plain bundle at /plain.
    private func withJail(
        _ options: String = "",
        lines: (TestServer) throws -> String = { _ in "" },
        _ body: (TestServer, String) throws -> Void
    ) throws {
        try withServer { server in
            let jail = "\(server.directory)/jail"
            for name in ["srv/app", "home", "etc"] {
                try FileManager.default.createDirectory(atPath: "\(jail)/\(name)", withIntermediateDirectories: true)
            }
            try server.write("inside\n", to: "\(jail)/etc/passwd")
            for name in ["attacker", "plain"] {
                try server.copy(CFixture.path(name), to: "\(jail)/srv/app/\(name).so")
                try server.write("bundle = \(name).so\n", to: "\(jail)/srv/app/\(name).wsgi")
            }
            try CFixture.compile(
                CFixture.answering(
                    "fields(host, exchange)",
                    before: """
                        static char text[4096];
                        static const char *fields(const swsgi_host *host, swsgi_exchange *exchange) {
                            swsgi_text file = {0}, root = {0};
                            host->environ_get(exchange, "SCRIPT_FILENAME", 15, &file);
                            host->environ_get(exchange, "DOCUMENT_ROOT", 13, &root);
                            char *end = mempcpy(text, file.bytes, file.length);
                            *end++ = ' ';
                            end = mempcpy(end, root.bytes, root.length);
                            *end++ = ' ', *end = 0;
                            return getcwd(end, 1000) ? text : 0;
                        }
                        """
                ),
                to: "\(jail)/srv/app/fields.so",
                ["-D_GNU_SOURCE"]
            )
            try server.start(
                """
                WSGIDaemonProcess one user=\(user.name) group=\(user.name) threads=1 chroot=\(jail)/ \(options)
                WSGIScriptAlias /plain \(jail)/srv/app/plain.wsgi process-group=one application-group=%{GLOBAL}
                WSGIScriptAlias /fields \(jail)/srv/app/fields.so process-group=one application-group=%{GLOBAL}
                WSGIScriptAlias /attacker \(jail)/srv/app/attacker.wsgi process-group=one application-group=%{GLOBAL}
                <Directory \(jail)>
                    Require all granted
                </Directory>
                \(try lines(server))
                """
            )
            try body(server, jail)
        }
    }

    private func attempt(_ server: TestServer, _ commands: String) throws -> String {
        try server.get("/attacker", headers: ["X-Do: \(commands)"]).text
    }

    private func expectFiveDescriptors(_ process: ProcessFacts) throws {
        try eventually("its five descriptors") { process.descriptors.keys.sorted() == [0, 1, 2, 3, 4] }
    }

    /// S5 and F38.
    @Test func f38_whatIsOutside_isNotReachable() throws {
        try withJail { server, jail in
            #expect(try server.get("/plain").text == "Hello from C!\n")
            let daemon = try #require(server.daemons.first)
            #expect(ProcessTable.link("/proc/\(daemon.pid)/root") == jail)
            #expect(daemon.workingDirectory == jail)
            #expect(
                try attempt(
                    server,
                    "open:/etc/passwd open:../../etc/passwd open:../../../../../../etc/shadow open:/proc/1/root/etc/shadow"
                ) == "open done\nopen done\nopen ENOENT\nopen ENOENT\n"
            )
            #expect(try attempt(server, "list:\(server.directory)") == "list ENOENT\n")
            #expect(try attempt(server, "enter:") == "enter 0\n")
            #expect(try attempt(server, "chroot:") == "chroot EPERM passwd done shadow ENOENT\n")
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(daemon.status[set] == "0000000000000000", "\(set)")
            }
            #expect(daemon.userIDs == Array(repeating: user.uid, count: 4))
            try expectFiveDescriptors(daemon)
        }
    }

    @Test func paths_areThoseOfTheInside() throws {
        try withJail("home=/home") { server, jail in
            #expect(try server.get("/fields").text == "/srv/app/fields.so \(server.directory)/htdocs /home")
            let names = try FileManager.default.contentsOfDirectory(atPath: jail)
            let snapshots = try #require(names.first { $0.hasPrefix("swsgi-") })
            #expect(server.daemons.first?.mappedFiles.contains { $0.contains("\(jail)/\(snapshots)/") } == true)
        }
    }

    @Test func reload_works_andNothingIsLeft() throws {
        var place = ""
        try withJail { server, jail in
            place = jail
            #expect(try server.get("/plain").text == "Hello from C!\n")
            let before = try #require(server.daemons.first?.pid)
            try CFixture.compile(CFixture.answering("\"new\""), to: "\(jail)/srv/app/plain.so")
            server.touch("\(jail)/srv/app/plain.wsgi")
            try eventually("the new code") { try server.get("/plain").text == "new" }
            try eventually("one process") { server.daemons.count == 1 && server.daemons[0].pid != before }
            try server.stop()
            try eventually("no snapshots") {
                try !FileManager.default.contentsOfDirectory(atPath: jail).contains { $0.hasPrefix("swsgi-") }
            }
        }
        #expect(!place.isEmpty)
    }

    @Test func entryFileOutside_isRefused_andWarnedOf() throws {
        try withJail(
            lines: { server in
                let outside = try server.deploy(bundle: CFixture.path("plain"), as: "outside")
                return """
                    WSGIScriptAlias /outside \(outside) process-group=one application-group=%{GLOBAL}
                    <Directory \(server.www)>
                        Require all granted
                    </Directory>
                    """
            }
        ) { server, _ in
            server.announce("SWSGI1123", "SWSGI6011")
            try server.logs.waitForLine("SWSGI1123", "\(server.www)/outside/outside.wsgi", "'one'")
            #expect(try server.get("/outside").status == 500)
            try server.logs.waitForLine("SWSGI6011", "\(server.www)/outside/outside.wsgi", "'one'")
            #expect(try server.get("/plain").status == 200)
        }
    }

    /// A crash is explained as far as it can be: the backtrace program is not in there.
    @Test func crash_isAnsweredAndNamed() throws {
        try withJail { server, _ in
            server.announceCrashes()
            #expect(try server.get("/attacker", headers: ["X-Do: crash:"]).status == 502)
            try server.logs.waitForLine("SWSGI3001", "SIGSEGV")
            #expect(try server.get("/plain").status == 200)
        }
    }

    @Test func directoryThatOthersCanExchange_isRefused() throws {
        try withServer { server in
            let jail = "\(server.directory)/jail"
            try FileManager.default.createDirectory(atPath: jail, withIntermediateDirectories: true)
            func check(_ path: String) throws -> Finished {
                try server.configure("WSGIDaemonProcess one user=\(user.name) chroot=\(path)")
                return try server.signal("configtest")
            }
            #expect(try check(jail).status == 0)
            symlink(jail, "\(server.directory)/link")
            #expect(try check("\(server.directory)/link").errors.contains("SWSGI6012"))
            chown(jail, uid_t(user.uid), gid_t(user.gid))
            #expect(try check(jail).errors.contains("SWSGI6012"))
            chown(jail, 0, 0)
            chmod(jail, 0o777)
            #expect(try check(jail).errors.contains("SWSGI6012"))
            #expect(try check("\(server.directory)/httpd.conf").errors.contains("SWSGI1011"))
        }
    }
}
