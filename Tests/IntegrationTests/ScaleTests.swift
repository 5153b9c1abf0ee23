import Foundation
import Testing

/// Many virtual hosts and many process groups.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct ScaleTests {
    private let user = TestUser.first

    /// Hosts with an entry file and a section each; five of them share a group.
    private func hosts(_ count: Int, _ server: TestServer) throws -> String {
        let entry = try server.deploy(.versionA, as: "app")
        var text = ""
        for index in 0..<count / 5 {
            text += "WSGIDaemonProcess g\(index) user=\(user.name) group=\(user.name) threads=1\n"
        }
        for index in 0..<count {
            let path = try server.copyEntry(entry, index)
            text += """
                <VirtualHost *>
                ServerName h\(index).example
                WSGIScriptAlias / \(path)
                <Directory \(server.www)/\(index)>
                Require all granted
                WSGIProcessGroup g\(index / 5)
                WSGIApplicationGroup %{GLOBAL}
                </Directory>
                </VirtualHost>

                """
        }
        return text
    }

    /// Processor seconds of a test of the configuration, with the look at all files.
    private func cost(_ server: TestServer) throws -> Double {
        let test =
            "\(Installation.apache) -d \(server.directory) -f \(server.configurationFile) -t >/dev/null 2>&1; times"
        return try (0..<3).map { _ in
            let output = try run("/bin/bash", ["-c", test]).output
            // The second line is of the children: user, then system, as 0m0.012s.
            let fields = output.split(separator: "\n").last?.split(separator: " ") ?? []
            return fields.reduce(0) { sum, field in
                let parts = field.split(whereSeparator: { $0 == "m" || $0 == "s" }).compactMap { Double($0) }
                return sum + (parts.count == 2 ? parts[0] * 60 + parts[1] : 0)
            }
        }.min() ?? 0
    }

    /// C41: ten times as many cost about ten times as much, where searches of lists would cost a hundred times.
    @Test func c41_configurations_areReadInLinearTime() throws {
        try withServer { server in
            try server.configure("")
            let empty = try cost(server)
            try server.configure(try hosts(200, server))
            let few = try cost(server) - empty
            try server.configure(try hosts(2000, server))
            let many = try cost(server) - empty
            #expect(few > 0)
            #expect(many < few * 30, "\(empty), \(few), \(many)")
        }
    }

    @Test func c41_tenThousandGroups_andALineOfAMegabyte() throws {
        try withServer { server in
            let groups = (0..<10_000).map { "WSGIDaemonProcess g\($0) threads=1\n" }.joined()
            try server.configure(groups + "WSGIProcessGroup g9999")
            #expect(try server.signal("configtest").status == 0)
            try server.configure(groups + "WSGIDaemonProcess g9999")
            #expect(try server.signal("configtest").errors.contains("SWSGI1003"))
            try server.configure("WSGIDaemonProcess one lang=" + String(repeating: "x", count: 1_000_000))
            let refused = try server.signal("configtest")
            #expect(refused.errors.contains("SWSGI1121"))
            #expect(refused.errors.utf8.count < 8192)
        }
    }

    @Test func manyHosts_areServedByTheirOwnGroups() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "facts")
            let hosts = try hosts(60, server).replacingOccurrences(of: "Alias / ", with: "Alias /x ")
                .replacingOccurrences(of: "ServerName", with: "WSGIScriptAlias /facts \(entry)\nServerName")
            try server.start(
                hosts + "<Directory \(server.www)/facts>\nRequire all granted\nWSGIProcessGroup g11\n</Directory>\n"
            )
            try eventually("all processes") { server.daemons.count == 12 }
            for host in [0, 4, 5, 59] {
                let response = try server.get("http://h\(host).example/x")
                #expect(response.text == "version A\n")
            }
            let environ = Facts(try server.get("http://h7.example/facts/environ"))
            #expect(environ["mod_wsgi.process_group"] == "g11")
        }
    }

    /// Hosts with a group and a log each, as hosting providers have them.
    private func tenants(_ count: Int, _ server: TestServer) throws -> String {
        let entry = try server.deploy(.versionA, as: "app")
        let sections = """
            <Directory \(server.www)>
            Require all granted
            WSGIApplicationGroup %{GLOBAL}
            </Directory>

            """
        return sections
            + (0..<count).map {
                """
                <VirtualHost *>
                ServerName t\($0).example
                ErrorLog logs/t\($0).log
                WSGIDaemonProcess t\($0) user=\(user.name) group=\(user.name) threads=1 startup-timeout=120
                WSGIScriptAlias / \(entry) process-group=t\($0)
                </VirtualHost>

                """
            }.joined()
    }

    /// httpd's parent has a log and a queue for each host; while the supervisor gets its descriptors, it has all of them twice.
    @Test func twoHundredTenants_startUnderASoftLimitOf1024_whichTheirProcessesKeep() throws {
        try withServer { server in
            server.descriptorLimit = 1024
            try server.start(try tenants(206, server))
            for host in [0, 205] {
                #expect(try server.get("http://t\(host).example/").text == "version A\n")
            }
            let supervisor = try #require(server.supervisors.first)
            let daemon = try server.daemon()
            let limits = [supervisor, daemon].map { process in
                ProcessTable.text("/proc/\(process.pid)/limits").split(separator: "\n")
                    .first { $0.hasPrefix("Max open files") }?.split(separator: " ").compactMap { Int($0) } ?? []
            }
            #expect(limits[0].first == limits[0].last)
            #expect(limits[1].first == 1024)
            #expect(limits[1].last == limits[0].last)
        }
    }

    @Test func tenantsThatNeedMoreThanTheHardLimit_areRefusedAtStart_withTheNumber() throws {
        try withServer { server in
            server.announce("SWSGI3013", "AH", "SWSGI1207")
            server.descriptorLimit = 900
            server.limitsDescriptorsForGood = true
            try server.configure(try tenants(206, server))
            _ = try server.signal("start")
            let line = try server.logs.waitForLine("SWSGI3013", "206 process groups", "the hard limit of httpd is 900")
            let needed = try #require(line.firstNumber(after: "needs "))
            #expect(needed > 900)
            try eventually("end of httpd") { server.parentPID == nil }
            // The number is enough.
            server.descriptorLimit = needed
            try server.start(try tenants(206, server))
            #expect(try server.get("http://t205.example/").text == "version A\n")
        }
    }

    /// Modules that look at every request, or at the configuration.
    @Test func neighbours_statusAndInfo_serveBesideIt() throws {
        try withServer { server in
            let systemd = FileManager.default.fileExists(atPath: "\(Installation.httpdModules)/mod_systemd.so")
            server.extraModules = ["status", "info"] + (systemd ? ["systemd"] : [])
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(
                server.application(entry)
                    + """
                    ExtendedStatus On
                    <Location /server-status>
                        SetHandler server-status
                    </Location>
                    <Location /server-info>
                        SetHandler server-info
                    </Location>
                    """
            )
            #expect(try server.get("/").text == "version A\n")
            let status = try server.get("/server-status?auto")
            #expect(status.status == 200)
            #expect(status.text.contains("Total Accesses:"))
            let info = try server.get("/server-info?mod_wsgi.c")
            #expect(info.status == 200)
            #expect(info.text.contains("WSGIDaemonProcess"))
            try server.graceful()
            #expect(try server.get("/any").text == "version A\n")
        }
    }

    /// Of those at once, not of those that httpd's threads ever had: a child may have a thousand threads, and two hundred groups.
    @Test func replySockets_areThoseOfRequestsAtOnce() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            let groups = ["one", "two", "three"]
            try server.start(
                groups.map { server.application(entry, at: "/\($0)", group: $0, options: "threads=2") }.joined()
            )
            func sockets() -> Int {
                server.children.reduce(0) { $0 + $1.descriptors.values.count { $0.hasPrefix("socket:") } }
            }
            let before = sockets()
            for _ in 0..<100 {
                // Each on a connection of its own, and so on another thread.
                for group in groups { #expect(try server.get("/\(group)").status == 200) }
            }
            // Both ends of a pair for each group; a request may begin before the one before it is put away.
            let pairs = groups.count * server.children.count
            try eventually("\(before) sockets, and a few more") { sockets() <= before + 2 * 3 * pairs }
        }
    }
}

extension TestServer {
    /// Another entry file for the same bundle, in a directory of its own.
    fileprivate func copyEntry(_ entry: String, _ index: Int) throws -> String {
        let bundle = entry.replacingOccurrences(of: ".wsgi", with: ".so")
        return try write("bundle = \(bundle)\n", to: "www/\(index)/app.wsgi")
    }
}
