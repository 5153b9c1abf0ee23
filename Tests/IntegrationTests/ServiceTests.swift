import Foundation
import Testing

/// Services (threads=0), and what WSGIImportScript loads.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct ServiceTests {
    private func service(_ server: TestServer, _ name: String, mode: String, options: String = "") throws -> String {
        let file = notes(server, name)
        let lines = ["environment.SERVICE_MODE = \(mode)", "environment.SERVICE_FILE = \(file)"]
        let entry = try server.deploy(.trouble, as: name, entry: lines)
        // Not beside the entry file: what anybody may write is not loaded.
        try FileManager.default.createDirectory(atPath: "\(server.www)/notes", withIntermediateDirectories: true)
        chmod("\(server.www)/notes", 0o777)
        let user = TestUser.first.name
        return """
            WSGIDaemonProcess \(name) user=\(user) group=\(user) threads=0 \(options)
            WSGIImportScript \(entry) process-group=\(name) application-group=%{GLOBAL}

            """
    }

    private func notes(_ server: TestServer, _ name: String) -> String { "\(server.www)/notes/\(name)" }

    private func lines(_ server: TestServer, _ name: String) -> [String] {
        let text = (try? String(contentsOfFile: notes(server, name), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    @Test func service_runsOnTheMainThread_endsWhenTold_andIsAlone() throws {
        try withServer { server in
            let app = try server.deploy(.versionA, as: "app")
            try server.start(try service(server, "waiting", mode: "wait") + server.application(app))
            try eventually("a beginning") { lines(server, "waiting").count == 1 }
            let first = try #require(
                server.daemons.first { lines(server, "waiting").first?.contains("\($0.pid)") == true }
            )
            #expect(lines(server, "waiting") == ["began \(first.pid) main=true"])
            #expect(first.userIDs == Array(repeating: TestUser.first.uid, count: 4))
            #expect(try server.get("/").status == 200)
            kill(first.pid, SIGTERM)
            try eventually("the next one") { lines(server, "waiting").count == 4 }
            // It begins when the former one has ended, and not before.
            let found = lines(server, "waiting")
            #expect(Array(found[1...2]) == ["stopping \(first.pid) true", "ended \(first.pid)"])
            #expect(found[3].hasPrefix("began ") && found[3] != found[0])
            try server.logs.waitForLine("[group waiting]", "the service of waiting has ended")
            try server.stop()
            // httpd's parent does not wait for it.
            try eventually("its end") { lines(server, "waiting").last?.hasPrefix("ended ") == true }
        }
    }

    @Test func serviceThatEnds_isStartedAgain_withGrowingDelay() throws {
        try withServer { server in
            server.announce(
                "SWSGI3001",
                "SWSGI3004",
                "a service's error",
                "Fatal error",
                "crash",
                "Thread",
                "was running"
            )
            try server.start(
                try service(server, "returning", mode: "return") + service(server, "failing", mode: "fail")
            )
            try eventually("many beginnings") { lines(server, "returning").count { $0.hasPrefix("began") } > 6 }
            try server.logs.waitForLine("SWSGI3004", "'returning'")
            try server.logs.waitForLine("SWSGI3004", "'failing'")
            try server.logs.waitForLine("the service has failed", "a service's error")
            try server.logs.waitForLine("SWSGI3001", "'failing'", "its service gave a failure")
            #expect(server.logs.lines(containing: "SWSGI3001", "'returning'").isEmpty)
        }
    }

    @Test func serviceInC_andOneThatRefuses() throws {
        try withServer { server in
            server.announce("SWSGI2023", "SWSGI3001", "SWSGI3004")
            let bundle = try CFixture.path("service")
            let entries = [
                try server.deploy(bundle: bundle, as: "plain"),
                try server.deploy(bundle: bundle, as: "refusing", entry: ["symbol = refused"]),
            ]
            try server.start(
                zip(["plain", "refusing"], entries).map { name, entry in
                    """
                    WSGIDaemonProcess \(name) threads=0
                    WSGIImportScript \(entry) process-group=\(name) application-group=%{GLOBAL}

                    """
                }.joined()
            )
            try server.logs.waitForLine("[group plain]", "a service in C")
            try server.logs.waitForLine("[group refusing]", "no service today")
            try server.logs.waitForLine("SWSGI2023", "'refused'", "returned no service")
            try server.logs.waitForLine("SWSGI3001", "'refusing'", "could not load")
            try server.stop()
            try server.logs.waitForLine("[group plain]", "told to end")
        }
    }

    @Test func serviceThatDoesNotEnd_isKilled() throws {
        try withServer { server in
            server.announce("SWSGI3009", "SWSGI3103", "AH00045", "AH00046", "AH00047")
            try server.start(
                try service(server, "stubborn", mode: "stubborn", options: "shutdown-timeout=1 deadlock-timeout=3")
            )
            let first = try eventually("a service") { server.daemons.first?.pid }
            try eventually("a beginning") { !lines(server, "stubborn").isEmpty }
            kill(first, SIGTERM)
            try eventually("another one") { server.daemons.first.map { $0.pid != first } ?? false }
            try server.logs.waitForLine("SWSGI3009", "process \(first)")
            // Its other thread answers for it.
            #expect(server.logs.lines(containing: "SWSGI3103").isEmpty)
            let second = try #require(server.daemons.first?.pid)
            try eventually("its beginning") { lines(server, "stubborn").contains { $0.hasPrefix("began \(second) ") } }
            kill(second, SIGSTOP)
            try server.logs.waitForLine("SWSGI3103", "process \(second)")
        }
    }

    @Test func requestsForAService_areAnError() throws {
        try withServer { server in
            server.announce("SWSGI4071")
            let app = try server.deploy(.versionA, as: "app")
            try server.start(
                try service(server, "waiting", mode: "wait")
                    + """
                    WSGIScriptAlias / \(app)
                    <Directory \(server.www)/app>
                        WSGIProcessGroup %{ENV:GROUP}
                        Require all granted
                    </Directory>
                    SetEnvIf Request_URI . GROUP=waiting
                    """
            )
            #expect(try server.get("/").status == 500)
            try server.logs.waitForLine("SWSGI4071", "'waiting'")
        }
    }

    @Test(
        arguments: [
            ("WSGIDaemonProcess s threads=0", "SWSGI1161"),
            (
                "WSGIDaemonProcess s threads=0\nWSGIScriptAlias / /x process-group=s application-group=%{GLOBAL}",
                "SWSGI1162"
            ),
            ("WSGIImportScript /x process-group=s application-group=%{GLOBAL}", "SWSGI1013"),
            ("WSGIImportScript /x process-group=%{SERVER} application-group=%{GLOBAL}", "SWSGI1160"),
            ("WSGIImportScript /x process-group=s", "SWSGI1001"),
        ]
    )
    func mistakes_areErrorsAtStart(_ lines: String, _ code: String) throws {
        try withServer { server in
            try server.configure(lines)
            let result = try server.signal("configtest")
            #expect(result.status != 0)
            #expect(result.errors.contains(code), "\(result.errors)")
        }
    }

    @Test func importScript_isLoadedBeforeWorkIsTaken() throws {
        try withServer { server in
            let app = try server.deploy(.versionA, as: "app")
            let folder = "\(server.www)/app"
            try server.start(
                """
                WSGIImportScript \(app) process-group=one application-group=%{GLOBAL}
                WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name)
                WSGIScriptAlias / \(app)
                <Directory \(folder)>
                    WSGIProcessGroup %{ENV:GROUP}
                    WSGIApplicationGroup %{GLOBAL}
                    Require all granted
                </Directory>
                SetEnvIf Request_URI . GROUP=one
                """
            )
            try server.logs.waitForLine("loaded \(app)")
            #expect(try server.get("/").status == 200)
        }
    }
}
