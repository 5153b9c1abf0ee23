import Foundation
import Testing

/// Configurations as they stand on servers of all kinds, in which nothing but paths, names and ports has been adapted.
///
/// Each file of Tests/Sites is one; comments that begin with `#:` say which modules, entry files and other files it needs, and what is
/// answered: `GET TARGET STATUS TEXT`. Entry files of `scripts` are asked by httpd (FixtureScripts).
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct SiteTests {
    struct Site: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        var testDescription: String { name }

        /// The words after `#: KEY` of each such line.
        func values(_ key: String) -> [String] {
            text.split(separator: "\n").filter { $0.hasPrefix("#: \(key) ") }.map {
                String($0.dropFirst(key.count + 4))
            }
        }
    }

    static let sites: [Site] = {
        let directory = "\(Installation.package)/Tests/Sites"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".conf") }.sorted().compactMap { name in
            (try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)).map { Site(name: name, text: $0) }
        }
    }()

    @Test func sites_areMoreThanThirty() {
        #expect(Self.sites.count >= 30)
    }

    @Test(arguments: sites)
    func site_isServedAsItStands(site: Site) throws {
        try withServer { server in
            let user = TestUser.first
            let replacements = [
                "@ROOT@": server.www, "@USER@": user.name, "@UID@": "\(user.uid)", "@PORT@": "\(server.port)",
            ]
            func adapted(_ text: String) -> String {
                replacements.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
            }
            let site = Site(name: site.name, text: adapted(site.text))
            server.extraModules = site.values("modules").flatMap { $0.split(separator: " ").map(String.init) }
            for code in site.values("announce") { server.announce(code) }
            // What these sites have in common: access that a module does not grant by itself is httpd's own affair.
            server.announce("AH0")
            for (key, name, fixture) in [("entry", "facts", Fixture.facts), ("scripts", "scripts", .scripts)] {
                for path in site.values(key) {
                    let bundle = "\((path as NSString).deletingLastPathComponent)/\(name).so"
                    try server.write("bundle = \(name).so\n", to: "www/\(path)")
                    try server.copy(fixture.path, to: "\(server.www)/\(bundle)")
                }
            }
            for file in site.values("file") {
                let parts = file.split(separator: " ", maxSplits: 1).map(String.init)
                try server.write(parts[1] + "\n", to: "www/\(parts[0])")
            }
            try server.start(site.text)
            for expected in site.values("GET") {
                let words = expected.split(separator: " ", maxSplits: 2).map(String.init)
                let url = try #require(URLComponents(string: words[0]))
                let response = try get(server, url, words[0], site.values("header"))
                #expect("\(response.status)" == words[1], "\(expected)")
                if words.count > 2 {
                    #expect(response.text.contains(words[2]), "\(expected): \(response.text.prefix(2000))")
                }
            }
        }
    }

    private func get(
        _ server: TestServer,
        _ url: URLComponents,
        _ text: String,
        _ headers: [String]
    ) throws -> HTTPResponse {
        let connection = try HTTPConnection(port: server.port)
        let target = url.host == nil ? text : url.percentEncodedPath
        var lines = ["GET \(target) HTTP/1.1", "Host: \(url.host ?? "localhost")"] + headers
        if let user = url.user, let password = url.password {
            lines.append("Authorization: Basic \(Data("\(user):\(password)".utf8).base64EncodedString())")
        }
        try connection.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
        return try connection.response()
    }
}
