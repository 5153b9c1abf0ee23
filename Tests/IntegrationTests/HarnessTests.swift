import Testing

/// The harness itself, against an Apache without mod_swsgi.
@Suite(.enabled(if: Machine.hasApache, "needs root, apache2 and curl"))
struct HarnessTests {
    @Test func server_startsServesAndLeavesNothing() throws {
        try withServer { server in
            server.loadsModule = false
            try server.start("")
            let response = try server.get("/static.txt")
            #expect(response.status == 200)
            #expect(response.text == "static\n")
            #expect(try server.curl(server.url("/static.txt")).output == "static\n")
            try server.graceful()
            #expect(try server.get("/missing").status == 404)
            try eventually("two children") { server.children.count >= 2 }
        }
    }

    @Test func load_countsEveryResponse() throws {
        try withServer { server in
            server.loadsModule = false
            try server.start("")
            let load = LoadGenerator(
                port: server.port,
                connections: 16,
                requests: 20_000,
                targets: ["/static.txt"]
            )
            let report = try load.wait()
            #expect(report.statuses == [200: 20_000])
            #expect(report.bodies == ["static\n": 20_000])
            #expect(report.failures.isEmpty)
            #expect(report.idleCloses == 0)
        }
    }

    @Test(arguments: ["event", "worker", "prefork"])
    func gracefulRestart_ofAStaticServer_losesNoRequest(multiProcessing: String) throws {
        try withServer { server in
            server.loadsModule = false
            server.multiProcessing = multiProcessing
            try server.start("")
            let load = LoadGenerator(port: server.port, connections: 8, targets: ["/static.txt"])
            for _ in 0..<3 { try server.graceful() }
            let report = try load.finish()
            #expect(report.failures.isEmpty, "\(report)")
            #expect(report.total > 0)
        }
    }

    @Test func logLine_isReadInItsParts() {
        let line = LogLine(
            file: "error.log",
            text: "[Fri Nov 20 21:32:14.043763 2026] [wsgi:error] [pid 15:tid 15] [client 127.0.0.1:1] SWSGI4022: x"
        )
        #expect(line.module == "wsgi")
        #expect(line.level == "error")
        #expect(line.code == "SWSGI4022")
        #expect(line.isAlarming)
        #expect(LogLine(file: "error.log", text: "Fatal error: what").isAlarming)
        #expect(
            LogLine.codes(in: "x SWSGI3003: why: SWSGI3061: y, SWSGI_A, SWSGI1, SWSGI4022") == [
                "SWSGI3003", "SWSGI3061",
            ]
        )
    }
}
