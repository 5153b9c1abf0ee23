import Foundation
import Testing

/// Every key of the environ, and every status that the module gives by itself, under each of httpd's process models.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct EnvironTests {
    /// What a key must be.
    private enum Value {
        case text(String)
        case absent
        /// A decimal number with six decimals, of seconds since 1970.
        case time
        case number
        case something
    }

    private struct Row {
        let target: String
        var method = "GET"
        var headers: [String] = []
        let values: [(key: String, value: Value)]
    }

    private static let lines = """
        LogFormat "%L %U" ids
        CustomLog logs/ids.log ids
        ServerAdmin admin@example.com
        SetEnv FROM_SETENV one
        SetEnvIf X-Flag (.+) FROM_SETENVIF=$1
        PassEnv SWSGI_TEST_SERVER
        RewriteEngine On
        RewriteRule ^/mount/rewritten/(.*)$ - [E=FROM_REWRITE:$1]
        RewriteRule ^/internal/(.*)$ /mount/$1?added=1 [PT,QSA]
        RewriteRule ^/perdir/(.*)$ /mount/$1 [PT]
        Alias /missing @/htdocs/missing
        ErrorDocument 404 /mount/document/environ
        <Location /mount/current>
            CGIVar REQUEST_URI current-uri
        </Location>
        <Location /mount/private>
            AuthType Basic
            AuthName test
            AuthUserFile @/users
            Require valid-user
        </Location>

        """

    private static let rows = [
        Row(
            target: "/mount/a%20b/environ?x=%20y&z",
            headers: ["X-Custom-Name: some value", "Content-Type: text/x; q=1", "X-Flag: two", "Cookie: a=b"],
            values: [
                ("REQUEST_METHOD", .text("GET")), ("REQUEST_URI", .text("/mount/a%20b/environ?x=%20y&z")),
                ("QUERY_STRING", .text("x=%20y&z")), ("SCRIPT_NAME", .text("/mount")),
                ("PATH_INFO", .text("/a b/environ")),
                ("SERVER_PROTOCOL", .text("HTTP/1.1")), ("REQUEST_SCHEME", .text("http")),
                ("SERVER_NAME", .text("localhost")),
                ("SERVER_PORT", .number), ("SERVER_ADDR", .text("127.0.0.1")), ("REMOTE_ADDR", .text("127.0.0.1")),
                ("REMOTE_PORT", .number), ("SERVER_SOFTWARE", .something), ("SERVER_ADMIN", .text("admin@example.com")),
                ("DOCUMENT_ROOT", .text("@/htdocs")), ("CONTEXT_DOCUMENT_ROOT", .text("@/htdocs")),
                ("CONTEXT_PREFIX", .text("")),
                ("SCRIPT_FILENAME", .text("@/www/app/app.wsgi")), ("HTTP_HOST", .text("localhost")),
                ("HTTP_X_CUSTOM_NAME", .text("some value")), ("CONTENT_TYPE", .text("text/x; q=1")),
                ("HTTP_COOKIE", .text("a=b")),
                ("HTTP_CONTENT_TYPE", .absent), ("CONTENT_LENGTH", .absent), ("UNIQUE_ID", .something),
                ("FROM_SETENV", .text("one")),
                ("FROM_SETENVIF", .text("two")), ("SWSGI_TEST_SERVER", .text("@")), ("REMOTE_USER", .absent),
                ("AUTH_TYPE", .absent),
                ("wsgi.version", .text("1.0")), ("wsgi.url_scheme", .text("http")), ("wsgi.multithread", .text("true")),
                ("wsgi.multiprocess", .text("false")), ("wsgi.run_once", .text("false")),
                ("wsgi.input_terminated", .text("true")),
                ("mod_wsgi.process_group", .text("one")), ("mod_wsgi.application_group", .text("")),
                ("mod_wsgi.callable_object", .text("application")), ("mod_wsgi.request_handler", .text("wsgi-script")),
                ("mod_wsgi.handler_script", .text("")), ("mod_wsgi.script_name", .text("/mount")),
                ("mod_wsgi.path_info", .text("/a b/environ")), ("mod_wsgi.mount_point", .absent),
                ("mod_wsgi.listener_host", .something),
                ("mod_wsgi.listener_port", .number), ("mod_wsgi.server_pid", .number),
                ("mod_wsgi.request_id", .something),
                ("mod_wsgi.connection_id", .something), ("mod_wsgi.request_start", .time),
                ("mod_wsgi.queue_start", .time),
                ("mod_wsgi.daemon_start", .time), ("mod_wsgi.application_start", .time),
                ("mod_wsgi.thread_id", .number),
                ("mod_wsgi.version", .something), ("apache.version", .something), ("PATH_TRANSLATED", .absent),
                ("GATEWAY_INTERFACE", .absent), ("SERVER_SIGNATURE", .absent), ("REMOTE_HOST", .absent),
                ("REMOTE_IDENT", .absent),
                ("PATH", .absent), ("LD_LIBRARY_PATH", .absent), ("HTTPS", .absent), ("HTTP_PROXY", .absent),
            ]
        ),
        Row(target: "/mount/environ", values: [("QUERY_STRING", .text("")), ("FROM_REWRITE", .absent)]),
        Row(
            target: "/mount/environ",
            method: "POST",
            headers: ["Content-Length: 0"],
            values: [
                ("REQUEST_METHOD", .text("POST")), ("CONTENT_LENGTH", .text("0")), ("HTTP_CONTENT_LENGTH", .absent),
            ]
        ),
        Row(target: "/mount/rewritten/environ", values: [("FROM_REWRITE", .text("environ"))]),
        Row(target: "/mount/current/environ?a", values: [("REQUEST_URI", .text("/mount/current/environ"))]),
        Row(
            target: "/internal/environ?b=2",
            values: [
                ("SCRIPT_NAME", .text("/mount")), ("PATH_INFO", .text("/environ")),
                ("QUERY_STRING", .text("added=1&b=2")),
                ("REQUEST_URI", .text("/internal/environ?b=2")),
            ]
        ),
        Row(
            target: "/mount/private/environ",
            headers: ["Authorization: Basic dXNlcjpzZWNyZXQ="],
            values: [
                ("REMOTE_USER", .text("user")), ("AUTH_TYPE", .text("Basic")), ("HTTP_AUTHORIZATION", .absent),
            ]
        ),
        Row(
            target: "/missing?q",
            values: [
                ("REDIRECT_STATUS", .text("404")), ("REDIRECT_URL", .text("/missing")),
                ("REDIRECT_QUERY_STRING", .text("q")),
                ("REQUEST_URI", .text("/missing?q")), ("PATH_INFO", .text("/document/environ")),
                ("REDIRECT_FROM_SETENV", .text("one")),
            ]
        ),
    ]

    @Test(arguments: ["event", "worker", "prefork"])
    func everyKey_hasItsValue(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.extraModules += ["unique_id", "rewrite", "auth_basic", "authn_core", "authn_file", "authz_user"]
            try server.write("user:secret\n", to: "users")
            // As htpasswd -p would: plain text is for other platforms, so a hash by openssl.
            let hash = try run("/usr/bin/openssl", ["passwd", "-apr1", "secret"]).check().output
            try server.write("user:" + hash, to: "users")
            let entry = try server.deploy(.facts, as: "app")
            let lines = Self.lines.replacingOccurrences(of: "@", with: server.directory)
                .replacingOccurrences(of: "admin\(server.directory)example", with: "admin@example")
            try server.start(server.application(entry, at: "/mount") + lines)
            let connection = try HTTPConnection(port: server.port)
            for row in Self.rows {
                let response = try connection.request(row.method, row.target, headers: row.headers)
                let facts = Facts(response)
                for (key, value) in row.values {
                    let seen = facts[key]
                    let place = "\(row.method) \(row.target): \(key) is \(seen ?? "not there")"
                    switch value {
                    case .text(let text):
                        let wanted = text.replacingOccurrences(
                            of: "@",
                            with: text.contains("@e") ? "@" : server.directory
                        )
                        #expect(seen == wanted, "\(place)")
                    case .absent: #expect(seen == nil, "\(place)")
                    case .time: #expect(Self.isTime(seen), "\(place)")
                    case .number: #expect(seen.flatMap { Int($0) } != nil, "\(place)")
                    case .something: #expect(seen?.isEmpty == false, "\(place)")
                    }
                }
            }
            let environ = Facts(try connection.get("/mount/ids/environ"))
            let id = try #require(environ["mod_wsgi.request_id"])
            try eventually("the id in httpd's own log") {
                try String(contentsOfFile: server.directory + "/logs/ids.log", encoding: .utf8).contains(
                    "\(id) /mount/ids/environ"
                )
            }
        }
    }

    private static func isTime(_ text: String?) -> Bool {
        guard let text, let seconds = Double(text), let point = text.firstIndex(of: ".") else { return false }
        return abs(seconds - Date().timeIntervalSince1970) < 600 && text[point...].count == 7
    }

    // MARK: Statuses

    @Test(arguments: ["event", "worker", "prefork"])
    func everyCheckBeforeTheApplication_hasItsStatus(multiProcessing: String) throws {
        let lines = """
            WSGIScriptAlias /missing @/www/app/missing.wsgi process-group=one
            WSGIScriptAlias /directory @/www/app process-group=one
            Alias /plain @/www/plain
            <Directory @/www/plain>
                Require all granted
                AddHandler wsgi-script .wsgi
                WSGIProcessGroup one
            </Directory>
            <Location /app/noinfo>
                AcceptPathInfo Off
            </Location>
            <Location /app/nochunks>
                WSGIChunkedRequest Off
            </Location>
            <Location /app/small>
                LimitRequestBody 10
            </Location>
            <Location /app/unknown>
                SetEnvIf Host . NO_GROUP=nosuch
                WSGIProcessGroup %{ENV:NO_GROUP}
            </Location>
            <Location /app/undefined>
                WSGIProcessGroup %{ENV:NO_GROUP}
            </Location>
            <VirtualHost *>
                ServerName localhost
            </VirtualHost>
            <VirtualHost *>
                ServerName other.example
                WSGIDaemonProcess foreign user=\(TestUser.first.name) group=\(TestUser.first.name)
                WSGIScriptAlias / @/www/app/app.wsgi process-group=foreign
                <Directory @/www/app>
                    Require all granted
                </Directory>
            </VirtualHost>
            <VirtualHost *>
                ServerName third.example
                SetEnvIf Host . GROUP=foreign
                WSGIScriptAlias / @/www/app/app.wsgi process-group=%{ENV:GROUP}
            </VirtualHost>

            """
        let chunks = "Transfer-Encoding: chunked"
        let rows: [(target: String, lines: [String], body: String, status: Int, code: String)] = [
            ("/plain/app.wsgi", [], "", 403, "SWSGI4001"), ("/missing", [], "", 404, "SWSGI4002"),
            ("/directory/", [], "", 403, "SWSGI4003"), ("/app/noinfo/x", [], "", 404, "SWSGI4004"),
            ("/app/nochunks", [chunks], "0\r\n\r\n", 411, "SWSGI4050"),
            ("/app/x", ["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n", 501, "SWSGI4053"),
            ("/app/small", ["Content-Length: 11"], "12345678901", 413, "SWSGI4051"),
            ("/app/x", ["Content-Length: x"], "", 400, ""),
            ("/app/undefined", [], "", 500, "SWSGI4120"), ("/app/unknown", [], "", 500, "SWSGI4011"),
            ("/", ["X-Host: third.example"], "", 500, "SWSGI4012"), ("/broken", [], "", 500, "SWSGI4028"),
        ]
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.announce("SWSGI40", "SWSGI4120", "SWSGI1019", "SWSGI2", "AH00567", "AH0")
            let entry = try server.deploy(.facts, as: "app")
            try server.write("bundle = nosuch.so\n", to: "www/app/broken.wsgi")
            try server.write("bundle = app.so\n", to: "www/plain/app.wsgi")
            try server.start(
                "WSGIScriptAlias /broken \(server.www)/app/broken.wsgi process-group=one application-group=%{GLOBAL}\n"
                    + server.application(entry, at: "/app")
                    + lines.replacingOccurrences(of: "@", with: server.directory)
            )
            for row in rows {
                let connection = try HTTPConnection(port: server.port)
                let host = row.lines.first { $0.hasPrefix("X-Host: ") }.map { String($0.dropFirst(8)) } ?? "localhost"
                let head =
                    ["POST \(row.target) HTTP/1.1", "Host: \(host)"] + row.lines.filter { !$0.hasPrefix("X-Host") }
                try connection.send(head.joined(separator: "\r\n") + "\r\n\r\n" + row.body)
                #expect(try connection.response(to: "POST").status == row.status, "\(row)")
                if !row.code.isEmpty { try server.logs.waitForLines(1, row.code) }
            }
            #expect(try server.get("/app/environ").status == 200)
        }
    }
}
