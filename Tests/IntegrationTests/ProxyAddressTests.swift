import Foundation
import Testing

/// Whose word counts about addresses: with and without a daemon process.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct ProxyAddressTests {
    private func with(_ mode: String, _ lines: String, modules: [String] = [], _ body: (TestServer) throws -> Void)
        throws
    {
        try withServer { server in
            server.extraModules += modules
            let entry = try server.deploy(.facts, as: "app")
            try server.start((mode == "embedded" ? server.embedded(entry) : server.application(entry)) + lines)
            try body(server)
        }
    }

    @Test(arguments: RangeTests.modes) func whatClientsWroteIntoLists_isCutOff(mode: String) throws {
        let lines = "WSGITrustedProxies 127.0.0.1 203.0.113.1\nWSGITrustedProxyHeaders X-Forwarded-For Forwarded\n"
        try with(mode, lines) { server in
            func facts(_ header: String) throws -> Facts { Facts(try server.get("/environ", headers: [header])) }
            let plain = try facts("X-Other: 1")
            #expect(plain["REMOTE_PORT"] != nil && plain["REMOTE_ADDR"] == "127.0.0.1")
            let list = try facts("X-Forwarded-For: 10.1.1.1, 198.51.100.2, 203.0.113.1")
            #expect(list["REMOTE_ADDR"] == "198.51.100.2" && list["REMOTE_PORT"] == nil)
            #expect(list["HTTP_X_FORWARDED_FOR"] == "198.51.100.2, 203.0.113.1")
            let pairs = try facts(
                "Forwarded: for=10.1.1.1;host=evil, for=\"198.51.100.2:4711\";proto=https;, for=203.0.113.1"
            )
            #expect(pairs["REMOTE_ADDR"] == "198.51.100.2" && pairs["REMOTE_PORT"] == "4711")
            #expect(pairs["HTTP_FORWARDED"] == "for=\"198.51.100.2:4711\";proto=https;, for=203.0.113.1")
            #expect(pairs["wsgi.url_scheme"] == "https" && pairs["HTTP_HOST"] == "localhost")
            let garbage = try facts("X-Forwarded-For: 10.1.1.1, unknown")
            #expect(garbage["REMOTE_ADDR"] == "127.0.0.1" && garbage["HTTP_X_FORWARDED_FOR"] == "unknown")
            #expect(garbage["REMOTE_PORT"] != nil)
        }
    }

    @Test(arguments: RangeTests.modes) func clientBehindThePROXYProtocol_isNoProxy(mode: String) throws {
        let lines = """
            RemoteIPProxyProtocol On
            WSGITrustedProxies 127.0.0.1
            WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Proto

            """
        try with(mode, lines, modules: ["remoteip"]) { server in
            func facts(_ client: String) throws -> Facts {
                let connection = try HTTPConnection(port: server.port)
                try connection.send("PROXY TCP4 \(client) 127.0.0.1 4711 80\r\n")
                try connection.sendHead("GET", "/environ", ["X-Forwarded-For: 10.1.1.1", "X-Forwarded-Proto: https"])
                return Facts(try connection.response())
            }
            let client = try facts("198.51.100.7")
            #expect(client["REMOTE_ADDR"] == "198.51.100.7" && client["REMOTE_PORT"] == "4711")
            #expect(client["HTTP_X_FORWARDED_FOR"] == nil && client["wsgi.url_scheme"] == "http")
            // A proxy of ours that speaks through the load balancer is believed.
            let proxy = try facts("127.0.0.1")
            #expect(
                proxy["REMOTE_ADDR"] == "10.1.1.1" && proxy["REMOTE_PORT"] == nil && proxy["wsgi.url_scheme"] == "https"
            )
        }
    }

    @Test(arguments: RangeTests.modes) func addressOfModRemoteip_isBelievedAndHasNoPort(mode: String) throws {
        let lines = """
            RemoteIPHeader X-Real-Client
            RemoteIPInternalProxy 127.0.0.1
            WSGITrustedProxies 127.0.0.1
            WSGITrustedProxyHeaders X-Forwarded-Proto

            """
        try with(mode, lines, modules: ["remoteip"]) { server in
            let headers = ["X-Forwarded-Proto: https", "X-Real-Client: 198.51.100.7"]
            let client = Facts(try server.get("/environ", headers: headers))
            #expect(client["REMOTE_ADDR"] == "198.51.100.7" && client["REMOTE_PORT"] == nil)
            #expect(client["wsgi.url_scheme"] == "http")
            let own = Facts(try server.get("/environ", headers: ["X-Forwarded-Proto: https"]))
            #expect(own["REMOTE_PORT"] != nil && own["wsgi.url_scheme"] == "https")
        }
    }
}
