import Foundation
import Testing

/// What goes wrong with access scripts and the like: the request is refused then.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct ScriptFaultTests {
    private let asked = "WSGIDaemonProcess asked user=\(TestUser.first.name) threads=2 "

    private func granted(_ server: TestServer) -> String {
        "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
    }

    private func location(_ name: String, _ lines: String) -> String { "<Location /\(name)>\n\(lines)\n</Location>\n" }

    @Test func scriptThatEndsItsProcess_isAnswered502_andTakesNothingOfHttpdAlong() throws {
        try withServer { server in
            server.announceCrashes()
            let script = try server.deploy(.scripts, as: "scripts")
            try server.write("served\n", to: "htdocs/access/file")
            try server.start(
                asked + "request-timeout=1\n" + granted(server)
                    + location("access", "WSGIAccessScript \(script) process-group=asked")
            )
            let children = Set(server.children.map(\.pid))
            func status(_ answer: String) throws -> Int {
                try server.get("/access/file", headers: ["X-Access: \(answer)"]).status
            }
            #expect(try status("crash") == 502)
            try server.logs.waitForLine("SWSGI4022", "GET /access/file", script)
            #expect(try status("exit") == 502)
            #expect(try status("wait") == 504)
            try server.logs.waitForLine("request-timeout", "allow_access")
            #expect(try status("allow") == 200)
            #expect(children.isSubset(of: Set(server.children.map(\.pid))))
        }
    }

    @Test func responseThatIsNoAnswer_refusesTheRequest() throws {
        try withServer { server in
            server.announce("SWSGI4131", "SWSGI4133", "SWSGI2020", "SWSGI4028", "SWSGI1019")
            server.extraModules = ["auth_basic", "authn_core", "authz_user"]
            let script = try server.deploy(.scripts, as: "scripts")
            let plain = CFixture.answering("\"welcome\\n\"", symbol: "allow_access")
            try server.write("", to: "www/plain/x")
            try CFixture.compile(plain, to: "\(server.www)/plain/plain.so")
            let impostor = try server.writeEntry("plain", ["bundle = plain.so"])
            let lacking = try server.deploy(.versionA, as: "lacking")
            let twice = CFixture.answering(
                "\"\"",
                symbol: "allow_access",
                before: "#define start_response(e, s, r, h, n) start_response(e, s, r, both, 2)\n" + Self.headers
            )
            try server.write("", to: "www/twice/x")
            try CFixture.compile(twice, to: "\(server.www)/twice/twice.so")
            let double = try server.writeEntry("twice", ["bundle = twice.so"])
            for name in ["impostor", "lacking", "twice", "missing", "user", "group"] {
                try server.write("served\n", to: "htdocs/\(name)/file")
            }
            let basic = "AuthType Basic\nAuthName x\nAuthBasicProvider wsgi\n"
            try server.start(
                asked + "\n" + granted(server)
                    + location("impostor", "WSGIAccessScript \(impostor) process-group=asked")
                    + location("lacking", "WSGIAccessScript \(lacking)")
                    + location("twice", "WSGIAccessScript \(double)")
                    + location("missing", "WSGIAccessScript /nonexistent/x.wsgi")
                    + location("user", basic + "Require valid-user")
                    + location("group", basic + "WSGIAuthUserScript \(script)\nRequire wsgi-group staff")
            )
            for name in ["impostor", "lacking", "twice", "missing"] {
                let response = try server.get("/\(name)/file")
                #expect(response.status == 500, "\(name)")
                #expect(!response.text.contains("welcome") && !response.text.contains("served"))
            }
            try server.logs.waitForLine("SWSGI4131", "status 200 without an answer", impostor)
            try server.logs.waitForLine("SWSGI4131", "several answers", double)
            try server.logs.waitForLine("SWSGI4133", "/nonexistent/x.wsgi", "allow_access")
            let alice = "Authorization: Basic " + Data("alice:secret".utf8).base64EncodedString()
            #expect(try server.get("/user/file", headers: [alice]).status == 500)
            try server.logs.waitForLine("SWSGI4133", "WSGIAuthUserScript")
            #expect(try server.get("/group/file", headers: [alice]).status == 500)
            try server.logs.waitForLine("SWSGI4133", "WSGIAuthGroupScript")
        }
    }

    private static let headers = """
        static const swsgi_header both[2] = {{{"SWSGI-Answer", 12}, {"yes", 3}}, {{"swsgi-answer", 12}, {"no", 2}}};

        """

    @Test func scriptFunction_servesNoRequests() throws {
        try withServer { server in
            server.announce("SWSGI4023", "NotAsked")
            let script = try server.deploy(.scripts, as: "scripts")
            try server.start(
                asked
                    + "\nWSGIScriptAlias / \(script) process-group=asked application-group=%{GLOBAL} callable-object=check_password\n"
                    + granted(server)
            )
            #expect(try server.get("/", headers: ["SWSGI.Question: check_password"]).status == 500)
            try server.logs.waitForLine("NotAsked", "'check_password' is asked by httpd")
        }
    }

    /// The question comes before the request, on the same thread and connection.
    @Test(arguments: ScriptTests.places) func askedRequest_keepsItsBodyAndItsOwnDeadlines(place: String) throws {
        try withServer { server in
            let script = try server.deploy(.scripts, as: "scripts")
            let echo = try server.deploy(.echo, as: "echo")
            try server.start(
                asked + "\n"
                    + server.application(echo, at: "/echo", inDirectory: "WSGIAccessScript \(script) \(place)")
                    + "<Directory \(server.www)/scripts>\nRequire all granted\n</Directory>\n"
            )
            let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
            let connection = try HTTPConnection(port: server.port)
            for _ in 0..<3 {
                let answer = try connection.request("POST", "/echo/echo", headers: ["X-Access: allow"], body: body)
                #expect(answer.status == 200)
                #expect(answer.body == body)
            }
        }
    }

    /// Writes a bundle, `www/NAME/script.so`, that always gives one verdict on access.
    private func write(_ verdict: String, to name: String, _ server: TestServer) throws {
        let source = CFixture.answering(
            "\"\"",
            symbol: "allow_access",
            before: "#define start_response(e, s, r, h, n) start_response(e, s, r, one, 1)\n"
                + "static const swsgi_header one[1] = {{{\"SWSGI-Answer\", 12}, {\"\(verdict)\", \(verdict.count)}}};\n"
        )
        try CFixture.compile(source, to: "\(server.www)/\(name)/new.so")
        try run("/bin/mv", ["\(server.www)/\(name)/new.so", "\(server.www)/\(name)/script.so"]).check()
    }

    @Test func touchedScript_isReloaded_inAProcessGroupAndInHttpd() throws {
        try withServer { server in
            server.announce("SWSGI4130")
            try server.write("served\n", to: "htdocs/group/file")
            try server.write("served\n", to: "htdocs/httpd/file")
            var lines = asked + "\n" + granted(server)
            for (name, place) in [("group", "process-group=asked"), ("httpd", "")] {
                try server.write("bundle = script.so\n", to: "www/\(name)/script.wsgi")
                try write("yes", to: name, server)
                lines += location(name, "WSGIAccessScript \(server.www)/\(name)/script.wsgi \(place)")
            }
            try server.start(lines)
            for name in ["group", "httpd"] {
                #expect(try server.get("/\(name)/file").status == 200)
                try write("no", to: name, server)
                server.touch("\(server.www)/\(name)/script.wsgi")
                #expect(try server.get("/\(name)/file").status == 403, "\(name)")
            }
        }
    }

    @Test func htaccess_namesScripts_whereAuthConfigIsAllowed() throws {
        try withServer { server in
            server.announce("SWSGI4130", "/.htaccess: ", "SWSGI4020", "SWSGI4121")
            let script = try server.deploy(.scripts, as: "scripts")
            for (name, text) in [
                ("good", "WSGIAccessScript \(script)"), ("unknown", "WSGIAccessScript \(script) process-group=nosuch"),
                ("bad", "WSGIAccessScript \(script) symbol=x"),
                ("closed", "WSGIAccessScript \(script) process-group=other"),
            ] {
                try server.write("\(text)\n", to: "htdocs/\(name)/.htaccess")
                try server.write("served\n", to: "htdocs/\(name)/file")
            }
            try server.start(
                asked + "\nWSGIDaemonProcess other user=\(TestUser.second.name)\n" + granted(server)
                    + "<Directory \(server.directory)/htdocs>\nAllowOverride AuthConfig\nWSGIRestrictProcess asked %{GLOBAL}\n</Directory>\n"
            )
            func status(_ name: String, _ answer: String) throws -> Int {
                try server.get("/\(name)/file", headers: ["X-Access: \(answer)"]).status
            }
            #expect(try status("good", "allow") == 200)
            #expect(try status("good", "deny") == 403)
            #expect(try status("unknown", "allow") == 500)
            #expect(try status("bad", "allow") == 500)
            #expect(try status("closed", "allow") == 500)
        }
    }

    @Test func restrictEmbedded_isForApplications_andSaysSo() throws {
        try withServer { server in
            server.announce("SWSGI4130", "SWSGI4100", "SWSGI1171")
            server.settings = "WSGIRestrictEmbedded On\n"
            let script = try server.deploy(.scripts, as: "scripts")
            try server.write("served\n", to: "htdocs/access/file")
            try server.start(
                granted(server) + "WSGIScriptAlias /app \(script)\n" + location("access", "WSGIAccessScript \(script)")
            )
            try server.logs.waitForLine("SWSGI1190", "WSGIAccessScript", "process-group=")
            #expect(try server.get("/access/file", headers: ["X-Access: allow"]).status == 200)
            #expect(try server.get("/access/file", headers: ["X-Access: deny"]).status == 403)
            #expect(try server.get("/app").status == 500)
            try server.logs.waitForLine("SWSGI4100")
        }
    }

    /// What a request chooses, and what an `.htaccess` file says, brings a script into httpd only where that is allowed.
    @Test(arguments: [false, true]) func scriptOfOthers_runsInHttpd_onlyWhereItMay(isRestricted: Bool) throws {
        try withServer { server in
            server.announce("SWSGI4121", "SWSGI4100", "SWSGI1183", "SWSGI1190")
            server.settings = isRestricted ? "WSGIRestrictEmbedded On\n" : ""
            let script = try server.deploy(.scripts, as: "scripts")
            let overrides = [
                "none": "WSGIAccessScript \(script)", "global": "WSGIAccessScript \(script) process-group=%{GLOBAL}",
                "named": "WSGIAccessScript \(script) process-group=asked", "open": "WSGIAccessScript \(script)",
            ]
            for (name, line) in overrides {
                try server.write(line + "\n", to: "htdocs/\(name)/.htaccess")
                try server.write("served\n", to: "htdocs/\(name)/file")
            }
            for name in ["variable", "own"] { try server.write("served\n", to: "htdocs/\(name)/file") }
            let allowed = "WSGIRestrictProcess asked\n"
            let sections = overrides.keys.sorted().map { name in
                "<Directory \(server.directory)/htdocs/\(name)>\nAllowOverride AuthConfig\n"
                    + (name == "open" ? "" : allowed) + "</Directory>\n"
            }
            try server.start(
                asked + "\n" + granted(server) + sections.joined() + "SetEnvIf X-PG (.+) PG=$1\n"
                    + location("variable", "WSGIAccessScript \(script) process-group=%{ENV:PG}\n" + allowed)
                    + location("own", "WSGIAccessScript \(script)\n" + allowed)
            )
            func status(_ name: String, group: String = "asked") throws -> Int {
                try server.get("/\(name)/file", headers: ["X-Access: allow", "X-PG: \(group)"]).status
            }
            #expect(try status("named") == 200)
            #expect(try status("variable") == 200)
            // The administrator's own script without a group is none of requests.
            #expect(try status("own") == 200)
            #expect(try status("variable", group: "%{GLOBAL}") == 500)
            #expect(try status("none") == 500)
            #expect(try status("global") == 500)
            try server.logs.waitForLines(3, "SWSGI4121", "does not allow process group '%{GLOBAL}'")
            #expect(try status("open") == (isRestricted ? 500 : 200))
            if isRestricted { try server.logs.waitForLine("SWSGI4100", script) }
        }
    }

    @Test(arguments: ["prefork", "worker"]) func crashInHttpd_takesOneChild_andNamesTheScript(multiProcessing: String)
        throws
    {
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.announce("AH00051", "AH00052", "SWSGI4110")
            server.announcesRawLines = true
            let script = try server.deploy(.scripts, as: "scripts")
            try server.write("served\n", to: "htdocs/access/file")
            try server.start(granted(server) + location("access", "WSGIAccessScript \(script)"))
            #expect(try server.get("/access/file", headers: ["X-Access: allow"]).text == "served\n")
            #expect(throws: (any Error).self) { try server.get("/access/file", headers: ["X-Access: crash"]) }
            try server.logs.waitForLine("SWSGI4110", "GET /access/file", script)
            try eventually("an answer") {
                try server.get("/access/file", headers: ["X-Access: allow"]).text == "served\n"
            }
        }
    }

    /// A page with parts: httpd asks for each of them, in the middle of the request for the page.
    @Test(arguments: ScriptTests.places) func subrequests_areAskedAboutToo(place: String) throws {
        try withServer { server in
            server.announce("SWSGI4130", "unable to include \"/part/file\"")
            server.extraModules = ["include", "negotiation", "filter"]
            let script = try server.deploy(.scripts, as: "scripts")
            let echo = try server.deploy(.versionA, as: "app")
            try server.write(
                "<!--#include virtual=\"/part/file\" --><!--#include virtual=\"/app\" -->end\n",
                to: "htdocs/page.shtml"
            )
            try server.write("part\n", to: "htdocs/part/file")
            try server.write("bundle = script.so\n", to: "www/no/script.wsgi")
            try write("no", to: "no", server)
            try server.start(
                asked + "\n" + granted(server) + "WSGIScriptAlias /app \(echo) process-group=asked\n"
                    + "<Directory \(server.directory)/htdocs>\nOptions +Includes\nAddOutputFilter INCLUDES .shtml\n</Directory>\n"
                    + location("", "WSGIAccessScript \(script) \(place)")
                    + location("part", "WSGIAccessScript \(server.www)/no/script.wsgi \(place)")
            )
            let page = try server.get("/page.shtml", headers: ["X-Access: allow"])
            #expect(page.status == 200)
            #expect(page.text.hasPrefix("[an error occurred"))
            #expect(page.text.hasSuffix("version A\nend\n"))
            try server.logs.waitForLine("SWSGI4130", "www/no/script.wsgi")
            #expect(try server.get("/page.shtml", headers: ["X-Access: deny"]).status == 403)
        }
    }
}
