import Foundation
import Testing

/// Who maps a URL when other modules want it too: mod_alias, mod_rewrite, mod_userdir, mod_vhost_alias, mod_dir, mod_actions, .htaccess.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct NeighbourTests {
    /// A request, and what comes of it.
    private struct Row {
        let url: String
        let seen: Seen
        var status = 200

        /// What the answer is.
        enum Seen {
            /// The application's, with these environ fields.
            case application(script: String, path: String, extra: [String: String] = [:])
            /// A file of httpd's.
            case text(String)
            /// httpd's own answer.
            case status(Int)
        }

        init(_ url: String, _ seen: Seen) {
            self.url = url
            self.seen = seen
        }
    }

    private func check(_ server: TestServer, _ rows: [Row]) throws {
        for row in rows {
            let answer = try server.get("http://\(row.url)", headers: ["Authorization: Basic eDp5"])
            switch row.seen {
            case .application(let script, let path, let extra):
                let environ = Facts(answer)
                #expect(environ["SCRIPT_NAME"] == script, "\(row.url)")
                #expect(environ["PATH_INFO"] == path, "\(row.url)")
                for (name, value) in extra { #expect(environ[name] == value, "\(row.url) \(name)") }
            case .text(let text): #expect(answer.text == text, "\(row.url)")
            case .status(let status): #expect(answer.status == status, "\(row.url)")
            }
        }
    }

    private func host(_ name: String, _ lines: String) -> String {
        "<VirtualHost *>\nServerName \(name).example\n\(lines)\n</VirtualHost>\n"
    }

    /// Directories with static files and entry files; `@` in lines is the directory of them all.
    private func withSites(_ hosts: String, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.extraModules = ["rewrite", "userdir", "vhost_alias", "actions"]
            try server.deploy(.facts, as: "facts")
            let entry = "bundle = \(server.www)/facts/facts.so\n"
            for path in [
                "users/joe/public/app.wsgi", "hosts/a.vh.example/index.wsgi", "ht/site.wsgi", "handlers/app.wsgi",
                "handlers/inner/tool.py",
            ] { try server.write(entry, to: "www/\(path)") }
            for path in ["static", "hosts/a.vh.example", "ht", "users/joe/public", "handlers"] {
                try server.write("file of \(path)\n", to: "www/\(path)/file.txt")
            }
            try server.write(
                """
                Options +ExecCGI
                AddHandler wsgi-script .wsgi
                WSGIPassAuthorization On
                RewriteEngine On
                RewriteCond %{REQUEST_FILENAME} !-f
                RewriteRule ^(.*)$ site.wsgi/$1 [QSA,L]

                """,
                to: "www/ht/.htaccess"
            )
            try server.start(
                """
                WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
                WSGIProcessGroup one
                WSGIApplicationGroup %{GLOBAL}
                <Directory @>
                    Require all granted
                </Directory>
                \(hosts)
                """.replacingOccurrences(of: "@", with: server.www)
            )
            try body(server)
        }
    }

    @Test func otherModules_mapInTheOrderOfModWsgi() throws {
        let lines = [
            host(
                "alias",
                """
                WSGIScriptAlias / @/facts/facts.wsgi
                Alias /static @/static
                AliasMatch ^/media/(.*) @/static/$1
                Redirect /old http://elsewhere.example/new
                """
            ),
            host(
                "rewrite",
                """
                RewriteEngine On
                RewriteRule ^/go/(.*)$ /wsgi/$1 [PT]
                RewriteRule ^/file/(.*)$ @/static/$1 [L]
                RewriteRule ^/keep/ - [E=FLAG:kept]
                RewriteRule ^/keep/gone - [G]
                WSGIScriptAlias /wsgi @/facts/facts.wsgi
                WSGIScriptAlias /keep @/facts/facts.wsgi
                WSGIScriptAlias /file @/facts/facts.wsgi
                """
            ),
            host(
                "user",
                """
                UserDir @/users/*/public
                WSGIScriptAlias /~admin @/facts/facts.wsgi
                <Directory @/users>
                    Options +ExecCGI
                    AddHandler wsgi-script .wsgi
                </Directory>
                """
            ),
            host(
                "vh",
                """
                ServerAlias *.vh.example
                UseCanonicalName Off
                VirtualDocumentRoot @/hosts/%0
                WSGIScriptAlias /app @/facts/facts.wsgi
                <Directory @/hosts>
                    Options +ExecCGI
                    AddHandler wsgi-script .wsgi
                    DirectoryIndex index.wsgi
                </Directory>
                """
            ),
        ]
        try withSites(lines.joined()) { server in
            try check(
                server,
                [
                    Row("alias.example/x/environ", .application(script: "", path: "/x/environ")),
                    Row("alias.example/static/file.txt", .text("file of static\n")),
                    Row("alias.example/media/file.txt", .text("file of static\n")),
                    Row("alias.example/old", .status(302)),
                    Row(
                        "rewrite.example/go/environ?q=1",
                        .application(
                            script: "/wsgi",
                            path: "/environ",
                            extra: ["REQUEST_URI": "http://rewrite.example/go/environ?q=1", "QUERY_STRING": "q=1"]
                        )
                    ),
                    Row("rewrite.example/file/file.txt", .text("file of static\n")),
                    Row(
                        "rewrite.example/keep/environ",
                        .application(script: "/keep", path: "/environ", extra: ["FLAG": "kept"])
                    ),
                    Row("rewrite.example/keep/gone", .status(410)),
                    Row("user.example/~joe/file.txt", .text("file of users/joe/public\n")),
                    Row("user.example/~joe/app.wsgi/environ", .application(script: "/~joe/app.wsgi", path: "/environ")),
                    Row("user.example/~admin/environ", .application(script: "/~admin", path: "/environ")),
                    Row("a.vh.example/file.txt", .text("file of hosts/a.vh.example\n")),
                    Row("a.vh.example/app/environ", .application(script: "/app", path: "/environ")),
                    Row("a.vh.example/index.wsgi/environ", .application(script: "/index.wsgi", path: "/environ")),
                    Row("a.vh.example/", .status(200)), Row("b.vh.example/file.txt", .status(404)),
                ]
            )
        }
    }

    @Test func handlers_areChosenByHttpdsOwnDirectives() throws {
        let lines = [
            host(
                "handlers",
                """
                DocumentRoot @/handlers
                WSGIScriptAlias /script @/facts/facts.wsgi
                Alias /off @/handlers
                <Directory @/handlers>
                    Options +ExecCGI
                    AddHandler wsgi-script .wsgi
                    AddHandler run .run
                    Action run /script virtual
                    <FilesMatch "\\.py$">
                        SetHandler application/x-httpd-wsgi
                    </FilesMatch>
                </Directory>
                <Location /off>
                    Options -ExecCGI
                </Location>
                """
            ),
            host(
                "htaccess",
                """
                DocumentRoot @/ht
                <Directory @/ht>
                    AllowOverride FileInfo Options
                </Directory>
                """
            ),
        ]
        try withSites(lines.joined()) { server in
            server.announce("SWSGI4001")
            try check(
                server,
                [
                    Row("handlers.example/file.txt", .text("file of handlers\n")),
                    Row("handlers.example/app.wsgi/environ", .application(script: "/app.wsgi", path: "/environ")),
                    Row(
                        "handlers.example/inner/tool.py/environ",
                        .application(
                            script: "/inner/tool.py",
                            path: "/environ",
                            extra: ["mod_wsgi.request_handler": "application/x-httpd-wsgi"]
                        )
                    ),
                    Row(
                        "handlers.example/environ.run/environ",
                        .application(script: "/script", path: "/environ.run/environ")
                    ),
                    Row("handlers.example/off/app.wsgi", .status(403)),
                    Row("handlers.example/off/file.txt", .text("file of handlers\n")),
                    Row("htaccess.example/file.txt", .text("file of ht\n")),
                    Row(
                        "htaccess.example/some/environ",
                        .application(
                            script: "/site.wsgi",
                            path: "/some/environ",
                            extra: ["HTTP_AUTHORIZATION": "Basic eDp5"]
                        )
                    ),
                ]
            )
            try server.logs.waitForLine("SWSGI4001", "/handlers/app.wsgi")
        }
    }
}
