import Foundation
import Testing

/// WSGIAccessScript, WSGIAuthUserScript, WSGIAuthGroupScript: what httpd asks, in its own children and in daemon processes.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct ScriptTests {
    /// Where the scripts run: options of their directives.
    static let places = ["", "process-group=asked"]

    private static let modules = ["auth_basic", "auth_digest", "authn_core", "authn_file", "authz_user"]

    /// Starts a server with a scripts' bundle; `www/scripts/scripts.wsgi` is its entry file, `@` in the lines its path, `#` with the options.
    private func withScripts(_ place: String, _ lines: String, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.extraModules = Self.modules
            let script = try server.deploy(.scripts, as: "scripts")
            // Whom the script does not know, the next provider may.
            try server.write(
                "trac:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\nalice:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n",
                to: "users"
            )
            for name in ["access", "basic", "digest", "groups", "any", "none"] {
                try server.write("served\n", to: "htdocs/\(name)/file")
            }
            try server.start(
                "WSGIDaemonProcess asked user=\(TestUser.first.name) group=\(TestUser.first.name) threads=4\n"
                    + "WSGIDaemonProcess app user=\(TestUser.second.name) group=\(TestUser.second.name) threads=4\n"
                    + "<Directory \(server.www)/scripts>\nRequire all granted\n</Directory>\n"
                    + lines.replacingOccurrences(of: "#", with: "\(script) \(place)")
                    .replacingOccurrences(of: "@", with: script)
            )
            try body(server)
        }
    }

    private func basic(_ user: String, _ password: String) -> String {
        "Authorization: Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    @Test(arguments: places) func accessScript_decides_andFailsClosed(place: String) throws {
        let lines = """
            <Location /access>
                WSGIAccessScript #
            </Location>
            <Location /none>
                WSGIAccessScript #
                Require all denied
            </Location>

            """
        try withScripts(place, lines) { server in
            server.announce("SWSGI4130", "SWSGI4131", "SWSGI4023", "Trouble", "AH01630")
            func status(_ path: String, _ answer: String) throws -> Int {
                try server.get(path, headers: ["X-Access: \(answer)"]).status
            }
            #expect(try status("/access/file", "allow") == 200)
            #expect(try status("/access/file", "none") == 200)
            #expect(try status("/access/file", "deny") == 403)
            try server.logs.waitForLine("SWSGI4130", "scripts.wsgi", "127.0.0.1")
            // What the script allows, other rules may refuse.
            #expect(try status("/none/file", "allow") == 403)
            try server.logs.waitForLine("asked for host 127.0.0.1 on  of GET")
            #expect(try status("/access/file", "throw") == 500)
            #expect(try status("/access/file", "status") == 500)
            try server.logs.waitForLine("SWSGI4131", "allow_access", "scripts.wsgi")
            #expect(
                try server.request("POST", "/access/file", headers: ["X-Access: deny"], body: [1, 2, 3]).status == 403
            )
            #expect(server.daemons.count == 2)
        }
    }

    @Test(arguments: places) func basicAuthentication_asksTheScript(place: String) throws {
        let lines = """
            <Location /basic>
                AuthType Basic
                AuthName members
                AuthBasicProvider wsgi file
                WSGIAuthUserScript #
                AuthUserFile users
                Require valid-user
            </Location>
            WSGIScriptAlias /basic/app @ process-group=app application-group=%{GLOBAL}
            SetEnvIf X-Secure yes HTTPS=on

            """
        try withScripts(place, lines) { server in
            server.announce("AH01617", "AH01618", "SWSGI4131", "SWSGI4023", "Trouble", "header", "SWSGI-Value")
            func status(_ user: String, _ password: String) throws -> Int {
                try server.get("/basic/file", headers: [basic(user, password)]).status
            }
            let refused = try server.get("/basic/file")
            #expect(refused.status == 401)
            #expect(refused["WWW-Authenticate"] == "Basic realm=\"members\"")
            #expect(try status("alice", "secret") == 200)
            #expect(try status("odd user", "p:w d") == 200)
            #expect(try status("alice", "Secret") == 401)
            #expect(try status("alice", "") == 401)
            #expect(try status("trac", "hello") == 200)
            #expect(try status("alice", "hello") == 401)
            #expect(try status("unheard-of", "secret") == 401)
            for user in ["throw", "status", "nobody", "break"] { #expect(try status(user, "x") == 500, "\(user)") }
            // The application sees the user, and nothing of the question; its own environ is as without a question.
            let page = Facts(
                try server.get("/basic/app", headers: [basic("alias", "secret"), "X-Secure: yes"])
            )
            #expect(page["REMOTE_USER"] == "Ada Lovelace")
            #expect(page["secrets"] == "")
            #expect(page["wsgi.url_scheme"] == "https")
            #expect(page["mod_wsgi.process_group"] == "app")
        }
    }

    @Test(arguments: places) func digestAuthentication_asksTheScript(place: String) throws {
        let lines = """
            <Location /digest>
                AuthType Digest
                AuthName members
                AuthDigestProvider wsgi
                WSGIAuthUserScript #
                Require valid-user
            </Location>

            """
        try withScripts(place, lines) { server in
            server.announce("AH01790", "AH01794", "AH01792", "SWSGI4132", "AH01793")
            func status(_ user: String) throws -> String {
                try server.curl(
                    "--digest",
                    "--user",
                    user,
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code}",
                    server.url("/digest/file")
                ).output
            }
            #expect(try status("alice:secret") == "200")
            #expect(try status("alice:Secret") == "401")
            #expect(try status("unheard-of:secret") == "401")
            #expect(try status("wrong:secret") == "500")
            try server.logs.waitForLine("SWSGI4132", "get_realm_hash")
        }
    }

    /// What a section says whose users and groups the script knows.
    private static let members = """
        AuthType Basic
            AuthName members
            AuthBasicProvider wsgi
            WSGIAuthUserScript #
            WSGIAuthGroupScript #
        """

    @Test(arguments: places) func requireGroup_asksTheScriptOnce(place: String) throws {
        let lines = """
            <Location /groups>
                \(Self.members)
                Require wsgi-group staff
            </Location>
            <Location /any>
                \(Self.members)
                <RequireAny>
                    Require wsgi-group nosuch
                    Require wsgi-group other "board members"
                </RequireAny>
            </Location>
            <Location /none>
                \(Self.members)
                Require wsgi-group staf "staff board members"
                Require wsgi-group %{req:X-Wanted}
            </Location>

            """
        try withScripts(place, lines) { server in
            server.announce("AH01631", "SWSGI4023", "Trouble")
            let alice = basic("alice", "secret")
            #expect(try server.get("/groups/file").status == 401)
            #expect(try server.get("/groups/file", headers: [alice]).status == 200)
            let before = server.logs.lines(containing: "asked for the groups of alice").count
            #expect(try server.get("/any/file", headers: [alice]).status == 200)
            try eventually("one question for two lines") {
                server.logs.lines(containing: "asked for the groups of alice").count == before + 1
            }
            #expect(try server.get("/none/file", headers: [alice]).status == 401)
            #expect(try server.get("/none/file", headers: [alice, "X-Wanted: admin staff"]).status == 200)
            #expect(try server.get("/groups/file", headers: [basic("alias", "secret")]).status == 401)
            #expect(try server.get("/groups/file", headers: [alice, "X-Groups: throw"]).status == 500)
        }
    }

    /// httpd authenticates anew for an error page, whose section may have another user for the same client.
    @Test(arguments: places) func errorPage_asksForTheGroupsOfItsOwnUser(place: String) throws {
        let lines = """
            <Location /any>
                \(Self.members)
                <RequireAny>
                    Require wsgi-group staff
                    Require valid-user
                </RequireAny>
                AuthBasicFake %{req:X-User} secret
                ErrorDocument 404 /groups/file
            </Location>
            <Location /groups>
                \(Self.members)
                Require wsgi-group staff
            </Location>

            """
        try withScripts(place, lines) { server in
            server.announce("AH01631")
            func page(_ user: String, then other: String) throws -> HTTPResponse {
                try server.get("/any/missing", headers: [basic(user, "secret"), "X-User: \(other)"])
            }
            #expect(try page("alice", then: "alice").text == "served\n")
            #expect(try page("alias", then: "alice").text == "served\n")
            let refused = try page("alice", then: "alias")
            #expect(refused.status == 404)
            #expect(!refused.text.contains("served"))
        }
    }

    /// Satisfy is mod_access_compat's: the script counts like Allow and Deny.
    @Test(arguments: places) func satisfyAny_takesTheScriptOrAPassword(place: String) throws {
        let lines = """
            <Location /any>
                AuthType Basic
                AuthName members
                AuthBasicProvider wsgi
                WSGIAuthUserScript #
                WSGIAccessScript #
                Order deny,allow
                Deny from all
                Allow from env=inside
                Require valid-user
                Satisfy any
            </Location>
            SetEnvIf X-Inside yes inside

            """
        try withScripts(place, lines) { server throws in
            server.announce("SWSGI4130", "AH01797", "AH01618")
            func statuses(_ header: String) throws -> [Int] {
                try ["allow", "none", "deny"].map { answer in
                    try server.get("/any/file", headers: ["X-Access: \(answer)", header]).status
                }
            }
            // Who may come without a password: whom both the script and the rules of httpd let in.
            #expect(try statuses("X-Inside: yes") == [200, 200, 401])
            #expect(try statuses("X-Inside: no") == [401, 401, 401])
            #expect(try statuses(basic("alice", "secret")) == [200, 200, 200])
            #expect(try statuses(basic("unheard-of", "x")) == [401, 401, 401])
        }
    }
}
