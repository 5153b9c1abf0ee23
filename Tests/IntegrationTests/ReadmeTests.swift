import Foundation
import Testing

/// README's commands, from top to bottom, with other places in the place of the system's.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ReadmeTests {
    private static let deploy = "## Deploy an application\n"

    /// The blocks of commands of README's section on deployment.
    private func blocks() throws -> [String] {
        let text = try String(contentsOfFile: "\(Installation.package)/README.md", encoding: .utf8)
        let section = try #require(
            text.components(separatedBy: Self.deploy).last?.components(separatedBy: "\n## ").first
        )
        return section.components(separatedBy: "\n```sh\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    /// Debian's configuration as it is installed, with its default site and without other modules, in `root`; what its
    /// `envvars` name is there too.
    private func copyDebiansConfiguration(to root: String, port: UInt16) throws {
        try run("/bin/cp", ["-a", "/etc/apache2", "\(root)/etc/apache2"]).check()
        let apache = "\(root)/etc/apache2"
        for folder in ["sites-enabled", "conf-enabled"] {
            try run("/bin/sh", ["-c", "rm -f \(apache)/\(folder)/*"]).check()
        }
        try? FileManager.default.removeItem(atPath: "\(apache)/mods-enabled/wsgi.load")
        try? FileManager.default.removeItem(atPath: "\(apache)/mods-enabled/wsgi.conf")
        symlink("../sites-available/000-default.conf", "\(apache)/sites-enabled/000-default.conf")
        try "Listen 127.0.0.1:\(port)\n".write(toFile: "\(apache)/ports.conf", atomically: true, encoding: .utf8)
        let file = "\(apache)/apache2.conf"
        let text = try String(contentsOfFile: file, encoding: .utf8).replacingOccurrences(
            of: "/var/www/",
            with: "\(root)/var/www/"
        )
        try ("ServerRoot \(apache)\nServerName localhost\n" + text).write(
            toFile: file,
            atomically: true,
            encoding: .utf8
        )
        let variables = ["RUN_DIR": "run", "LOCK_DIR": "run", "LOG_DIR": "log", "PID_FILE": "run/apache2.pid"]
        let lines =
            ["export APACHE_RUN_USER=www-data", "export APACHE_RUN_GROUP=www-data"]
            + variables.map { "export APACHE_\($0.key)=\(root)/\($0.value)" }
        try lines.joined(separator: "\n").write(toFile: "\(apache)/envvars", atomically: true, encoding: .utf8)
    }

    @Test(.tags(.long)) func commands_fromTopToBottom_deployAnApplication() throws {
        let root = try CFixture.scratchDirectory("swsgi-readme")
        let port = try Ports.free()
        chmod(root, 0o755)
        for name in ["bin", "etc", "run", "log", "home", "tmp", "state", "var/www"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        try copyDebiansConfiguration(to: root, port: port)
        // What changes the system itself.
        let own = [
            "addgroup": ":", "adduser": ":", "systemctl": "[ \"$*\" = 'restart apache2' ] && apachectl start",
        ]
        for (name, text) in own {
            let path = "\(root)/bin/\(name)"
            try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
            chmod(path, 0o755)
        }
        let user = TestUser.first.name
        let replacements = [
            ("/usr/local", "\(root)/usr/local"), ("/var/www", "\(root)/var/www"),
            ("/etc/apache2", "\(root)/etc/apache2"), ("http://localhost/", "http://localhost:\(port)/"),
            ("user1", user), ("group1", user),
        ]
        func adapted(_ text: String) -> String {
            replacements.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
        }
        // The template is copied by a command; its places are the same.
        let adapt = "sed -i 's|/var/www|\(root)/var/www|; s/user1/\(user)/; s/group1/\(user)/'"
        let template = "\(root)/usr/local/share/swsgi/apache-conf/yourapplication.conf"
        let blocks = try blocks()
        #expect(blocks.count == 5)
        var script = "set -eu\ncd \(Installation.package)\n"
        for (number, block) in blocks.enumerated() {
            if number == 3 { script += "\(adapt) \(template)\n" }
            script += "echo '# block \(number + 1)'\n\(adapted(block))\n"
        }
        script += "curl http://localhost:\(port)/\n"
        var environment = Command.environment
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        environment["PATH"] = "\(root)/bin:\(path):/usr/sbin:/sbin"
        environment["HOME"] = "\(root)/home"
        environment["TMPDIR"] = "\(root)/tmp"
        environment["APACHE_CONFDIR"] = "\(root)/etc/apache2"
        environment["APACHE_STATE_DIRECTORY"] = "\(root)/state"
        defer {
            _ = try? run("/usr/sbin/apachectl", ["stop"], environment: environment)
            _ = try? eventually("end of httpd") {
                !FileManager.default.fileExists(atPath: "\(root)/run/apache2.pid")
            }
        }
        let result = try run("/bin/bash", ["-c", script], environment: environment, within: 500)
        let log = (try? String(contentsOfFile: "\(root)/log/error.log", encoding: .utf8)) ?? ""
        #expect(result.status == 0, "\(result.output)\n\(result.errors)\n\(log)")
        let answers = result.output.components(separatedBy: "Hello, world!\n").count - 1
        #expect(answers == 2, "\(result.output)\n\(result.errors)\n\(log)")
        #expect(result.errors.contains("Syntax OK"), "\(result.errors)")
        #expect(!result.errors.contains("SWSGI") && !log.contains(":warn]") && !log.contains(":error]"), "\(log)")
    }
}
