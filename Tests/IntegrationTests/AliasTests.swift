import Foundation
import Testing

/// Ways to say which application answers which URL, and in which process group.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct AliasTests {
    private let groups = """
        WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
        WSGIDaemonProcess two user=\(TestUser.second.name) group=\(TestUser.second.name) threads=2

        """

    private func granted(_ server: TestServer, _ lines: String = "") -> String {
        "<Directory \(server.www)>\nRequire all granted\n\(lines)\n</Directory>\n"
    }

    @Test func options_overrideTheDirectives() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                groups
                    + "WSGIScriptAlias /a \(entry)\n"
                    + "WSGIScriptAlias /b \(entry) process-group=two application-group=special\n"
                    + granted(server, "WSGIProcessGroup one\nWSGIApplicationGroup %{GLOBAL}")
            )
            #expect(Facts(try server.get("/a/environ"))["mod_wsgi.process_group"] == "one")
            let environ = Facts(try server.get("/b/environ"))
            #expect(environ["mod_wsgi.process_group"] == "two")
            #expect(environ["mod_wsgi.application_group"] == "special")
            #expect(try server.facts("/b")["uid"] == "\(TestUser.second.uid)")
        }
    }

    @Test func callableObject_choosesTheFunction() throws {
        try withServer { server in
            try server.write("", to: "www/app/x")
            try CFixture.compile(
                CFixture.answering("\"other\\n\"", symbol: "other_app"),
                to: "\(server.www)/app/app.so"
            )
            let entry = try server.writeEntry("app", ["bundle = app.so"])
            try server.start(
                groups + "WSGIScriptAlias / \(entry) callable-object=other_app process-group=one\n" + granted(server)
            )
            #expect(try server.get("/").text == "other\n")
        }
    }

    @Test func applicationGroup_isNamedByHostAndMountPointByDefault() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                groups + "WSGIScriptAlias /mount \(entry)\n" + granted(server, "WSGIProcessGroup one")
            )
            let group = Facts(try server.get("/mount/environ"))["mod_wsgi.application_group"]
            #expect(group == "localhost:\(server.port)|/mount")
        }
    }

    @Test func directoryOfEntryFiles_isServedFileByFile() throws {
        try withServer { server in
            server.announce("SWSGI4002", "SWSGI4003")
            try server.deploy(.facts, as: "scripts")
            try server.copy(Fixture.versionA.path, to: "\(server.www)/scripts/a.so")
            try server.write("bundle = a.so\n", to: "www/scripts/a.wsgi")
            try server.start(
                groups + "WSGIScriptAlias /run/ \(server.www)/scripts/\n" + granted(server, "WSGIProcessGroup one")
            )
            #expect(try server.get("/run/a.wsgi").text == "version A\n")
            let environ = Facts(try server.get("/run/scripts.wsgi/environ"))
            #expect(environ["SCRIPT_NAME"] == "/run/scripts.wsgi")
            #expect(environ["PATH_INFO"] == "/environ")
            #expect(try server.get("/run/missing.wsgi").status == 404)
            #expect(try server.get("/run/").status == 403)
        }
    }

    @Test func alias_ofTheWholeSiteLeavesOtherAliasesAlone() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(
                groups + "WSGIScriptAlias / \(entry)\nAlias /static \(server.directory)/htdocs\n"
                    + granted(server, "WSGIProcessGroup one")
            )
            #expect(try server.get("/static/static.txt").text == "static\n")
            #expect(try server.get("/").text == "version A\n")
        }
    }

    @Test func longerAlias_winsWhenItComesFirst() throws {
        try withServer { server in
            let a = try server.deploy(.versionA, as: "a")
            let b = try server.deploy(.versionB, as: "b")
            try server.start(
                groups + "WSGIScriptAlias /x/y \(b)\nWSGIScriptAlias /x \(a)\n"
                    + granted(server, "WSGIProcessGroup one")
            )
            #expect(try server.get("/x/y/z").text == "version B\n")
            #expect(try server.get("/x/z").text == "version A\n")
        }
    }

    @Test func addHandler_needsExecCGI() throws {
        try withServer { server in
            server.announce("SWSGI4001")
            server.extraModules = []
            try server.deploy(.versionA, as: "app")
            try server.start(
                groups + "Alias /x \(server.www)/app\nAlias /y \(server.www)/app\n"
                    + granted(server, "WSGIProcessGroup one\nAddHandler wsgi-script .wsgi")
                    + "<Location /x>\nOptions +ExecCGI\n</Location>\n"
            )
            #expect(try server.get("/x/app.wsgi").text == "version A\n")
            #expect(try server.get("/y/app.wsgi").status == 403)
            try server.logs.waitForLine("SWSGI4001")
        }
    }

    @Test func processGroup_byLocationAndByEnvironment() throws {
        try withServer { server in
            server.announce("SWSGI4011")
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                groups + "SetEnvIf X-Group (.+) CHOSEN=$1\nWSGIScriptAlias /a \(entry)\nWSGIScriptAlias /b \(entry)\n"
                    + granted(server, "WSGIProcessGroup one")
                    + "<Location /b>\nWSGIProcessGroup %{ENV:CHOSEN}\n</Location>\n"
            )
            #expect(try server.facts("/a")["uid"] == "\(TestUser.first.uid)")
            let chosen = try server.get("/b", headers: ["X-Group: two"])
            #expect(Facts(chosen)["uid"] == "\(TestUser.second.uid)")
            #expect(try server.get("/b", headers: ["X-Group: nosuch"]).status == 500)
            try server.logs.waitForLine("SWSGI4011", "nosuch")
        }
    }
}
