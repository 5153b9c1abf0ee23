import Foundation
import SWSGIConfiguration
import Testing

/// The value of a directive that a request has, when it stands in some of the places that concern it: the innermost one counts.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct MergeTests {
    /// From outside to inside.
    private enum Place {
        case host, directory, htaccess, location
    }

    /// A directive, two of its values, what holds without it, and how to see which.
    private struct Row: Sendable {
        let directive: String
        let values: [String]
        let fallback: String
        let observe: @Sendable (TestServer, String) throws -> String

        init(
            _ directive: String,
            _ first: String,
            _ second: String,
            default fallback: String,
            _ observe: @escaping @Sendable (TestServer, String) throws -> String
        ) {
            self.directive = directive
            values = [first, second]
            self.fallback = fallback
            self.observe = observe
        }
    }

    private static let rows = [
        Row("WSGIProcessGroup", "two", "one", default: "one") { try environ($0, $1, "mod_wsgi.process_group") },
        Row("WSGIApplicationGroup", "x", "y", default: "%{RESOURCE}") { server, url in
            let name = try environ(server, url, "mod_wsgi.application_group")
            return name.hasSuffix("|/facts") ? "%{RESOURCE}" : name
        },
        Row("WSGIPassAuthorization", "On", "Off", default: "Off") { server, url in
            try environ(server, url, "HTTP_AUTHORIZATION").isEmpty ? "Off" : "On"
        },
        Row("WSGIRestrictProcess", "two", "one two", default: "one two") { server, url in
            try server.get("\(url)/status?200").status == 200 ? "one two" : "two"
        },
        Row("WSGICallableObject", "no_such_function", "application", default: "application") { server, url in
            try server.get("\(url)/status?200").status == 200 ? "application" : "no_such_function"
        },
        Row("WSGIChunkedRequest", "Off", "On", default: "On") { server, url in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "\(url)/status?200", ["Transfer-Encoding: chunked"])
            try connection.send("0\r\n\r\n")
            return try connection.response(to: "POST").status == 411 ? "Off" : "On"
        },
        Row("WSGIMapHEADToGET", "On", "Off", default: "Off") { server, url in
            try server.request("HEAD", "\(url)/status?200")["X-Method"] == "GET" ? "On" : "Off"
        },
        Row("WSGIErrorOverride", "On", "Off", default: "Off") { server, url in
            try server.get("\(url)/status?404").text == "the application" ? "Off" : "On"
        },
    ]

    private static func environ(_ server: TestServer, _ url: String, _ key: String) throws -> String {
        Facts(try server.get("\(url)/facts/environ", headers: ["Authorization: Basic eDp5"]))[key] ?? ""
    }

    /// Where a directive may stand, from outside to inside; at each place it has the other value than at the one before.
    private static func places(_ row: Row) -> [Place] {
        let contexts = Directive.named(row.directive)?.contexts ?? []
        return contexts.contains(.fileInfo)
            ? [.host, .directory, .htaccess, .location] : [.host, .directory, .location]
    }

    /// A virtual host with the directive at some of these places.
    private func host(_ name: String, _ row: Row, set: Int, _ server: TestServer) -> String {
        var directory = "\(server.www)/plain"
        var lines: [Place: String] = [:]
        for (index, place) in Self.places(row).enumerated() where set & 1 << index != 0 {
            if place == .htaccess { directory = "\(server.www)/\(row.directive)" }
            lines[place] = "\(row.directive) \(row.values[index % 2])"
        }
        return """
            <VirtualHost *>
            ServerName \(name)
            WSGIScriptAlias /facts \(directory)/facts.wsgi
            WSGIScriptAlias /status \(directory)/status.wsgi
            \(lines[.host] ?? "")
            <Directory \(directory)>
                \(lines[.directory] ?? "")
            </Directory>
            <Location />
                \(lines[.location] ?? "")
            </Location>
            </VirtualHost>

            """
    }

    @Test func innermostPlace_counts_forEveryCombinationOfPlaces() throws {
        try withServer { server in
            server.announce("SWSGI2020", "SWSGI4028", "SWSGI4050", "SWSGI4121")
            try server.deploy(.facts, as: "facts")
            try server.deploy(bundle: try CFixture.path("status"), as: "status")
            for directory in ["plain"] + Self.rows.map(\.directive) {
                for name in ["facts", "status"] {
                    try server.write("bundle = ../\(name)/\(name).so\n", to: "www/\(directory)/\(name).wsgi")
                }
            }
            var hosts = ""
            for row in Self.rows {
                let places = Self.places(row)
                if places.contains(.htaccess) {
                    try server.write("\(row.directive) \(row.values[0])\n", to: "www/\(row.directive)/.htaccess")
                }
                for set in 0..<(1 << places.count) {
                    hosts += host("h\(set).\(row.directive).example", row, set: set, server)
                }
            }
            try server.start(
                """
                WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
                WSGIDaemonProcess two user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
                WSGIProcessGroup one
                <Directory \(server.www)>
                    Require all granted
                    AllowOverride FileInfo
                </Directory>
                \(hosts)
                """
            )
            for row in Self.rows {
                let places = Self.places(row)
                for set in 0..<(1 << places.count) {
                    let innermost = places.indices.last { set & 1 << $0 != 0 }
                    let expected = innermost.map { row.values[$0 % 2] } ?? row.fallback
                    let seen = try row.observe(server, "http://h\(set).\(row.directive).example")
                    #expect(seen == expected, "\(row.directive) in \(set)")
                }
            }
        }
    }
}
