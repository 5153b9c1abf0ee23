import Foundation
import Testing

/// The value of a directive that a request has, when it stands in some of the places that concern it: the innermost one counts.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct MergeTests {
    /// A directive, two of its values, what holds without it, and how to see which.
    private struct Row: Sendable {
        let places: DirectivePlaces
        let fallback: String
        let observe: @Sendable (TestServer, String) throws -> String

        init(
            _ directive: String,
            _ first: String,
            _ second: String,
            default fallback: String,
            _ observe: @escaping @Sendable (TestServer, String) throws -> String
        ) {
            places = DirectivePlaces(directive, first, second)
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
        Row("WSGILocalRedirect", "On", "Off", default: "Off") { server, url in
            try server.get("\(url)/status/location?200").text == "the other path\n" ? "On" : "Off"
        },
    ]

    private static func environ(_ server: TestServer, _ url: String, _ key: String) throws -> String {
        Facts(try server.get("\(url)/facts/environ", headers: ["Authorization: Basic eDp5"]))[key] ?? ""
    }

    private static let groups = """
        WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
        WSGIDaemonProcess two user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
        WSGIProcessGroup one

        """

    @Test func innermostPlace_counts_forEveryCombinationOfPlaces() throws {
        try withServer { server in
            server.announce("SWSGI2020", "SWSGI4028", "SWSGI4050", "SWSGI4121")
            try server.deploy(.facts, as: "facts")
            try server.deploy(bundle: try CFixture.path("status"), as: "status")
            try server.write("the other path\n", to: "htdocs/static")
            var hosts = ""
            for row in Self.rows {
                try row.places.prepare(["facts", "status"], server)
                for set in row.places.sets {
                    hosts += row.places.host("h\(set).\(row.places.directive).example", set: set, server) {
                        "WSGIScriptAlias /facts \($0)/facts.wsgi\nWSGIScriptAlias /status \($0)/status.wsgi"
                    }
                }
            }
            try server.start(Self.groups + DirectivePlaces.common(server) + hosts)
            for row in Self.rows {
                for set in row.places.sets {
                    let name = row.places.directive
                    let seen = try row.observe(server, "http://h\(set).\(name).example")
                    #expect(seen == row.places.value(in: set) ?? row.fallback, "\(name) in \(set)")
                }
            }
        }
    }
}
