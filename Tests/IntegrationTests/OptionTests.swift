import Foundation
import Testing

/// Options of WSGIDaemonProcess that limit a request's way to the application and back.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct OptionTests {
    /// A6, and A60: what an application does after its time has no effect on anybody's response.
    @Test func silentProcessAndSilentClient_areGivenUp_afterTheGroupsTimes() throws {
        try withServer { server in
            server.announce("SWSGI4021")
            let trouble = try server.deploy(.trouble, as: "trouble")
            let echo = try server.deploy(.echo, as: "echo")
            try server.start(
                server.application(echo, at: "/echo", group: "echo", options: "response-socket-timeout=500ms")
                    + server.application(trouble, options: "threads=4 socket-timeout=2s")
            )
            #expect(try server.get("/ok").text == "ok\n")
            let hold = server.hold()
            #expect(try server.get(hold.target).status == 504)
            try server.logs.waitForLine("SWSGI4021", "no answer within 2s", "GET /hold")
            hold.release()
            // The late one answers while these are served by the same process, and on the same connections of httpd's children.
            repeat { #expect(try server.get("/ok").text == "ok\n") } while server.daemons.contains { $0.exchanges > 0 }
            for _ in 0..<10 { #expect(try server.get("/ok").text == "ok\n") }

            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("GET", "/echo/generate?bytes=\(1 << 40)")
            #expect(try connection.readHead().status == 200)
            try server.logs.waitForLine("SWSGI4060", "for 500ms", "GET /echo/generate")
            #expect(try server.get("/echo/count").status == 200)
        }
    }

    @Test func slowGroup_holdsNoMoreThanItsCapacity_andOthersServeOn() throws {
        try withServer { server in
            server.announce("SWSGI4061")
            let slow = try server.deploy(.trouble, as: "slow")
            let quick = try server.deploy(.versionA, as: "quick")
            try server.start(
                server.application(quick, at: "/quick", group: "quick")
                    + server.application(slow, options: "threads=1 listen-backlog=2")
            )
            let hold = server.hold()
            let running = (0..<6).map { _ in Background { try server.get(hold.target).status } }
            try eventually("three that are refused") { running.count { $0.hasEnded } == 3 }
            try server.logs.waitForLine("SWSGI4061", "'one' has 3 requests", "GET /hold")
            let refused = try server.get("/ok")
            #expect(refused.status == 503)
            #expect(refused["Retry-After"] == "1")
            for _ in 0..<5 { #expect(try server.get("/ok").status == 503) }
            #expect(try server.get("/quick").status == 200)
            hold.release()
            #expect(try running.map { try $0.value() }.sorted() == [200, 200, 200, 503, 503, 503])
            for _ in 0..<10 { #expect(try server.get("/ok").text == "ok\n") }
            #expect(server.logs.lines(containing: "SWSGI4061").count <= 2)
        }
    }

    /// The application appends a line for each request that it runs.
    @Test func requestAnsweredInTheQueue_isNeverRun() throws {
        try withServer { server in
            server.announce("SWSGI4062", "SWSGI4021")
            let log = "\(server.directory)/www/counted/ran"
            let counted = try server.deploy(.trouble, as: "counted")
            let patient = try server.deploy(.trouble, as: "patient")
            chmod("\(server.directory)/www/counted", 0o1777)
            chmod("\(server.directory)/www/patient", 0o1777)
            try server.start(
                server.application(patient, at: "/patient", group: "patient", options: "threads=1 socket-timeout=2s")
                    + server.application(counted, options: "threads=1 queue-timeout=2s")
                    + "WSGISlowRequests 0.2\n"
            )
            #expect(try server.get("/count?file=\(log)&name=first").status == 200)
            let hold = server.hold()
            let running = Background { try server.get(hold.target).status }
            try eventually("a busy process") { server.daemons.contains { $0.exchanges == 1 } }
            let waiting = (0..<5).map { n in Background { try server.get("/count?file=\(log)&name=late\(n)").status } }
            for request in waiting { #expect(try request.value() == 504) }
            hold.release()
            #expect(try running.value() == 200)
            #expect(try server.get("/count?file=\(log)&name=last").status == 200)
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "first\nlast\n")
            try server.logs.waitForLine("SWSGI4062", "within 2s", "late4")
            try server.logs.waitForLine(
                "SWSGI4066",
                "GET /hold",
                "status 200",
                "s in the queue",
                "s in the application"
            )
            try server.logs.waitForLine("SWSGI4066", "late4", "status 504", "never taken from the queue")

            // Without queue-timeout too: whoever has been answered after a wait is not served any more.
            let patientLog = "\(server.directory)/www/patient/ran"
            let other = server.hold("other")
            let busy = Background { try server.get("/patient\(other.target)").status }
            try eventually("a busy process") { server.daemons.contains { $0.exchanges == 1 } }
            #expect(try server.get("/patient/count?file=\(patientLog)&name=late").status == 504)
            #expect(try busy.value() == 504)
            other.release()
            try eventually("room") { try server.get("/patient/ok").status == 200 }
            #expect(try server.get("/patient/count?file=\(patientLog)&name=last").status == 200)
            #expect(try String(contentsOfFile: patientLog, encoding: .utf8) == "last\n")
        }
    }

    @Test func requestOverTheLimit_waitsForRoom_withConnectTimeout() throws {
        try withServer { server in
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                server.application(entry, options: "threads=1 listen-backlog=0 connect-timeout=20")
            )
            let running = (0..<4).map { _ in Background { try server.get("/sleep?ms=100").status } }
            for request in running { #expect(try request.value() == 200) }
        }
    }

    /// What deflate has been told to pass on ends in an empty stored block.
    private func flushes(_ server: TestServer, _ path: String) throws -> Int {
        let response = try server.get(path, headers: ["Accept-Encoding: gzip"])
        #expect(response.status == 200 && response["Content-Encoding"] == "gzip")
        return response.body.indices.count { response.body[$0...].starts(with: [0, 0, 0xff, 0xff]) }
    }

    @Test func pausesAndSizes_flushTheFilters_asConfigured() throws {
        try withServer { server in
            server.extraModules = ["filter", "deflate"]
            let groups = [
                ("now", "response-flush-delay=0"), ("late", "response-flush-delay=30s"),
                ("small", "response-flush-delay=30000 response-buffer-size=64K"),
            ]
            let lines = try groups.map { name, options in
                let entry = try server.deploy(bundle: CFixture.path("writes"), as: name)
                return server.application(entry, at: "/\(name)", group: name, options: options)
            }
            try server.start("SetOutputFilter DEFLATE\n" + lines.joined())
            #expect(try flushes(server, "/now/steps") > 0)
            // The one of the end.
            #expect(try flushes(server, "/late/steps") <= 1)
            #expect(try flushes(server, "/small/steps") >= 2)
        }
    }

    /// A25 and A26.
    @Test func smallBuffers_blockNobody_andLongHeadersAreRefused() throws {
        try withServer { server in
            server.announce("SWSGI4063", "SWSGI4064", "SWSGI4023", "the response's headers are too large")
            let trouble = try server.deploy(.trouble, as: "trouble")
            let echo = try server.deploy(.echo, as: "echo")
            let sizes = "threads=2 send-buffer-size=4096 receive-buffer-size=512"
            try server.start(
                server.application(echo, at: "/echo", group: "echo", options: sizes)
                    + server.application(trouble, options: "threads=2 header-buffer-size=16K")
            )
            let body = Data((0..<20 << 20).map { UInt8(truncatingIfNeeded: $0 % 251) })
            let sent = "\(server.directory)/sent"
            let received = "\(server.directory)/received"
            try body.write(to: URL(fileURLWithPath: sent))
            let upload = ["--data-binary", "@\(sent)", "--header", "Expect:", "--output", received]
            let curl = try run(
                Installation.curl,
                ["--silent", "--show-error", "--noproxy", "*"] + upload + [server.url("/echo/echo")],
                within: 60
            )
            #expect(curl.status == 0, "\(curl.errors)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: received)) == body)

            let longest = 16_384 - "X-Big-0: ".utf8.count
            let fitting = try server.get("/headers?bytes=\(longest)")
            #expect(fitting.status == 200)
            #expect(fitting["X-Big-0"]?.utf8.count == longest)
            #expect(try server.get("/headers?bytes=\(longest + 1)").status == 500)
            try server.logs.waitForLine("SWSGI4063", "header 'X-Big-0' is 16385 bytes, limit 16384", "GET /headers")
            #expect(try server.get("/headers?count=1001").status == 500)
            try server.logs.waitForLine("SWSGI4064", "has 1002 headers; at most 1000")
            #expect(try server.get("/headers?count=60&bytes=5000").status == 500)
            #expect(try server.get("/headers?count=900&bytes=100").status == 200)
            #expect(try server.get("/ok").text == "ok\n")
        }
    }

    @Test func processWithNothingToDo_isReplaced_andHealthChecksDoNotCount() throws {
        try withServer { server in
            let busy = try server.deploy(.trouble, as: "busy")
            let idle = try server.deploy(.versionA, as: "idle")
            try server.start(
                server.application(busy, at: "/busy", group: "busy", options: "inactivity-timeout=1")
                    + server.application(idle, group: "idle", options: "inactivity-timeout=1")
                    + "<Location /health>\nWSGIIgnoreActivity On\n</Location>\n"
            )
            #expect(try server.get("/").status == 200)
            let before = Set(server.daemons.map(\.pid))
            #expect(before.count == 2)
            let hold = server.hold()
            let working = Background { try server.get("/busy\(hold.target)").text }
            try eventually("another process") {
                guard try server.get("/health").status == 200 else { return false }
                let now = Set(server.daemons.map(\.pid))
                return now.count == 2 && now != before
            }
            hold.release()
            #expect(try working.value() == "ok\n")
            let asked = server.logs.lines(containing: "asks to be replaced").filter { $0.text.contains("[group idle]") }
            #expect(asked.count == 1)
            #expect(try server.get("/").status == 200)
        }
    }
}
