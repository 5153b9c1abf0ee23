import Foundation
import Testing

/// `apachectl -t -D DUMP_WSGI`.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ConfigurationDumpTests {
    private func dump(_ server: TestServer) throws -> Finished {
        try run(
            Installation.apache,
            ["-d", server.directory, "-f", server.configurationFile, "-t", "-D", "DUMP_WSGI"]
        )
    }

    @Test func c45_dump_saysWhatWasUnderstood_andStartsNothing() throws {
        try withServer { server in
            let user = TestUser.first
            let entry = try server.deploy(.versionA, as: "app", entry: ["symbol = other"])
            try server.configure(
                server.application(entry, options: "processes=2-4 request-timeout=20 python-path=/x")
                    + """
                    WSGIImportScript \(server.www)/missing.wsgi process-group=one application-group=second
                    WSGITrustedProxies 10.0.0.0/8
                    WSGITrustedProxyHeaders X-Forwarded-For
                    WSGISlowRequests 1.5
                    WSGIRestrictStdout On
                    <VirtualHost *>
                    ServerName a.example
                    WSGIDaemonProcess hosted
                    WSGIScriptAlias /x \(entry) process-group=hosted callable-object=hello
                    </VirtualHost>
                    """
            )
            let result = try dump(server)
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let expected = [
                "Process group 'one':",
                "runs as \(user.name), uid \(user.uid), gid \(user.gid), groups \(user.gid),\(TestUser.extraGroupID)",
                "user=\(user.name)", "processes=2-4", "threads=15", "request-timeout=20s", "queue-timeout=none",
                "python-path= has no effect", "loads \(entry), application group %{GLOBAL}",
                "loads \(server.www)/missing.wsgi, application group second", "Process group 'hosted':",
                "Aliases of the main server, localhost:", "Aliases of virtual host a.example:", "Imports and handlers:",
                "Trusted proxies:", "Server:", "WSGISlowRequests 1500ms", "WSGIRestrictStdout On",
                "WSGIRestrictSignal On", "Entry files:", "\(entry)  bundle \(server.www)/app/app.so, symbol other",
            ]
            for line in expected { #expect(lines.contains(line), "\(line)\n\(result.output)") }
            let beginnings = [
                "/  \(entry)  process group one, application group %{GLOBAL}  (\(server.configurationFile):",
                "/x  \(entry)  process group hosted, application group %{GLOBAL}, symbol hello  (\(server.configurationFile):",
                "10.0.0.0/8  (\(server.configurationFile):", "X-Forwarded-For  (\(server.configurationFile):",
                "\(server.www)/missing.wsgi  can't be used: SWSGI2001: ",
            ]
            for text in beginnings { #expect(lines.contains { $0.hasPrefix(text) }, "\(text)\n\(result.output)") }
            #expect(server.processes.isEmpty)
        }
    }

    @Test func configurationWithoutGroups_isDumpedToo() throws {
        try withServer { server in
            try server.configure("")
            let result = try dump(server)
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("mod_swsgi configuration:\nServer:\n"))
        }
    }
}
