import Foundation
import Testing

/// One request at a time: what the application is told, and what the client gets.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct RequestTests {
    private func withFacts(at url: String = "/", lines: String = "", _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry, at: url, options: "threads=2") + lines)
            try body(server)
        }
    }

    @Test func environ_hasTheKeysOfCGI() throws {
        try withFacts(at: "/mount") { server in
            let environ = Facts(
                try server.get("/mount/environ?a=b&c=%20d", headers: ["X-Custom-Name: some value", "Accept: text/x"])
            )
            let wanted = [
                "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/mount", "PATH_INFO": "/environ",
                "QUERY_STRING": "a=b&c=%20d", "REQUEST_URI": "/mount/environ?a=b&c=%20d", "SERVER_NAME": "localhost",
                "SERVER_PORT": "\(server.port)", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_ADDR": "127.0.0.1",
                "REMOTE_ADDR": "127.0.0.1", "REQUEST_SCHEME": "http", "HTTP_X_CUSTOM_NAME": "some value",
                "HTTP_ACCEPT": "text/x", "HTTP_HOST": "localhost", "SCRIPT_FILENAME": "\(server.www)/app/app.wsgi",
                "DOCUMENT_ROOT": "\(server.directory)/htdocs",
            ]
            for (name, value) in wanted { #expect(environ[name] == value, "\(name)") }
            #expect(environ["REMOTE_PORT"].flatMap { Int($0) } != nil)
            #expect(environ["SERVER_SOFTWARE"]?.hasPrefix("Apache/2.4") == true)
        }
    }

    @Test func environ_hasTheKeysOfWSGIAndOfTheModule() throws {
        try withFacts(at: "/mount") { server in
            let environ = Facts(try server.get("/mount/environ"))
            #expect(environ["wsgi.url_scheme"] == "http")
            for name in [
                "wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "wsgi.input_terminated",
            ] {
                #expect(environ[name] != nil, "\(name)")
            }
            let child = environ["mod_wsgi.server_pid"].flatMap { Int32($0) }
            #expect(server.children.contains { $0.pid == child })
            let wanted = [
                "mod_wsgi.process_group": "one", "mod_wsgi.application_group": "",
                "mod_wsgi.callable_object": "application", "mod_wsgi.request_handler": "wsgi-script",
                "mod_wsgi.script_name": "/mount", "mod_wsgi.path_info": "/environ",
                "mod_wsgi.listener_host": "127.0.0.1", "mod_wsgi.listener_port": "\(server.port)",
            ]
            for (name, value) in wanted { #expect(environ[name] == value, "\(name)") }
            for name in ["mod_wsgi.request_start", "mod_wsgi.queue_start", "mod_wsgi.daemon_start"] {
                #expect(environ[name].flatMap { Double($0) } ?? 0 > 1_700_000_000, "\(name): \(environ[name] ?? "")")
            }
        }
    }

    @Test(arguments: [
        ("threads=1", "false", "false"), ("threads=4", "true", "false"), ("processes=1 threads=2", "true", "true"),
        ("processes=2 threads=1", "false", "true"),
    ])
    func environ_saysWhetherOthersRun(options: String, multithread: String, multiprocess: String) throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry, options: options))
            let environ = Facts(try server.get("/environ"))
            #expect(environ["wsgi.multithread"]?.lowercased() == multithread)
            #expect(environ["wsgi.multiprocess"]?.lowercased() == multiprocess)
            #expect(environ["wsgi.run_once"]?.lowercased() == "false")
        }
    }

    @Test func environ_keepsDangerousHeadersOut() throws {
        try withFacts { server in
            let headers = ["Proxy: evil", "Authorization: Basic eDp5", "X_Under_Score: a", "X.Dot: b"]
            let environ = Facts(try server.get("/environ", headers: headers))
            for name in ["HTTP_PROXY", "HTTP_AUTHORIZATION", "HTTP_X_UNDER_SCORE", "HTTP_X_DOT"] {
                #expect(environ[name] == nil, "\(name)")
            }
        }
    }

    @Test func setEnv_reachesTheEnvironAndNotTheProcess() throws {
        try withFacts(lines: "SetEnv FROM_CONFIGURATION yes\n") { server in
            let environ = Facts(try server.get("/environ"))
            #expect(environ["FROM_CONFIGURATION"] == "yes")
            let facts = try server.facts()
            #expect(facts["env.FROM_CONFIGURATION"] == nil)
        }
    }

    @Test(arguments: [
        ("/", "/a/b", "", "/a/b"), ("/", "/", "", "/"), ("/app", "/app", "/app", ""), ("/app", "/app/", "/app", "/"),
        ("/app", "/app/x%20y", "/app", "/x y"), ("/app", "//app//x", "/app", "/x"), ("/", "/%C3%A4", "", "/ä"),
        ("/a/b", "/a/b/environ", "/a/b", "/environ"),
    ])
    func mountPoint_dividesTheURL(mount: String, url: String, script: String, path: String) throws {
        try withServer { server in
            try server.write("", to: "www/app/x")
            let pieces = "join(host, exchange)"
            let source = """
                #include <stdio.h>
                static __thread char text[512];
                static const char *join(const swsgi_host *host, swsgi_exchange *exchange) {
                    swsgi_text script = {"?", 1}, path = {"?", 1};
                    host->environ_get(exchange, "SCRIPT_NAME", 11, &script);
                    host->environ_get(exchange, "PATH_INFO", 9, &path);
                    snprintf(text, sizeof text, "[%.*s][%.*s]", (int)script.length, script.bytes, (int)path.length, path.bytes);
                    return text;
                }
                """
            try CFixture.compile(CFixture.answering(pieces, before: source), to: "\(server.www)/app/app.so")
            try server.start(server.application(try server.writeEntry("app", ["bundle = app.so"]), at: mount))
            #expect(try server.get(url).text == "[\(script)][\(path)]")
        }
    }

    @Test func mountPoint_endsAtAPathBoundary() throws {
        try withFacts(at: "/app") { server in
            let beyond = try server.get("/application")
            #expect(beyond.status == 404)
            #expect(try server.get("/app/x").status == 200)
        }
    }

    @Test func headRequest_hasTheHeadersAndNoBody() throws {
        try withFacts { server in
            let connection = try HTTPConnection(port: server.port)
            let response = try connection.request("HEAD", "/environ")
            #expect(response.status == 200)
            #expect(response["Content-Type"] == "text/plain; charset=utf-8")
            #expect(try connection.get("/environ").status == 200)
        }
    }

    @Test func responseInOnePiece_hasAContentLengthAndKeepsTheConnection() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            let connection = try HTTPConnection(port: server.port)
            for _ in 0..<3 {
                let response = try connection.get("/")
                #expect(response["Content-Length"] == "10")
                #expect(response["Transfer-Encoding"] == nil)
                #expect(response["Content-Type"] == "text/plain")
            }
            let old = try HTTPConnection(port: server.port)
            try old.send("GET / HTTP/1.0\r\n\r\n")
            #expect(String(decoding: try old.readToEnd(), as: UTF8.self).hasSuffix("\r\n\r\nversion A\n"))
        }
    }

    @Test func expectContinue_isAnsweredWhenTheApplicationReads() throws {
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry))
            let reading = try HTTPConnection(port: server.port)
            try reading.sendHead("POST", "/echo", ["Content-Length: 5", "Expect: 100-continue"])
            #expect(try reading.readHead().status == 100)
            try reading.send("hello")
            #expect(try reading.response().text == "hello")

            let refusing = try HTTPConnection(port: server.port)
            try refusing.sendHead("POST", "/noread", ["Content-Length: 5", "Expect: 100-continue"])
            let head = try refusing.readHead()
            #expect(head.status == 200)
        }
    }

    @Test func largeHead_reachesTheApplication() throws {
        try withServer { server in
            server.settings = "LimitRequestFieldSize 200000\nLimitRequestLine 200000\n"
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry))
            let value = String(repeating: "v", count: 150_000)
            let environ = Facts(try server.get("/environ", headers: ["X-Large: \(value)"]))
            #expect(environ["HTTP_X_LARGE"] == value)
            #expect(try server.get("/environ").status == 200)
        }
    }

    @Test func acceptPathInfoOff_isAnswered404() throws {
        try withServer { server in
            server.announce("SWSGI4004", "AH00127")
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry, at: "/app", inDirectory: "AcceptPathInfo Off"))
            #expect(try server.get("/app").status == 200)
            #expect(try server.get("/app/more").status == 404)
        }
    }
}
