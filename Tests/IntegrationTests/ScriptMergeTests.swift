import Foundation
import Testing

/// As MergeTests, for the scripts that httpd asks.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ScriptMergeTests {
    /// A bundle that exports all of the functions, and agrees to everything or to nothing.
    private func source(agrees: Bool) -> String {
        let functions = ["allow_access", "check_password", "groups_for_user", "dispatch_request"].map {
            "const swsgi_application *\($0)(const swsgi_host *host) { (void)host; return &table; }\n"
        }
        return """
            #include "swsgi.h"
            #include <string.h>
            enum { agrees = \(agrees ? 1 : 0) };
            static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
                swsgi_text question = {0, 0}, reason = {"OK", 2};
                (void)context;
                host->environ_get(exchange, SWSGI_QUESTION, strlen(SWSGI_QUESTION), &question);
                const int is_groups = question.bytes[0] == 'g', is_dispatch = question.bytes[0] == 'd';
                const int is_list = is_groups || is_dispatch;
                const char *verdict = agrees || is_list ? "yes" : "no", *value = is_groups ? "staff" : "application-group=chosen";
                const swsgi_header headers[] = {
                    {{SWSGI_ANSWER, strlen(SWSGI_ANSWER)}, {verdict, strlen(verdict)}},
                    {{SWSGI_VALUE, strlen(SWSGI_VALUE)}, {value, strlen(value)}}};
                return host->start_response(exchange, 200, reason, headers, agrees && is_list ? 2 : 1) < 0;
            }
            static const swsgi_application table = {
                .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};

            """ + functions.joined()
    }

    /// Directive, what the host has beside it, and the answers: agreed, not agreed, no script.
    private static let rows: [(directive: String, beside: String, answers: [String])] = [
        ("WSGIAccessScript", "", ["200", "403", "200"]),
        ("WSGIAuthUserScript", "Require valid-user", ["200", "401", "500"]),
        ("WSGIAuthGroupScript", "WSGIAuthUserScript @yes\nRequire wsgi-group staff", ["200", "401", "500"]),
        ("WSGIDispatchScript", "", ["chosen", "configured", "configured"]),
    ]

    private func observe(_ server: TestServer, _ url: String, isDispatch: Bool) throws -> String {
        let response = try server.get("\(url)/facts/environ", headers: ["Authorization: Basic eDp5"])
        return isDispatch ? Facts(response)["mod_wsgi.application_group"] ?? "" : "\(response.status)"
    }

    @Test func innermostScript_isAsked_forEveryCombinationOfPlaces() throws {
        try withServer { server in
            server.announce("SWSGI4130", "SWSGI4133", "AH01617", "AH01631")
            server.extraModules = ["auth_basic", "authn_core", "authz_user"]
            try server.deploy(.facts, as: "facts")
            let scripts = try ["yes", "no"].map { name in
                try server.write("", to: "www/\(name)/x")
                try CFixture.compile(source(agrees: name == "yes"), to: "\(server.www)/\(name)/\(name).so")
                return try server.writeEntry(name, ["bundle = \(name).so"]) + " process-group=one"
            }
            let rows = Self.rows.map { ($0, DirectivePlaces($0.directive, scripts[0], scripts[1])) }
            var hosts = ""
            for (row, places) in rows {
                try places.prepare(["facts"], server)
                let beside = """
                    <Location />
                    AuthType Basic
                    AuthName x
                    AuthBasicProvider wsgi
                    \(row.beside.replacingOccurrences(of: "@yes", with: scripts[0]))
                    </Location>
                    """
                for set in places.sets {
                    hosts += places.host("h\(set).\(row.directive).example", set: set, server) {
                        "WSGIScriptAlias /facts \($0)/facts.wsgi\n" + (row.beside.isEmpty ? "" : beside)
                    }
                }
            }
            try server.start(
                "WSGIDaemonProcess one user=\(TestUser.first.name) threads=2\nWSGIProcessGroup one\n"
                    + "WSGIApplicationGroup configured\n" + DirectivePlaces.common(server) + hosts
            )
            for (row, places) in rows {
                for set in places.sets {
                    let url = "http://h\(set).\(row.directive).example"
                    let seen = try observe(server, url, isDispatch: row.directive == "WSGIDispatchScript")
                    let index = places.value(in: set).flatMap { scripts.firstIndex(of: $0) } ?? 2
                    #expect(seen == row.answers[index], "\(row.directive) in \(set)")
                }
            }
        }
    }
}
