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
            let entry = try server.deploy(.versionA, as: "app", entry: ["symbol = application"])
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
                "Aliases of the main server, localhost:", "Aliases of virtual host a.example:",
                "Imports, handlers and scripts:",
                "Trusted proxies:", "Server:", "WSGISlowRequests 1500ms", "WSGIRestrictStdout On",
                "WSGIRestrictSignal On", "Entry files:",
                "\(entry)  bundle \(server.www)/app/app.so, symbol application",
            ]
            for line in expected { #expect(lines.contains(line), "\(line)\n\(result.output)") }
            let beginnings = [
                "/  \(entry)  process group one, application group %{GLOBAL}  (\(server.configurationFile):",
                "/x  \(entry)  process group hosted, application group %{GLOBAL}, symbol hello  (\(server.configurationFile):",
                "10.0.0.0/8  (\(server.configurationFile):", "X-Forwarded-For  (\(server.configurationFile):",
                "\(server.www)/missing.wsgi  can't be used: SWSGI2001: ",
                "\(entry)  can't be used: SWSGI2020: bundle \(server.www)/app/app.so does not export 'hello'",
            ]
            for text in beginnings { #expect(lines.contains { $0.hasPrefix(text) }, "\(text)\n\(result.output)") }
            #expect(server.processes.isEmpty)
        }
    }

    @Test func c45_embeddedApplications_areCalledSo() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            let lines = """
                WSGIScriptAlias /a \(entry) process-group=%{GLOBAL} application-group=%{GLOBAL}
                WSGIScriptAlias /b \(entry) application-group=own
                WSGIScriptAlias /c \(entry) process-group=%{ENV:GROUP}
                WSGIScriptAlias /d \(entry) callable-object=handle_request
                WSGIImportScript \(entry) process-group=%{GLOBAL} application-group=first
                WSGIHandlerScript wsgi-handler \(entry)
                <Location /asked>
                    WSGIAccessScript \(entry)
                </Location>

                """
            try server.configure(lines)
            let dumped = try dump(server)
            #expect(dumped.status == 0, "\(dumped.errors)")
            let children = "in httpd's children (embedded mode), application group"
            let expected = [
                "Embedded mode:\n  runs as www-data, uid 33, gid 33\n",
                "  loads \(entry), application group %{GLOBAL}\n",
                "  loads \(entry), application group first\n", "/a  \(entry)  \(children) %{GLOBAL}  (",
                "/b  \(entry)  \(children) own  (",
                "/c  \(entry)  process group %{ENV:GROUP}, application group %{RESOURCE}  (",
                "/d  \(entry)  \(children) %{RESOURCE}, symbol handle_request  (", "  \(entry)  \(children) first  (",
                "  \(entry)  process group of the request's directory, application group %{RESOURCE}, symbol handle_request",
                "  \(entry)  \(children) %{GLOBAL}, symbol allow_access  (", "WSGIRestrictEmbedded Off\n",
            ]
            for text in expected { #expect(dumped.output.contains(text), "\(text)\n\(dumped.output)") }
            #expect(!dumped.output.contains("no process group"))

            try server.configure(lines + "WSGIRestrictEmbedded On\n")
            let restricted = try dump(server).output
            #expect(restricted.contains("Embedded mode:\n  refused by WSGIRestrictEmbedded"), "\(restricted)")
            // What httpd asks runs there all the same.
            #expect(restricted.contains("answered 500\n  runs as www-data"), "\(restricted)")
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
