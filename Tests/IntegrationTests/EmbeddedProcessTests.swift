import Foundation
import Testing

/// What an application does to the process that it shares with httpd.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct EmbeddedProcessTests {
    @Test(arguments: ["event", "prefork"]) func exit_endsOneChild_andIsExplained(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.announce("SWSGI4125")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.embedded(entry))
            let children = try server.startedChildren()
            #expect(throws: (any Error).self) { try server.get("/exit?a=b") }
            let line = try server.logs.waitForLine("SWSGI4125", "exit()", "GET /exit?a=b", entry)
            let pid = try #require(line.firstNumber(after: "child ").flatMap { Int32(exactly: $0) })
            #expect(children.contains(pid))
            #expect(try server.get("/ok").text == "ok\n")
            // The end of httpd's children at the server's own end is no exit() of an application.
            try server.stop()
            #expect(server.logs.lines(containing: "SWSGI4125").count == 1)
        }
    }

    @Test func fatalSignals_namesTheirRequests() throws {
        try withServer { server in
            server.announce("AH00051", "AH00052", "SWSGI4110")
            server.announcesRawLines = true
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.embedded(entry))
            for (path, name) in [("/abort", "SIGABRT"), ("/segv", "SIGSEGV")] {
                #expect(throws: (any Error).self) { try server.get(path) }
                try server.logs.waitForLine("SWSGI4110", name, "GET \(path)", entry, within: 30)
                try eventually("an answer") { (try? server.get("/ok").text) == "ok\n" }
            }
        }
    }

    @Test(arguments: [
        ("exit(7)", "WIFEXITED(status) && WEXITSTATUS(status) == 7"),
        ("abort()", "WIFSIGNALED(status) && WTERMSIG(status) == 6"),
        ("*(volatile int *)16 = 1", "WIFSIGNALED(status) && WTERMSIG(status) == 11"),
    ])
    func endOfAForkedProcess_isNoneOfHttpdsChild(end: String, isSo: String) throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            let fork = """
                #include <sys/wait.h>
                static const char *fork_one(void) {
                    int status = -1;
                    pid_t pid = fork();
                    if (!pid) \(end);
                    waitpid(pid, &status, 0);
                    return \(isSo) ? "so" : "other";
                }
                """
            try server.write("", to: "www/app/x")
            try CFixture.compile(CFixture.answering("fork_one()", before: fork), to: "\(server.www)/app/app.so")
            try server.start(server.embedded(try server.writeEntry("app", ["bundle = app.so"])))
            let child = server.children.map(\.pid)
            #expect(try server.get("/").text == "so")
            #expect(server.children.map(\.pid) == child)
            #expect(server.logs.lines(containing: "SWSGI41").isEmpty)
        }
    }

    /// Bundles that change the mask and the environment for good, and that tell both.
    private static let changes = CFixture.answering(
        "change()",
        before: """
            #include <sys/stat.h>
            static const char *change(void) { umask(0); setenv("SWSGI_LEFT", "left", 1); return "changed"; }
            """
    )
    private static let tells = CFixture.answering(
        "tell()",
        before: """
            #include <stdio.h>
            #include <sys/stat.h>
            static const char *tell(void) {
                static char text[100];
                mode_t mask = umask(0);
                const char *left = getenv("SWSGI_LEFT");
                umask(mask);
                snprintf(text, sizeof text, "%03o %s", (unsigned)mask, left ? left : "nothing");
                return text;
            }
            """
    )

    @Test func maskAndEnvironment_areSharedInAChild_andNotBetweenGroups() throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            server.umask = "027"
            try server.write("", to: "www/app/x")
            var lines = "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
            for (name, source) in [("changes", Self.changes), ("tells", Self.tells)] {
                let bundle = "\(server.www)/app/\(name).so"
                try CFixture.compile(source, to: bundle)
                chmod(bundle, 0o755)
                lines += "WSGIDaemonProcess \(name) user=\(TestUser.first.name) group=\(TestUser.first.name)\n"
                lines += "WSGIScriptAlias /daemon/\(name) \(bundle) process-group=\(name)\n"
                lines += "WSGIScriptAlias /embedded/\(name) \(bundle) process-group=%{GLOBAL}\n"
            }
            chmod(server.www, 0o755)
            try server.start(lines)
            for place in ["daemon", "embedded"] {
                #expect(try server.get("/\(place)/tells").text.hasSuffix(" nothing"))
                #expect(try server.get("/\(place)/changes").text == "changed")
            }
            #expect(try server.get("/daemon/tells").text.hasSuffix(" nothing"))
            #expect(try server.get("/daemon/tells").text.hasPrefix("000") == false)
            #expect(try server.get("/embedded/tells").text == "000 left")
            // What httpd starts anew has its own again.
            try server.graceful()
            try eventually("a new child") { try server.get("/embedded/tells").text == "027 nothing" }
        }
    }
}
