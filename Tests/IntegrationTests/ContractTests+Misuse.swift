import Foundation
import Testing

// What is kept too long, shared, read strangely, or left behind.
extension ContractTests {
    func A10_writeAfterTheEnd_isAnError(_ server: TestServer) throws {
        #expect(try server.get("/keep?first").text == "first\n")
        try A11_keptRequest_neverSeesAnother(server)
        try server.logs.waitForLine("startResponse() called after request completed")
        try server.logs.waitForLine("a line of a request that is over")
    }

    private func A11_keptRequest_neverSeesAnother(_ server: TestServer) throws {
        let late = try server.get("/use-kept?second").text.split(separator: "\n").map(String.init)
        #expect(late.prefix(2) == ["environ: none 0", "cancelled: true"])
        #expect(late.dropFirst(2).first == "write: write() called after request completed")
        try A52_readAfterTheEnd_isAnError(late)
    }

    private func A52_readAfterTheEnd_isAnError(_ late: [String]) throws {
        #expect(late.dropFirst(3) == ["read: read() called on request body after request completed"])
    }

    func A12_secondWriter_isRefused(_ server: TestServer) throws {
        let text = try server.get("/two-writers").text
        let rest = text.replacingOccurrences(of: "owner...", with: "").replacingOccurrences(of: "intruder", with: "")
        #expect(rest == "end of the body")
        for _ in 0..<20 { #expect(try server.get("/ok").text == "ok\n") }
    }

    func A54_secondReader_isRefused(_ server: TestServer) throws {
        let connection = try HTTPConnection(port: server.port)
        try connection.sendHead("POST", "/two-readers", ["Content-Length: 5000"])
        try server.logs.waitForLine("a second reader was refused")
        try connection.send([UInt8](repeating: 7, count: 5000))
        #expect(try connection.response().text == "complete\n")
    }

    func A50_readsPastTheEnd_giveNothing(_ server: TestServer) throws {
        #expect(try server.request("POST", "/read-past-end", body: Array("0123456789".utf8)).text == "10 and 0\n")
        #expect(try server.get("/read-past-end").text == "0 and 0\n")
    }

    func A51_strangeReadCounts_areBounded(_ server: TestServer) throws {
        let body = Array("0123456789".utf8)
        #expect(try server.request("POST", "/read-strangely", body: body).text == "[0, 0, 0] and 10\n")
        let lines = try server.request("POST", "/read-lines", body: Array("one\ntwo".utf8))
        #expect(lines.text == #"["one\n", "two"]"# + "\n")
        // A body that is announced and never comes is given no memory before.
        let connection = try HTTPConnection(port: server.port)
        try connection.sendHead("POST", "/read-strangely", ["Content-Length: 9223372036854775807"])
        connection.finishSending()
        #expect(try connection.response().status == 400)
    }

    func A53_bodyThatNobodyReads_doesNotHoldTheAnswer(_ server: TestServer) throws {
        let connection = try HTTPConnection(port: server.port)
        try connection.sendHead("POST", "/ok", ["Content-Length: \(10 << 30)"])
        try connection.send([UInt8](repeating: 0, count: 1 << 16))
        let response = try connection.response()
        #expect(response.status == 200)
        #expect(response.text == "ok\n")
        connection.reset()
    }

    func A56_logText_isEscapedAndCut(_ server: TestServer, isEmbedded: Bool) throws {
        #expect(try server.get("/log-bytes").status == 200)
        try server.logs.waitForLine(#"escaped: \x1b[31m \x07 "quoted" end"#)
        try server.logs.waitForLine("second line")
        let long = try server.logs.waitForLine("long: xxx")
        #expect(long.text.contains("x... (\(1 << 20 + 6 - 7168) more bytes are cut off)"), "\(long.text.suffix(100))")
        let control = try server.logs.waitForLine("control: ")
        #expect(control.text.contains("more bytes are cut off)"), "\(control.text.suffix(100))")
        #expect(!control.text.utf8.contains(1))
        // Without a pipe in between, standard error is not escaped.
        guard !isEmbedded else { return }
        server.announce("stderr ", "yyyy")
        // It has no requests: its long lines are continued, nothing is lost.
        #expect(try server.get("/stderr-bytes").status == 200)
        try server.logs.waitForLine(#"stderr \x1b[31m \x07 end"#)
        let pieces = try server.logs.waitForLines(3, "yyyy")
        #expect(pieces.map { $0.text.filter { $0 == "y" }.count } == [8192, 8192, 3616])
    }

    func A58_changedEnvironment_doesNotReachTheEnviron(_ server: TestServer) throws {
        #expect(try server.get("/setenv").status == 200)
        #expect(try server.get("/getenv").text == "none none /getenv\n")
    }

    func A59_umask_isTheApplications(_ server: TestServer) throws {
        let directory = "\(server.directory)/made"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        chmod(directory, 0o1777)
        #expect(try server.get("/umask?\(directory)/file").status == 200)
        func mode(_ name: String) -> mode_t {
            var facts = stat()
            return stat("\(directory)/\(name)", &facts) == 0 ? facts.st_mode & 0o777 : 0
        }
        #expect(mode("file.masked") != 0 && mode("file.masked") & 0o022 == 0)
        #expect(mode("file.open") == 0o666)
    }

    /// What the SDK prevents, done by a bundle in C.
    @Test func contractBrokenInC_harmsNobody() throws {
        try withServer { server in
            server.announce("SWSGI4064", "SWSGI4048")
            server.settings = "LogLevel info wsgi:debug\n"
            let entry = try server.deploy(bundle: CFixture.path("contract"), as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=2"))
            let process = try server.get("/").text
            #expect(process == "again: -5\n")
            let pids = server.daemons.map(\.pid)
            try headsInC_areRefused(server)
            try liesInC_areRefused(server)
            try staleExchangeInC_reachesNothing(server)
            try sharedExchangeInC_reachesNoOtherResponse(server)
            #expect(server.daemons.map(\.pid) == pids)
        }
    }

    private func headsInC_areRefused(_ server: TestServer) throws {
        var lines = try server.get("/heads").text.split(separator: "\n").map(String.init)
        #expect(lines.popLast() == "again: -5")
        let results = Dictionary(grouping: lines) { String($0.prefix { $0 != " " }) }
        for (kind, count, result) in [
            ("status", 10, "-2"), ("reason", 7, "-2"), ("name", 9, "-3"), ("value", 5, "-4"), ("length", 8, "-10"),
            ("lengths", 2, "-10"),
        ] {
            #expect(results[kind]?.count == count, "\(kind)")
            for line in results[kind] ?? [] { #expect(line.hasSuffix(": \(result)"), "\(line)") }
        }
    }

    private func liesInC_areRefused(_ server: TestServer) throws {
        let lines = try server.get("/lies").text.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "headers 1000000: -8", "headers -1: -8", "name -1: -8", "value max: -8", "environ -1: 0", "read -1: 0",
                "write before start: -6", "again: -5",
            ]
        )
    }

    private func staleExchangeInC_reachesNothing(_ server: TestServer) throws {
        let refused = [
            "environ: 0 0 0", "read: -13", "start: -13", "write: -13", "flush: -13", "cancelled: 1", "again: -5",
        ]
        #expect(try server.get("/keep").status == 200)
        for target in ["/stale", "/forged"] {
            let response = try server.get(target)
            #expect(response.reason == "OK")
            #expect(response.text.split(separator: "\n").map(String.init) == refused)
        }
        try server.logs.waitForLines(2, "a line of an exchange that is over")
    }

    private func sharedExchangeInC_reachesNoOtherResponse(_ server: TestServer) throws {
        let text = try server.get("/shared").text
        #expect(text.components(separatedBy: "owner...").joined().components(separatedBy: "intruder").joined().isEmpty)
        // The thread goes on with the pointer that it has.
        for _ in 0..<200 { #expect(try server.get("/").text == "again: -5\n") }
        #expect(try server.get("/stop").text == "refused: some, wrong: 0\nagain: -5\n")
        #expect(server.logs.lines(containing: "SWSGI50").isEmpty)
    }
}
