import Foundation
import Glibc
import Testing

/// Standard streams, error logs that take nothing, and signal handlers of applications.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct OutputTests {
    private func withTrouble(_ settings: String = "", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.settings = "LogLevel info\n" + settings
            try server.start(server.application(try server.deploy(.trouble, as: "app")))
            try body(server)
        }
    }

    // MARK: WSGIRestrictStdin, WSGIRestrictStdout

    @Test func standardInput_isEmpty() throws {
        try withTrouble { server in
            let answer = try server.get("/fd-read?fd=0")
            #expect(answer.text == "0\n")
        }
    }

    @Test func restrictedInput_canNotBeRead() throws {
        try withTrouble("WSGIRestrictStdin On\n") { server in
            let answer = try server.get("/fd-read?fd=0")
            #expect(answer.text == "Bad file descriptor\n")
        }
    }

    @Test func restrictedOutput_A57_isDropped_toldOnce_andAnErrorFromThenOn() throws {
        try withTrouble("WSGIRestrictStdout On\n") { server in
            server.announce("SWSGI3121", "stderr line")
            #expect(try server.get("/stdout").status == 200)
            let line = try server.logs.waitForLine("SWSGI3121", "standard output", "WSGIRestrictStdout")
            #expect(server.daemons.contains { line.text.contains("process \($0.pid) ") }, "\(line)")
            try eventually("writing fails") { try server.get("/fd-write?fd=1").text == "Broken pipe\n" }
            #expect(try server.get("/stderr").status == 200)
            try server.logs.waitForLine("stderr line two")
            #expect(server.logs.lines(containing: "SWSGI3121").count == 1)
            #expect(server.logs.lines(containing: "stdout line").isEmpty)
        }
    }

    // MARK: What LogLevel hides

    @Test func outputThatLogLevelHides_isToldOnceByEachProcess() throws {
        try withTrouble("LogLevel warn\n") { server in
            server.announce("SWSGI3123", "stderr line")
            for _ in 0..<3 { #expect(try server.get("/stdout").status == 200) }
            let process = try server.daemon().pid
            try server.logs.waitForLine(
                "SWSGI3123",
                "group 'one'",
                "process \(process)",
                "level info",
                "stdout line one"
            )
            // What comes behind it on the same way shows that nothing more came before.
            #expect(try server.get("/stderr").status == 200)
            try server.logs.waitForLine("stderr line two")
            #expect(server.logs.lines(containing: "SWSGI3123").count == 1)
            #expect(server.logs.lines(containing: "stdout line two").isEmpty)
        }
    }

    @Test func outputThatLogLevelShows_needsNoRemark() throws {
        try withTrouble("LogLevel warn wsgi:info\n") { server in
            #expect(try server.get("/stdout").status == 200)
            try server.logs.waitForLine("stdout line two")
            #expect(server.logs.lines(containing: "SWSGI3123").isEmpty)
        }
    }

    // MARK: WSGIRestrictSignal

    @Test func handlerOfTheApplication_forASignalOfTheHost_isRemovedAndToldOnce() throws {
        try withTrouble { server in
            server.announce("SWSGI3122")
            let process = try server.daemon()
            for _ in 0..<2 {
                #expect(try server.get("/handle?signal=\(SIGTERM)").status == 200)
                try eventually("the host's handler again") {
                    try server.get("/handler?signal=\(SIGTERM)").text == "handled\n"
                }
            }
            #expect(server.logs.lines(containing: "SWSGI3122").count == 1)
            try server.logs.waitForLine("SWSGI3122", "SIGTERM")
            kill(process.pid, SIGTERM)
            try eventually("the process replaced") { !ProcessTable.isAlive(process.pid) }
            #expect(try server.get("/ok").status == 200)
        }
    }

    @Test func handlerInstalledWhileLoading_isGoneBeforeTheFirstRequest() throws {
        try withServer { server in
            server.announce("SWSGI3122")
            let bundle = try CFixture.path("handler")
            let entry = try server.deploy(bundle: bundle, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "SIGSEGV is the host's\n")
            try server.logs.waitForLine("SWSGI3122", "SIGSEGV")
        }
    }

    @Test func unrestrictedSignals_areTheApplications() throws {
        try withServer { server in
            server.settings = "WSGIRestrictSignal Off\n"
            let entry = try server.deploy(bundle: CFixture.path("handler"), as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").text == "SIGSEGV is the application's\n")
        }
    }

    @Test(arguments: ["WSGIRestrictStdin", "WSGIRestrictStdout", "WSGIRestrictSignal"])
    func restriction_isOfTheWholeServer_andOnOrOff(directive: String) throws {
        try withServer { server in
            try server.configure("<VirtualHost *>\n\(directive) On\n</VirtualHost>")
            #expect(try server.signal("configtest").errors.contains("\(directive) cannot occur within <VirtualHost>"))
            try server.configure("\(directive) Maybe")
            #expect(try server.signal("configtest").errors.contains("\(directive) must be On or Off"))
        }
    }

    @Test func section_restrictsTheProcessGroupThatItNames() throws {
        try withServer { server in
            server.announce("SWSGI1186")
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                """
                WSGIRestrictStdin On
                <WSGIInterpreterOptions>
                    WSGIRestrictStdin Off
                    WSGISwitchInterval 0.01
                </WSGIInterpreterOptions>
                <VirtualHost *>
                    ServerName localhost
                    <WSGIInterpreterOptions process-group="two">
                        WSGIRestrictStdin On
                    </WSGIInterpreterOptions>
                    <WSGIInterpreterOptions process-group=one application-group=%{GLOBAL}>
                        WSGIRestrictStdin On
                    </WSGIInterpreterOptions>
                </VirtualHost>

                """ + server.application(entry, at: "/one")
                    + server.application(entry, at: "/two", group: "two").replacingOccurrences(
                        of: "WSGIProcessGroup two",
                        with: "<If \"%{REQUEST_URI} =~ m#^/two#\">\nWSGIProcessGroup two\n</If>\nWSGIProcessGroup one"
                    )
            )
            #expect(try server.get("/one/fd-read?fd=0").text == "0\n")
            #expect(try server.get("/two/fd-read?fd=0").text == "Bad file descriptor\n")
            try server.logs.waitForLine("SWSGI1022", "WSGISwitchInterval")
            try server.logs.waitForLine("SWSGI1186", "WSGIRestrictStdin", "application group")
        }
    }

    // MARK: Logs that take nothing

    /// A server whose error log goes to a program that copies it to a file, and the process id of that program.
    private func withPipedLog(_ body: (TestServer, _ logger: Int32) throws -> Void) throws {
        try withServer { server in
            let program = try server.write(
                "#!/bin/sh\necho $$ >> \(server.directory)/logger.pids\nexec cat >> \(server.directory)/logs/error.log\n",
                to: "logger",
                mode: 0o755
            )
            server.settings = "ErrorLog \"|\(program)\"\nLogLevel info\n"
            try server.start(server.application(try server.deploy(.trouble, as: "app"), options: "threads=4"))
            // httpd starts one for each of the two times that it reads its configuration, and the first ends again: whichever
            // comes to write its number first.
            let logger = try eventually("the logger of httpd's parent") {
                let numbers = ProcessTable.text("\(server.directory)/logger.pids").split(separator: "\n")
                return numbers.compactMap { Int32($0) }.first { ProcessFacts(pid: $0)?.parent == server.parentPID }
            }
            try body(server, logger)
        }
    }

    /// How many lines say that lines are missing there, and how many are missing in all.
    private func missing(_ server: TestServer) -> Int {
        server.logs.lines(containing: "SWSGI3120").compactMap { line in
            line.text.components(separatedBy: "SWSGI3120: ").last?.split(separator: " ").first.flatMap { Int($0) }
        }.reduce(0, +)
    }

    @Test(arguments: ["standard error", "error stream"])
    func stalledLog_F86_blocksNoApplicationForEver_andSaysWhatIsMissing(stream: String) throws {
        try withPipedLog { server, logger in
            server.announce("SWSGI3120", "flood ", "SWSGI3001")
            kill(logger, SIGSTOP)
            defer { kill(logger, SIGCONT) }
            // Far more than the pipe and what is kept of it.
            let descriptor = stream == "standard error" ? 2 : -1
            let lines = 4000
            #expect(try server.get("/flood?fd=\(descriptor)&lines=\(lines)&fill=500").text == "done\n")
            #expect(try server.get("/ok").status == 200)
            // Its processes are still looked after.
            let process = try server.daemon()
            kill(process.pid, SIGKILL)
            try eventually("a process in its place") { server.daemons.contains { $0.pid != process.pid } }
            #expect(try server.get("/ok").status == 200)
            kill(logger, SIGCONT)
            if stream == "error stream" {
                // The next line of the application's tells what did not get through.
                try eventually("missing lines told") {
                    _ = try server.get("/flood?fd=-1&lines=1&fill=1")
                    return missing(server) > 0
                }
            }
            try eventually("every line is there, or counted", within: 30) {
                server.logs.lines(containing: "flood ", "xxxx").count + missing(server) >= lines
            }
            #expect(missing(server) > 0)
        }
    }

    @Test func fullDisk_F85_stopsNobody() throws {
        try withServer { server in
            server.settings = "ErrorLog /dev/full\n"
            try server.start(server.application(try server.deploy(.trouble, as: "app"), options: "threads=4"))
            #expect(try server.get("/flood?fd=2&lines=4000&fill=500").text == "done\n")
            #expect(try server.get("/flood?fd=-1&lines=100&fill=500").text == "done\n")
            let process = try server.daemon()
            kill(process.pid, SIGKILL)
            try eventually("a process in its place") { server.daemons.contains { $0.pid != process.pid } }
            #expect(try server.get("/ok").status == 200)
        }
    }

    @Test func noisyProcess_F28_delaysNobodyElse() throws {
        try withServer { server in
            server.announce("stderr line")
            let noisy = try server.deploy(.trouble, as: "noisy")
            let quiet = try server.deploy(.trouble, as: "quiet")
            try server.start(
                """
                <VirtualHost 127.0.0.1:\(server.port)>
                ServerName noisy.example
                ErrorLog /dev/null
                \(server.application(noisy, group: "noisy"))
                </VirtualHost>
                <VirtualHost 127.0.0.1:\(server.port)>
                ServerName quiet.example
                \(server.application(quiet, group: "quiet"))
                </VirtualHost>
                """
            )
            let flood = try HTTPConnection(port: server.port)
            try flood.send("GET /flood?fd=2&lines=20000&fill=7000 HTTP/1.1\r\nHost: noisy.example\r\n\r\n")
            for _ in 0..<5 {
                let connection = try HTTPConnection(port: server.port)
                try connection.send("GET /stderr HTTP/1.1\r\nHost: quiet.example\r\n\r\n")
                #expect(try connection.response().status == 200)
            }
            try server.logs.waitForLines(5, "stderr line two")
            #expect(try flood.response().status == 200)
        }
    }
}
