import Foundation
import Testing

/// The configurations of the deployment documents, with nothing but paths, names and ports adapted.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct DeploymentTests {
    /// The block of Flask's document.
    private func flask(_ server: TestServer, access: String) -> String {
        """
        <VirtualHost *>
            ServerName example.com

            WSGIDaemonProcess yourapplication user=\(TestUser.first.name) group=\(TestUser.first.name) threads=5
            WSGIScriptAlias / \(server.www)/yourapplication/yourapplication.wsgi

            <Directory \(server.www)/yourapplication>
                WSGIProcessGroup yourapplication
                WSGIApplicationGroup %{GLOBAL}
                \(access)
            </Directory>
        </VirtualHost>
        """
    }

    /// Debian's apache2.conf denies everything, and then grants /var/www; `Order` and `Allow` alone don't undo the former.
    private func grantAsDebianDoes(_ server: TestServer) {
        server.settings = "<Directory \(server.www)>\nRequire all granted\n</Directory>\n"
    }

    @Test func flaskDocument_servesUnderTheConfiguredUser() throws {
        try withServer { server in
            grantAsDebianDoes(server)
            try server.deploy(.facts, as: "yourapplication")
            try server.start(flask(server, access: "Order deny,allow\n        Allow from all"))
            let facts = try server.facts()
            expectIdentity(facts, TestUser.first)
            #expect(server.daemons.count == 1)
        }
    }

    @Test func flaskDocument_withRequireAllGranted_serves() throws {
        try withServer { server in
            try server.deploy(.facts, as: "yourapplication")
            try server.start(flask(server, access: "Require all granted"))
            expectIdentity(try server.facts("/any/path"), TestUser.first)
        }
    }

    @Test func bottleDocument_servesUnderTheConfiguredUser() throws {
        try withServer { server in
            grantAsDebianDoes(server)
            try server.deploy(.facts, as: "yourapp")
            try server.start(
                """
                <VirtualHost *>
                    ServerName example.com

                    WSGIDaemonProcess yourapp user=www-data group=www-data processes=1 threads=5
                    WSGIScriptAlias / \(server.www)/yourapp/yourapp.wsgi

                    <Directory \(server.www)/yourapp>
                        WSGIProcessGroup yourapp
                        WSGIApplicationGroup %{GLOBAL}
                        Order deny,allow
                        Allow from all
                    </Directory>
                </VirtualHost>
                """
            )
            let facts = try server.facts()
            #expect(facts["uid"] == "33")
            #expect(facts["gid"] == "33")
            #expect(server.daemons.count == 1)
        }
    }

    /// The directories in which httpd looks for a file .htaccess, for a request to the template's application, below `www`;
    /// `overrides` is what the directory of all applications allows.
    private func placesOfOverrides(_ overrides: String) throws -> [String] {
        var found: [String] = []
        try withServer { server in
            let template = "\(Installation.package)/apache-conf/yourapplication.conf"
            let host = try String(contentsOfFile: template, encoding: .utf8)
                .replacingOccurrences(of: "/var/www", with: server.www)
                .replacingOccurrences(of: "=user1", with: "=\(TestUser.first.name)")
                .replacingOccurrences(of: "=group1", with: "=\(TestUser.first.name)")
            server.settings = EmbeddedTests.oneChild
            server.settings +=
                "<Directory \(server.www)>\nRequire all granted\nAllowOverride \(overrides)\n</Directory>\n"
            try server.deploy(.facts, as: "yourapplication")
            try server.start(host)
            _ = try server.facts()
            let child = try #require(server.children.first).pid
            let tracer = try Tracer(
                [child],
                ["-e", "trace=openat,readlink,newfstatat"],
                record: "\(server.directory)/calls"
            )
            _ = try server.facts()
            let calls = try tracer.end()
            // It sees what httpd asks of the file system.
            #expect(calls.contains("yourapplication.wsgi"), "\(calls)")
            found = calls.split(separator: "\"").filter { $0.hasSuffix("/.htaccess") }
                .map { String($0.dropFirst(server.www.count)) }
        }
        return found
    }

    @Test(.enabled(if: Machine.canTrace, "needs strace"))
    func template_underDebiansSections_looksForNoHtaccess() throws {
        #expect(try placesOfOverrides("None") == [])
        // Where overrides are allowed for all applications, the template's own section refuses them for its own.
        #expect(try placesOfOverrides("All") == ["/.htaccess"])
    }

    @Test(arguments: ["event", "worker", "prefork"])
    func everyMultiProcessingModule_serves(multiProcessing: String) throws {
        try withServer { server in
            server.multiProcessing = multiProcessing
            try server.deploy(.facts, as: "yourapplication")
            try server.start(flask(server, access: "Require all granted"))
            expectIdentity(try server.facts(), TestUser.first)
            try server.graceful()
            expectIdentity(try server.facts(), TestUser.first)
        }
    }

    private func expectIdentity(_ facts: Facts, _ user: TestUser) {
        for key in ["uid", "euid", "suid"] { #expect(facts[key] == "\(user.uid)", "\(key)") }
        for key in ["gid", "egid", "sgid"] { #expect(facts[key] == "\(user.gid)", "\(key)") }
    }

    @Test(arguments: ["Require all denied", "Order allow,deny\n        Deny from all"])
    func deniedDirectory_isAnswered403AndRunsNothing(access: String) throws {
        try withServer { server in
            server.announce("AH01630", "AH01797", "SWSGI1211")
            try server.deploy(.facts, as: "yourapplication")
            try server.start(flask(server, access: access))
            #expect(try server.get("/").status == 403)
        }
    }

    @Test func unconfiguredDirectory_isAnswered403() throws {
        try withServer { server in
            server.announce("AH01630", "SWSGI1170", "SWSGI1211")
            let entry = try server.deploy(.facts, as: "app")
            try server.start(
                """
                WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name)
                WSGIScriptAlias / \(entry)
                """
            )
            #expect(try server.get("/").status == 403)
        }
    }

    @Test func staticFiles_standBesideTheApplication() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start("Alias /files \(server.directory)/htdocs\n" + server.application(entry))
            #expect(try server.get("/files/static.txt").text == "static\n")
            #expect(try server.get("/anything").text == "version A\n")
        }
    }
}
