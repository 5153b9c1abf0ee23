import Foundation
import Testing

/// DispatchQueue.main and @MainActor in daemon processes.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct MainQueueTests {
    /// Loaded when the process starts, or by its first request.
    enum Loading: CaseIterable { case early, late }

    private func withMain(_ loading: Loading, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.main, as: "app")
            let lines = server.application(entry, options: "processes=1 threads=4")
            // Of a name that a request makes nothing is known when the process starts.
            let group = "WSGIApplicationGroup %{ENV:GROUP}"
            let late = "SetEnvIf Host .+ GROUP=late\n" + lines.replacing("WSGIApplicationGroup %{GLOBAL}", with: group)
            try server.start(loading == .early ? lines : late)
            try body(server)
        }
    }

    @Test(arguments: Loading.allCases) func mainQueueAndMainActor_runOnTheMainThread(_ loading: Loading) throws {
        try withMain(loading) { server throws in
            for _ in 0..<3 {
                #expect(try server.get("/queue").text == "main thread\n")
                #expect(try server.get("/actor").text == "main thread\n")
            }
        }
    }

    /// What an application does there holds up neither requests nor signals nor the supervisor.
    @Test(arguments: Loading.allCases) func busyMainQueue_holdsUpNothingElse(_ loading: Loading) throws {
        try withMain(loading) { server in
            let process = try server.daemon()
            let hold = server.hold(at: "/busy")
            #expect(try server.get(hold.target).text == "main thread\n")
            #expect(try server.get("/plain").text == "plain\n")
            kill(process.pid, SIGUSR1)
            try eventually("another process") { server.daemons.contains { $0.pid != process.pid } }
            try eventually("the end of the first one") { !server.daemons.contains { $0.pid == process.pid } }
            hold.release()
            #expect(try server.get("/queue").text == "main thread\n")
        }
    }

    /// An application without a main queue has no thread for one.
    @Test func applicationWithoutAMainQueue_costsNoThread() throws {
        try withServer { server in
            try FileManager.default.createDirectory(atPath: "\(server.www)/app", withIntermediateDirectories: true)
            try CFixture.compile(CFixture.answering("\"plain\""), to: "\(server.www)/app/app.so")
            let entry = try server.writeEntry("app", ["bundle = app.so"])
            try server.start(server.application(entry, options: "processes=1 threads=3"))
            #expect(try server.get("/").text == "plain")
            let process = try server.daemon()
            try eventually("the request threads and the control thread") {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/task").count == 4
            }
        }
    }
}
