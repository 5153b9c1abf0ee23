import Foundation
import Testing

/// WSGIScriptAliasMatch, WSGIHandlerScript, names that requests choose, WSGIRestrictProcess.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct MappingTests {
    private let groups = """
        WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
        WSGIDaemonProcess two user=\(TestUser.second.name) group=\(TestUser.second.name) threads=2

        """

    private func granted(_ server: TestServer, _ lines: String = "WSGIProcessGroup one") -> String {
        "<Directory \(server.www)>\nRequire all granted\n\(lines)\n</Directory>\n"
    }

    /// Bundles that answer their names, each in a directory of its own.
    private func deploy(_ server: TestServer, _ names: String...) throws {
        for name in names {
            try server.write("", to: "www/\(name)/x")
            let bundle = "\(server.www)/\(name)/\(name).so"
            try CFixture.compile(CFixture.answering("\"\(name)\\n\""), to: bundle)
            try server.writeEntry(name, ["bundle = \(name).so"])
        }
    }

    // MARK: WSGIScriptAliasMatch

    @Test func aliasMatch_mapsUpToTheEndOfItsMatch_inTheOrderOfAllAliases() throws {
        try withServer { server in
            server.announce("SWSGI4002")
            try server.deploy(.facts, as: "facts")
            try deploy(server, "a", "b", "main")
            let www = server.www
            try server.start(
                groups + """
                    WSGIScriptAlias /order/path \(www)/a/a.wsgi
                    WSGIScriptAliasMatch ^/order/(path|match) \(www)/b/b.wsgi
                    WSGIScriptAlias /order/match \(www)/a/a.wsgi
                    WSGIScriptAliasMatch ^/fixed/[0-9]+ \(www)/facts/facts.wsgi process-group=two application-group=fixed
                    WSGIScriptAliasMatch "^/apps/([a-z]+)(?=/|$)" \(www)/$1/$1.wsgi
                    WSGIScriptAliasMatch /inner/ \(www)/facts/facts.wsgi/
                    WSGIScriptAliasMatch ^/dir/ \(www)/facts/
                    WSGIScriptAliasMatch ^|$ \(www)/b/b.wsgi
                    WSGIScriptAlias /shared \(www)/main/main.wsgi
                    Alias /order/path/static \(server.directory)/htdocs
                    <VirtualHost *>
                    ServerName localhost
                    </VirtualHost>
                    <VirtualHost *>
                    ServerName other.example
                    WSGIScriptAliasMatch ^/sha \(www)/a/a.wsgi/
                    </VirtualHost>

                    """ + granted(server)
            )
            for (path, answer) in [
                ("/order/path", "a\n"), ("/order/match", "b\n"), ("/apps/a", "a\n"), ("/apps/b/more", "b\n"),
                ("/shared", "main\n"), ("/order/path/static/static.txt", "static\n"),
            ] {
                #expect(try server.get(path).text == answer, "\(path)")
            }
            // The server's own page, as an empty match is none.
            #expect(try server.get("/static.txt").text == "static\n")
            #expect(try server.get("/apps/nosuch").status == 404)
            #expect(try server.get("/apps/A").status == 404)
            #expect(try server.get("http://other.example/shared").text == "a\n")
            for (path, script, info) in [
                ("/fixed/42/environ", "/fixed/42", "/environ"), ("/some/inner/environ", "/some/inner", "/environ"),
                ("/dir/facts.wsgi/environ", "/dir/facts.wsgi", "/environ"),
                ("/apps/facts/%5bx%5d/environ", "/apps/facts", "/[x]/environ"),
            ] {
                let environ = Facts(try server.get(path))
                #expect(environ["SCRIPT_NAME"] == script, "\(path)")
                #expect(environ["PATH_INFO"] == info, "\(path)")
            }
            let fixed = Facts(try server.get("/fixed/1/environ"))
            #expect(fixed["mod_wsgi.process_group"] == "two")
            #expect(fixed["mod_wsgi.application_group"] == "fixed")
        }
    }

    @Test func aliasMatch_ofTheRootKeepsTheWholePath() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "facts")
            try server.start(groups + "WSGIScriptAliasMatch ^/ \(entry)\n" + granted(server))
            let environ = Facts(try server.get("/a/b/environ"))
            #expect(environ["SCRIPT_NAME"] == "")
            #expect(environ["PATH_INFO"] == "/a/b/environ")
        }
    }

    @Test func aliasMatch_withAFixedEntryFileIsLoadedAtTheStart() throws {
        try withServer { server in
            server.announce("SWSGI1019", "SWSGI1211")
            let entry = try server.deploy(.versionA, as: "a")
            try server.start(
                groups
                    + "WSGIScriptAliasMatch ^/a$ \(entry) process-group=one application-group=%{GLOBAL}\n"
                    + "WSGIScriptAliasMatch ^/b$ /nonexistent/b.wsgi process-group=one\n"
                    + "WSGIScriptAliasMatch ^/(c)$ /nonexistent/$1.wsgi process-group=one\n"
                    + granted(server)
            )
            try server.logs.waitForLine("loaded \(entry)")
            try server.logs.waitForLine("SWSGI1019", "/nonexistent/b.wsgi")
            #expect(server.logs.lines(containing: "$1").isEmpty)
        }
    }

    @Test func aliasToADirectory_orWithASlashBehindItsFile_isLoadedForWhatItIs() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "facts")
            try deploy(server, "a")
            let options = "process-group=one application-group=%{GLOBAL}"
            try server.start(
                groups + """
                    WSGIScriptAlias /directory/ \(server.www)/a/ \(options)
                    WSGIScriptAlias /folder \(server.www)/a \(options)
                    WSGIScriptAlias /slash \(entry)/ \(options)

                    """ + granted(server)
            )
            try server.logs.waitForLine("loaded \(entry)")
            #expect(try server.get("/directory/a.wsgi").text == "a\n")
            #expect(try server.get("/folder/a.wsgi").text == "a\n")
            #expect(Facts(try server.get("/slash/environ"))["SCRIPT_NAME"] == "/slash")
            #expect(server.logs.lines(containing: "loaded \(entry)").count == 1)
        }
    }

    // MARK: Names that requests choose

    @Test func expansions_giveGroupsAndFunctions_andUndefinedVariablesAreErrors() throws {
        try withServer { server in
            server.announce("SWSGI4120", "SWSGI4011", "SWSGI2020", "SWSGI4028")
            server.extraModules = ["rewrite"]
            server.environment["SWSGI_TEST_GROUP"] = "two"
            let entry = try server.deploy(.facts, as: "facts")
            try server.write("", to: "www/named/x")
            try CFixture.compile(
                CFixture.answering("\"named\\n\"", symbol: "named"),
                to: "\(server.www)/named/named.so"
            )
            let named = try server.writeEntry("named", ["bundle = named.so"])
            func location(_ path: String, _ lines: String...) -> String {
                "WSGIScriptAlias \(path) \(entry)\n<Location \(path)>\n\(lines.joined(separator: "\n"))\n</Location>\n"
            }
            try server.start(
                groups + granted(server)
                    + "SetEnvIf X-Name (.+) NAME=$1\nWSGIScriptAlias /option \(named) callable-object=%{ENV:NAME}\n"
                    + "WSGIScriptAlias /callable \(named)\n"
                    + "<Location /callable>\nWSGICallableObject %{ENV:NAME}\n</Location>\n"
                    + location("/group", "WSGIProcessGroup %{ENV:NAME}")
                    + location("/application", "WSGIApplicationGroup %{ENV:NAME}")
                    + location("/process", "WSGIProcessGroup %{ENV:SWSGI_TEST_GROUP}")
                    + location("/server", "WSGIApplicationGroup %{SERVER}")
                    + location("/host", "WSGIApplicationGroup %{HOST}")
                    + location("/global", "WSGIApplicationGroup %{GLOBAL}")
                    + "WSGIScriptAlias /rewritten \(entry) process-group=%{ENV:CHOSEN}\n"
                    + "RewriteEngine On\nRewriteRule ^/rewritten/ - [E=CHOSEN:two]\n"
            )
            let rows: [(path: String, name: String?, key: String, value: String)] = [
                ("/group", "one", "process_group", "one"), ("/group", "two", "process_group", "two"),
                ("/process", nil, "process_group", "two"), ("/rewritten", nil, "process_group", "two"),
                ("/application", "mine", "application_group", "mine"),
                ("/application", "%{GLOBAL}", "application_group", ""),
                ("/application", "%{RESOURCE}", "application_group", "localhost:\(server.port)|/application"),
                ("/application", "%{ENV:NAME}", "application_group", "%{ENV:NAME}"),
                ("/server", nil, "application_group", "localhost:\(server.port)"),
                ("http://other.example/host", nil, "application_group", "other.example:\(server.port)"),
                ("/global", nil, "application_group", ""),
            ]
            for row in rows {
                let environ = Facts(
                    try server.get("\(row.path)/environ", headers: row.name.map { ["X-Name: \($0)"] } ?? [])
                )
                #expect(environ["mod_wsgi.\(row.key)"] == row.value, "\(row)")
            }
            #expect(try server.get("/option", headers: ["X-Name: named"]).text == "named\n")
            #expect(try server.get("/callable", headers: ["X-Name: named"]).text == "named\n")
            for path in ["/option", "/callable", "/group", "/application"] {
                #expect(try server.get(path).status == 500, "\(path)")
            }
            // A function of a library is none of the bundle's.
            for name in ["exit", "abort", "nosuch"] {
                #expect(try server.get("/option", headers: ["X-Name: \(name)"]).status == 500, "\(name)")
                try server.logs.waitForLine("SWSGI2020", "'\(name)'")
            }
            try server.logs.waitForLines(4, "SWSGI4120", "variable 'NAME'")
            #expect(try server.get("/group", headers: ["X-Name: %{ENV:NAME}"]).status == 500)
            try server.logs.waitForLine("SWSGI4011", "%{ENV:NAME}")
        }
    }

    // MARK: WSGIRestrictProcess

    @Test func restrictProcess_holdsForTheNameThatARequestEndsUpWith() throws {
        try withServer { server in
            server.announce("SWSGI4121", "SWSGI1184")
            let entry = try server.deploy(.facts, as: "facts")
            try server.write("SetEnv CHOSEN two\n", to: "www/facts/.htaccess")
            func location(_ path: String, _ lines: String...) -> String {
                "<Location \(path)>\n\(lines.joined(separator: "\n"))\n</Location>\n"
            }
            try server.start(
                groups + "WSGIRestrictProcess one two\nWSGIScriptAlias /fixed \(entry) process-group=two\n"
                    + "WSGIScriptAlias / \(entry)\n"
                    + "<Directory \(server.www)>\nRequire all granted\nAllowOverride FileInfo\n"
                    + "WSGIProcessGroup %{ENV:CHOSEN}\n</Directory>\n"
                    + location("/one", "WSGIRestrictProcess one")
                    + location("/case", "WSGIRestrictProcess Two one", "WSGIRestrictProcess Two")
                    + location("/two", "WSGIRestrictProcess one", "WSGIRestrictProcess two")
                    + location("/fixed/one", "WSGIRestrictProcess one")
                    + location("/global", "WSGIRestrictProcess %{GLOBAL}")
            )
            // What .htaccess chooses is the group, as it is in no list of a section.
            for path in ["/x", "/two/x", "/fixed"] {
                #expect(Facts(try server.get("\(path)/environ"))["mod_wsgi.process_group"] == "two", "\(path)")
            }
            for path in ["/one", "/case", "/fixed/one", "/global"] {
                #expect(try server.get("\(path)/environ").status == 500, "\(path)")
            }
            try server.logs.waitForLines(4, "SWSGI4121", "'two'")
            try server.logs.waitForLine("SWSGI1184", "'Two'")
        }
    }
}
