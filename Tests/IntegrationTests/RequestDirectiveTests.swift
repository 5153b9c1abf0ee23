import Foundation
import Testing

/// Directives that act on one request.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct RequestDirectiveTests {
    private func withFixture(_ fixture: Fixture, _ lines: String, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(fixture, as: "app")
            try server.start(server.application(entry) + "\n" + lines)
            try body(server)
        }
    }

    // MARK: Request bodies

    @Test func chunkedRequestOff_isAnswered411() throws {
        let lines = "<Location /off>\nWSGIChunkedRequest Off\n</Location>"
        try withServer { server in
            let entry = try server.deploy(.echo, as: "app")
            try server.start(server.application(entry, at: "/off") + "WSGIScriptAlias /on \(entry)\n" + lines)
            for (path, status) in [("/off/count", 411), ("/on/count", 200)] {
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead("POST", path, ["Transfer-Encoding: chunked"])
                try connection.send("3\r\nabc\r\n0\r\n\r\n")
                #expect(try connection.response(to: "POST").status == status)
            }
            try server.logs.waitForLines(1, "SWSGI4050")
        }
    }

    @Test func R1_chunkedWithContentLength_endsTheConnection() throws {
        try withFixture(.facts, "") { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/environ", ["Content-Length: 3", "Transfer-Encoding: chunked"])
            try connection.send("3\r\nabc\r\n0\r\n\r\n")
            let response = try connection.response(to: "POST")
            #expect(response.status == 200)
            #expect(Facts(response)["CONTENT_LENGTH"] == nil)
            #expect(response["Connection"]?.lowercased() == "close")
        }
    }

    @Test func R15_chunkedInHTTP10_endsTheConnection() throws {
        try withFixture(.facts, "") { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.send(
                "POST /environ HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            )
            let response = try connection.response(to: "POST")
            #expect(response.status == 200)
            #expect(response["Connection"]?.lowercased() != "keep-alive")
        }
    }

    @Test func bodyOverTheLimit_isAnswered413() throws {
        try withFixture(.echo, "LimitRequestBody 1000") { server in
            let body = [UInt8](repeating: 120, count: 2000)
            #expect(try server.request("POST", "/count", body: body).status == 413)
            try server.logs.waitForLines(1, "SWSGI4051")
            #expect(try server.request("POST", "/count", body: Array(body[..<1000])).text.hasPrefix("bytes=1000 "))
            let connection = try HTTPConnection(port: server.port)
            try connection.sendHead("POST", "/count", ["Transfer-Encoding: chunked"])
            try connection.send("7d0\r\n" + String(repeating: "x", count: 2000) + "\r\n0\r\n\r\n")
            #expect(try connection.response(to: "POST").status == 413)
            try server.logs.waitForLines(1, "SWSGI4031")
            #expect(server.logs.lines(containing: "Exception").isEmpty)
        }
    }

    // MARK: HEAD

    @Test func mapHEADToGET_decidesWhatTheApplicationSees() throws {
        let lines = """
            <Location /on>
                WSGIMapHEADToGET On
            </Location>
            <Location /off>
                WSGIMapHEADToGET Off
                SetOutputFilter DEFLATE
            </Location>
            <Location /filtered>
                SetOutputFilter DEFLATE
            </Location>
            """
        try withServer { server in
            server.extraModules += ["filter", "deflate"]
            let entry = try server.deploy(bundle: try CFixture.path("status"), as: "app")
            try server.start(server.application(entry) + lines)
            for (path, method) in [("/on", "GET"), ("/off", "HEAD"), ("/filtered", "GET"), ("/auto", "HEAD")] {
                #expect(try server.request("HEAD", path)["X-Method"] == method, "\(path)")
                #expect(try server.request("POST", path)["X-Method"] == "POST")
            }
        }
    }

    // MARK: Responses that httpd replaces

    @Test func errorOverride_givesWayToErrorDocuments() throws {
        let lines = """
            ErrorDocument 404 "httpd's own 404"
            ErrorDocument 401 "httpd's own 401"
            ErrorDocument 503 "httpd's own 503"
            <Location /all>
                WSGIErrorOverride On
            </Location>
            <Location /some>
                WSGIErrorOverride 503 404
            </Location>
            """
        try withServer { server in
            let entry = try server.deploy(bundle: try CFixture.path("status"), as: "app")
            try server.start(server.application(entry) + lines)
            let expected = [
                ("/all?404", 404, "httpd's own 404"), ("/all?503", 503, "httpd's own 503"),
                ("/all?200", 200, "the application"),
                ("/all?302", 302, "the application"), ("/some?404", 404, "httpd's own 404"),
                ("/some?401", 401, "the application"),
                ("/none?404", 404, "the application"),
            ]
            for (target, status, text) in expected {
                let response = try server.get(target)
                #expect(response.status == status && response.text == text, "\(target): \(response.text)")
            }
            let unauthorized = try server.get("/all?401")
            #expect(unauthorized.text == "httpd's own 401")
            #expect(unauthorized["WWW-Authenticate"] == "Basic realm=\"test\"")
            #expect(unauthorized["X-Other"] == nil)
        }
    }

    @Test func replacedBodyWithoutAnEnd_isNotWaitedFor() throws {
        try withServer { server in
            let entry = try server.deploy(bundle: try CFixture.path("status"), as: "app")
            try server.start(server.application(entry, options: "threads=1") + "WSGIErrorOverride On")
            server.announce("SWSGI4052")
            #expect(try server.get("/endless?500").status == 500)
            #expect(try server.get("/?200").text == "the application")
            try server.logs.waitForLines(1, "SWSGI4052")
        }
    }

    @Test func localRedirect_isServedInPlaceOfTheResponse_whereItIsOn() throws {
        let lines = """
            Alias /static %DIRECTORY%/htdocs/page.txt
            <Location /on>
                WSGILocalRedirect On
            </Location>
            """
        try withServer { server in
            try server.write("a static page\n", to: "htdocs/page.txt")
            let entry = try server.deploy(bundle: try CFixture.path("status"), as: "app")
            try server.start(
                server.application(entry) + lines.replacingOccurrences(of: "%DIRECTORY%", with: server.directory)
            )
            let connection = try HTTPConnection(port: server.port)
            let on = try connection.get("/on/location?200")
            #expect(on.status == 200 && on.text == "a static page\n" && on["Location"] == nil)
            let posted = try connection.request("POST", "/on/location?200", body: [UInt8](repeating: 1, count: 100_000))
            #expect(posted.text == "a static page\n")
            let off = try connection.get("/off/location?200")
            #expect(off.status == 200 && off.text == "the application" && off["Location"] == "/static")
            #expect(try connection.get("/on/location?302").status == 302)
            server.announce("AH00124")
            #expect(try connection.get("/on/loop?200").status == 500)
        }
    }

    @Test func localRedirect_intoItsOwnGroup_takesNoSecondPlaceThere() throws {
        try withServer { server in
            server.announce("AH00124")
            let entry = try server.deploy(bundle: try CFixture.path("status"), as: "app")
            try server.start(
                server.application(entry, options: "threads=1 listen-backlog=0") + "WSGILocalRedirect On\n"
            )
            // To itself, until httpd has enough; 503 would say that the group has no room.
            #expect(try server.get("/loop?200").status == 500)
            #expect(server.logs.lines(containing: "SWSGI4061").isEmpty)
            #expect(try server.get("/?200").text == "the application")
        }
    }

    // MARK: Proxies

    private static let categories: [(header: String, value: String, key: String, seen: String)] = [
        ("X-Forwarded-For", "192.0.2.1, 127.0.0.9", "REMOTE_ADDR", "192.0.2.1"),
        ("X-Client-IP", "192.0.2.1", "REMOTE_ADDR", "192.0.2.1"),
        ("X-Real-IP", "2001:DB8::1", "REMOTE_ADDR", "2001:db8::1"),
        ("X-Forwarded-Host", "example.com", "HTTP_HOST", "example.com"),
        ("X-Host", "example.com:81", "HTTP_HOST", "example.com:81"),
        ("X-Forwarded-Server", "example.com", "SERVER_NAME", "example.com"),
        ("X-Forwarded-Port", "8443", "SERVER_PORT", "8443"),
        ("X-Script-Name", "/outer", "SCRIPT_NAME", "/outer"),
        ("X-Script-Name", "/outer", "mod_wsgi.mount_point", "/outer"),
        ("X-Forwarded-Script-Name", "/outer/", "SCRIPT_NAME", "/outer"),
        ("X-Forwarded-Proto", "https", "wsgi.url_scheme", "https"),
        ("X-Forwarded-Scheme", "https", "wsgi.url_scheme", "https"),
        ("X-Scheme", "https", "wsgi.url_scheme", "https"), ("X-Forwarded-HTTPS", "on", "wsgi.url_scheme", "https"),
        ("X-Forwarded-SSL", "1", "wsgi.url_scheme", "https"), ("X-HTTPS", "true", "wsgi.url_scheme", "https"),
        ("Forwarded", "for=192.0.2.1;proto=https;host=example.com", "REMOTE_ADDR", "192.0.2.1"),
        ("Forwarded", "for=192.0.2.1;proto=https;host=example.com", "wsgi.url_scheme", "https"),
        ("Forwarded", "for=192.0.2.1;proto=https;host=example.com", "HTTP_HOST", "example.com"),
    ]

    @Test(arguments: ["event", "worker", "prefork"])
    func headersOfProxies_areBelievedOfTrustedPeersAlone(multiProcessing: String) throws {
        let names = Set(Self.categories.map(\.header)).sorted()
        let locations = names.map { name in
            """
            <Location /trusted/\(name)>
                WSGITrustedProxyHeaders \(name)
                WSGITrustedProxies 127.0.0.0/8 ::1
            </Location>
            <Location /others/\(name)>
                WSGITrustedProxyHeaders \(name)
                WSGITrustedProxies 10.0.0.0/8
            </Location>

            """
        }
        try withServer { server in
            server.multiProcessing = multiProcessing
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry) + locations.joined())
            let connection = try HTTPConnection(port: server.port)
            let plain = Facts(try connection.get("/environ"))
            for row in Self.categories {
                let header = "\(row.header): \(row.value)"
                let key = "HTTP_" + row.header.uppercased().replacingOccurrences(of: "-", with: "_")
                let trusted = Facts(try connection.get("/trusted/\(row.header)/environ", headers: [header]))
                #expect(trusted[row.key] == row.seen, "\(row)")
                #expect(trusted[key] == row.value, "\(row)")
                let other = Facts(try connection.get("/others/\(row.header)/environ", headers: [header]))
                #expect(other[row.key] == plain[row.key], "\(row)")
                #expect(other[key] == nil, "\(row)")
                let undeclared = Facts(try connection.get("/environ", headers: [header]))
                #expect(undeclared[row.key] == plain[row.key] && undeclared[key] == row.value, "\(row)")
            }
        }
    }

    @Test func listsOfProxies_accumulateFromOuterToInner() throws {
        let lines = """
            WSGITrustedProxies 10.0.0.0/8
            WSGITrustedProxyHeaders X-Forwarded-For
            <Location /inner>
                WSGITrustedProxies 127.0.0.1
                WSGITrustedProxyHeaders X-Forwarded-Proto
            </Location>
            """
        try withFixture(.facts, lines) { server in
            let headers = ["X-Forwarded-For: 192.0.2.1, 10.1.1.1", "X-Forwarded-Proto: https"]
            let inner = Facts(try server.get("/inner/environ", headers: headers))
            #expect(inner["REMOTE_ADDR"] == "192.0.2.1" && inner["wsgi.url_scheme"] == "https")
            let outer = Facts(try server.get("/environ", headers: headers))
            #expect(outer["REMOTE_ADDR"] == "127.0.0.1" && outer["HTTP_X_FORWARDED_FOR"] == nil)
            #expect(outer["HTTP_X_FORWARDED_PROTO"] == "https" && outer["wsgi.url_scheme"] == "http")
        }
    }

    /// R33, R34, R87 to R90: what clients may put into the header that the proxy hands on.
    @Test func R87_addressOfAClient_isAlwaysAnAddress() throws {
        try withFixture(.facts, "WSGITrustedProxies 127.0.0.1\nWSGITrustedProxyHeaders X-Forwarded-For") { server in
            let long = Array(repeating: "10.9.8.7", count: 700).joined(separator: ",")
            let rows = [
                (["X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2"], "2.2.2.2"),
                (["X-Forwarded-For: www.example.com"], "127.0.0.1"),
                (["X-Forwarded-For: <script>alert(1)</script>"], "127.0.0.1"),
                (["X-Forwarded-For: unknown, 127.0.0.1"], "127.0.0.1"),
                (["Connection: close, X-Forwarded-For", "X-Forwarded-For: 192.0.2.7"], "192.0.2.7"),
                (["X-Forwarded-For: \(long)"], "10.9.8.7"), (["X-Forwarded-For: "], "127.0.0.1"),
            ]
            for (headers, expected) in rows {
                let facts = Facts(try server.get("/environ", headers: headers))
                #expect(facts["REMOTE_ADDR"] == expected, "\(headers[0].prefix(60))")
            }
        }
    }

    @Test func headersWithoutProxies_areWarnedOf() throws {
        try withServer { server in
            server.announce("SWSGI1032")
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry) + "WSGITrustedProxyHeaders X-Forwarded-For")
            try server.logs.waitForLines(1, "SWSGI1032")
            #expect(
                try Facts(server.get("/environ", headers: ["X-Forwarded-For: 192.0.2.1, 192.0.2.2"]))["REMOTE_ADDR"]
                    == "192.0.2.1"
            )
        }
    }

    // MARK: Schemes and authorization

    @Test func schemeAndAuthorization_followTheConfiguration() throws {
        let lines = """
            SetEnvIf X-Secure (.*) HTTPS=$1
            <Location /cgi>
                CGIPassAuth On
            </Location>
            <Location /wsgi>
                WSGIPassAuthorization On
            </Location>
            """
        try withFixture(.facts, lines) { server in
            for (value, scheme) in [("on", "https"), ("ON", "https"), ("1", "https"), ("off", "http"), ("2", "http")] {
                let facts = Facts(try server.get("/environ", headers: ["X-Secure: \(value)"]))
                #expect(facts["wsgi.url_scheme"] == scheme && facts["HTTPS"] == nil)
            }
            let headers = ["Authorization: Bearer token", "Proxy-Authorization: Basic secret"]
            #expect(try Facts(server.get("/environ", headers: headers))["HTTP_AUTHORIZATION"] == nil)
            #expect(try Facts(server.get("/environ", headers: headers))["HTTP_PROXY_AUTHORIZATION"] == nil)
            #expect(try Facts(server.get("/cgi/environ", headers: headers))["HTTP_AUTHORIZATION"] == "Bearer token")
            #expect(try Facts(server.get("/wsgi/environ", headers: headers))["HTTP_AUTHORIZATION"] == "Bearer token")
            #expect(try Facts(server.get("/wsgi/environ", headers: headers))["HTTP_PROXY_AUTHORIZATION"] == nil)
        }
    }
}
