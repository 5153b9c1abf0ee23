import Foundation
import Testing

/// An alias that httpd's own access control closes: what is said of it before the first request, and what opens it.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct AccessCheckTests {
    /// The sections of Debian's apache2.conf; what they grant is below `www`.
    private func debiansSections(_ server: TestServer) -> String {
        """
        <Directory />
            Options FollowSymLinks
            AllowOverride None
            Require all denied
        </Directory>
        <Directory \(server.www)/granted/>
            AllowOverride None
            Require all granted
        </Directory>
        <FilesMatch "^\\.ht">
            Require all denied
        </FilesMatch>
        <Location /server-status>
            Require local
        </Location>

        """
    }

    /// README's host as it stood; `access` is what its section says of access.
    private func host(_ server: TestServer, at url: String = "/", in directory: String, _ access: String) -> String {
        """
        WSGIScriptAlias \(url) \(server.www)/\(directory)/\(directory).wsgi process-group=one application-group=%{GLOBAL}
        <Directory \(server.www)/\(directory)>
            AllowOverride None
            \(access)
        </Directory>

        """
    }

    private func group(_ options: String = "") -> String {
        "WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) \(options)\n"
    }

    private static let orderAndAllow = "Order deny,allow\n    Allow from all"

    /// What closes an alias is named by configtest and at start, with the line that has the alias and with the cure.
    @Test(arguments: [orderAndAllow, "", "Require all  Denied"])
    func deniedAlias_isNamedBeforeItsFirstRequest(access: String) throws {
        try withServer { server in
            server.announce("SWSGI1211", "AH01630")
            let entry = try server.deploy(.versionA, as: "app")
            let text = debiansSections(server) + group() + host(server, in: "app", access)
            try server.configure(text)
            let result = try server.signal("configtest")
            let lines = result.errors.split(separator: "\n").filter { $0.contains("SWSGI1211") }
            #expect(lines.count == 1, "\(result.errors)")
            let written = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false)
            let number = (written.firstIndex { $0.hasPrefix("WSGIScriptAlias") } ?? -1) + 1
            let section = access.hasPrefix("Require") ? "\(server.www)/app/" : "/"
            for part in [
                "[wsgi:warn]", "\(server.configurationFile):\(number): ", "of <Directory \(section)>", entry,
                "'Require all granted' in <Directory \(server.www)/app>",
            ] {
                #expect(lines.first?.contains(part) == true, "\(part): \(lines)")
            }
            try server.start(text)
            try server.logs.waitForLine("SWSGI1211", entry)
            // And it is true.
            #expect(try server.get("/").status == 403)
        }
    }

    /// The old form works where Require lets requests pass as well, in the section itself or in one around it, and where
    /// `Satisfy Any` lets one of both be enough.
    @Test(arguments: [
        ("app", "Require all granted"), ("app", "Require all granted\n    \(orderAndAllow)"),
        ("app", "\(orderAndAllow)\n    Satisfy Any"), ("granted", orderAndAllow),
    ])
    func openAlias_answers_andNothingIsSaid(directory: String, access: String) throws {
        try withServer { server in
            try server.deploy(.versionA, as: directory)
            try server.start(debiansSections(server) + group() + host(server, in: directory, access))
            #expect(try server.get("/").text == "version A\n")
            #expect(server.logs.lines(containing: "SWSGI1211").isEmpty)
        }
    }

    /// Embedded mode and virtual hosts are no different; a line that two hosts inherit is named once.
    @Test func deniedAlias_ofAnInheritedLine_isNamedOnce() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "app")
            try server.configure(
                "WSGIScriptAlias / \(server.www)/app/app.wsgi\n"
                    + ["a", "b"].map {
                        "<VirtualHost *>\nServerName \($0).example\n"
                            + "WSGIScriptAlias /\($0) \(server.www)/app/app.wsgi\n</VirtualHost>\n"
                    }.joined()
            )
            let errors = try server.signal("configtest").errors
            #expect(errors.components(separatedBy: "SWSGI1211").count - 1 == 3, "\(errors)")
        }
    }

    /// Whatever else may let requests pass keeps the check silent: it does not cry wolf.
    @Test func aliasThatSomethingElseMayOpen_isNotNamed() throws {
        try withServer { server in
            try server.deploy(.versionA, as: "app")
            let app = "\(server.www)/app"
            let granted = "Require all granted"
            let openers = [
                "<Location /0>\n\(granted)\n</Location>",
                "<LocationMatch ^/1>\n\(granted)\n</LocationMatch>",
                "<Directory \(server.www)/*>\n<Files app.wsgi>\n\(granted)\n</Files>\n</Directory>",
                "<DirectoryMatch app\\.wsgi$>\n\(granted)\n</DirectoryMatch>",
                "<Directory \(app)>\n<If \"true\">\n\(granted)\n</If>\n</Directory>",
                "<Directory \(app)>\nAllowOverride AuthConfig\n</Directory>",
                "<Directory \(app)>\n<RequireAny>\nRequire all denied\nRequire local\n</RequireAny>\n</Directory>",
                "<Directory \(app)>\nRequire all denied\nRequire local\n</Directory>",
                "<Directory \(app)>\n<LimitExcept PUT>\nRequire all denied\n</LimitExcept>\n</Directory>",
                "<Directory \(app)>\nAuthMerging And\nRequire all denied\n</Directory>",
                "<Directory \(app)>\nOrder deny,allow\nSatisfy Any\n</Directory>",
                "<Directory ~ \"/ap.\\.wsgi\">\n\(granted)\n</Directory>",
            ]
            for (number, opener) in openers.enumerated() {
                try server.configure(
                    debiansSections(server) + "WSGIScriptAlias /\(number) \(app)/app.wsgi\n" + opener
                )
                let result = try server.signal("configtest")
                #expect(result.status == 0, "\(opener): \(result.errors)")
                #expect(!result.errors.contains("SWSGI1211"), "\(opener): \(result.errors)")
            }
            // Sections of other places don't.
            let others = [
                "<Location /other>\n\(granted)\n</Location>", "<Directory \(app)x>\n\(granted)\n</Directory>",
            ]
            for other in others {
                try server.configure(debiansSections(server) + "WSGIScriptAlias / \(app)/app.wsgi\n" + other)
                #expect(try server.signal("configtest").errors.contains("SWSGI1211"), "\(other)")
            }
        }
    }

    /// The module looks at Require; where nothing obeys it, it is refused as before.
    @Test func require_withoutItsModule_isAMistake() throws {
        try withServer { server in
            let head = server.configurationHead.split(separator: "\n").filter {
                !$0.contains("authz_") && !$0.contains("access_compat") && !$0.contains("Require")
            }
            try server.write(
                head.joined(separator: "\n") + "\n<Directory /srv>\nRequire all denied\n</Directory>\n",
                to: server.configurationFile
            )
            let result = try server.signal("configtest")
            #expect(result.status != 0)
            #expect(result.errors.contains("Require needs mod_authz_core"), "\(result.errors)")
        }
    }
}
