import Foundation
import Glibc
import Testing

/// WSGIRememberWalk: for generated configurations and requests the answers are those that httpd's own walk leads to.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct WalkTests {
    /// One entry file, and what the configuration says on the way to it.
    private struct Scene {
        let name: String
        var sections: [String] = []
        var htaccess: String?

        /// Each number gives another one, the same in each run.
        init(_ number: Int, www: String) {
            var lot = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 | 1
            func pick<Element>(_ choices: [Element]) -> Element {
                lot = (lot ^ lot >> 29) &* 0xBF58_476D_1CE4_E5B9
                return choices[Int((lot >> 40) % UInt64(choices.count))]
            }
            name = "w\(number)"
            let place = "\(www)/\(name)"
            let options = pick([
                "", "", "", "Options FollowSymLinks", "Options +ExecCGI", "Options -FollowSymLinks", "Options None",
                "Options SymLinksIfOwnerMatch", "Options +SymLinksIfOwnerMatch",
            ])
            let overrides = pick(["", "", "", "AllowOverride None", "AllowOverride All", "AllowOverrideList Header"])
            let access = pick(["", "", "", "Require all denied", "Require env ADMITTED"])
            sections.append(
                "<Directory \(place)>\n\(options)\n\(overrides)\n\(access)\n\(Self.mark("directory"))</Directory>"
            )
            htaccess = pick([nil, nil, Self.mark("htaccess")])
            for _ in 0..<pick([0, 0, 1, 2, 3]) {
                sections.append(
                    pick([
                        "<Files \(name).wsgi>\n\(Self.mark("files"))</Files>",
                        "<FilesMatch \"[0-9]\\.wsgi$\">\n\(Self.mark("filesmatch"))</FilesMatch>",
                        "<Directory \(www)/w*>\n\(Self.mark("pattern"))</Directory>",
                        "<DirectoryMatch \"/\(name)\">\n\(Self.mark("match"))</DirectoryMatch>",
                        "<Directory \(place)/\(name).wsgi>\n\(Self.mark("file"))</Directory>",
                        "<Directory \(place)>\n<Files *.wsgi>\n\(Self.mark("inner"))</Files>\n</Directory>",
                        "<Directory \(place)>\n<If \"%{QUERY_STRING} == 'q'\">\n\(Self.mark("if"))</If>\n</Directory>",
                        "<Location /\(name)/x>\n\(Self.mark("location"))</Location>",
                        "<Directory \(place)>\nAcceptPathInfo Off\n</Directory>",
                        "<Directory \(place)>\nSetEnvIf Request_URI x ADMITTED\n</Directory>",
                    ])
                )
            }
        }

        static func mark(_ text: String) -> String { "Header append X-Walk \(text)\n" }
    }

    private let scenes = 60
    private let rests = [
        "", "/", "/x", "/x/y/", "//x", "/x//y", "/./x", "/x/../y", "/.hidden", "/x%2Fy", "?q", "/x?q", "z",
    ]

    private func answer(_ server: TestServer, _ host: String, _ target: String, _ method: String) throws -> String {
        let connection = try HTTPConnection(port: server.port)
        try connection.send(Array("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8))
        let response = try connection.response(to: method)
        let marks = ["X-Walk", "X-Where"].map { "\(response[$0] ?? "-")" }.joined(separator: " | ")
        return "\(response.status) \(marks) \(response.status == 200 ? response.text : "")"
    }

    /// Both hosts answer alike, also when they are asked again.
    private func compare(_ server: TestServer, _ numbers: some Sequence<Int>, _ what: String) throws {
        for number in numbers {
            for rest in rests {
                let target = "/w\(number)\(rest)"
                let expected = try answer(server, "walks.test", target, "GET")
                for method in ["GET", "GET", "HEAD"] {
                    let found = try answer(server, "remembers.test", target, method)
                    let isSame = method == "GET" ? found == expected : expected.hasPrefix(found)
                    #expect(isSame, "\(what): \(method) \(target): \(found), and not \(expected)")
                }
            }
        }
    }

    @Test func rememberedWalk_leadsWhereHttpdsOwnLeads() throws {
        try withServer { server in
            server.announce("SWSGI40", "SWSGI1211", "AH0", "AH1")
            // A file that has been moved away and back is loaded anew, beside others that are gone.
            server.announce("SWSGI2001", "SWSGI2003", "SWSGI3008")
            server.settings = "LogLevel wsgi:debug\nStartServers 1\nServerLimit 1\nMaxRequestWorkers 80\n"
            let scenes = (0..<scenes).map { Scene($0, www: server.www) }
            let application = CFixture.answering("\"here\\n\"")
            try FileManager.default.createDirectory(atPath: server.www, withIntermediateDirectories: true)
            try CFixture.compile(application, to: "\(server.www)/one.so")
            for (number, scene) in scenes.enumerated() {
                let place = "\(server.www)/\(scene.name)"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                // Files, links to files, and links to directories.
                let target = number % 3 == 1 ? "real.wsgi" : "\(scene.name).wsgi"
                try server.write("bundle = ../one.so\n", to: "www/\(scene.name)/\(target)")
                if number % 3 == 1 { symlink(target, "\(place)/\(scene.name).wsgi") }
                if number % 3 == 2 {
                    rename(place, "\(server.www)/real-\(number)")
                    symlink("real-\(number)", place)
                }
                if let text = scene.htaccess { try server.write(text, to: "www/\(scene.name)/.htaccess") }
            }
            try server.start(configuration(server, scenes))
            try compare(server, 0..<scenes.count, "at first")
            let denied = scenes.filter { !server.logs.lines(containing: "SWSGI1211", "/\($0.name).wsgi").isEmpty }
            #expect(!denied.isEmpty)
            for scene in denied { #expect(try server.get("/\(scene.name)").status == 403, "\(scene.name)") }
            for number in 0..<scenes.count { try disturb(server, number) }
            try compare(server, 0..<scenes.count, "after changes")
            for number in 0..<scenes.count { try repair(server, number) }
            try compare(server, stride(from: 0, to: scenes.count, by: 7), "after repairs")
            let lines = server.logs.lines(containing: "the directory walk to ")
            #expect(lines.contains { $0.contains(["is remembered"]) })
            #expect(lines.count { $0.contains(["is remembered"]) } >= 10)
            for reason in [".htaccess", "FollowSymLinks", "has its name"] {
                #expect(lines.contains { $0.contains(["for each request", reason]) }, "\(reason)")
            }
        }
    }

    private func configuration(_ server: TestServer, _ scenes: [Scene]) -> String {
        let user = TestUser.first.name
        let aliases = scenes.map { "WSGIScriptAlias /\($0.name) \(server.www)/\($0.name)/\($0.name).wsgi" }
        let host = { (name: String, lines: String) in
            """
            <VirtualHost *:\(server.port)>
                ServerName \(name)
                \(aliases.joined(separator: "\n"))
                \(lines)
            </VirtualHost>

            """
        }
        return """
            WSGIDaemonProcess one user=\(user) group=\(user) threads=4
            WSGIProcessGroup one
            WSGIApplicationGroup %{GLOBAL}
            Header set X-Where "%{SCRIPT_NAME}e %{PATH_INFO}e %{SCRIPT_FILENAME}e"
            <Directory \(server.www)>
                Require all granted
            </Directory>
            \(scenes.flatMap(\.sections).joined(separator: "\n"))
            \(host("walks.test", "WSGIRememberWalk Off"))
            \(host("remembers.test", ""))
            """
    }

    /// What may happen to files while httpd runs.
    private func disturb(_ server: TestServer, _ number: Int) throws {
        let entry = "\(server.www)/w\(number)/w\(number).wsgi"
        switch number % 5 {
        case 0: rename(entry, entry + ".away")
        case 1:
            rename(entry, entry + ".away")
            mkdir(entry, 0o755)
        case 2:
            rename(entry, entry + ".away")
            symlink("w\(number).wsgi.away", entry)
        case 3: try server.write(Scene.mark("later"), to: "www/w\(number)/.htaccess")
        default: chmod("\(server.www)/w\(number)", 0o700)
        }
    }

    private func repair(_ server: TestServer, _ number: Int) throws {
        let entry = "\(server.www)/w\(number)/w\(number).wsgi"
        switch number % 5 {
        case 0, 1, 2:
            if number % 5 == 1 { rmdir(entry) }
            rename(entry + ".away", entry)
        case 3: break
        default: chmod("\(server.www)/w\(number)", 0o755)
        }
    }
}
