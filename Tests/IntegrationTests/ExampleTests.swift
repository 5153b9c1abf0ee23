import Foundation
import Testing

/// The examples, each with the entry file that lies beside its source.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ExampleTests {
    private func withExample(_ name: String, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            try FileManager.default.createDirectory(atPath: "\(server.www)/\(name)", withIntermediateDirectories: true)
            try server.copy("\(Installation.products)/libExample_\(name).so", to: "\(server.www)/\(name)/\(name).so")
            let source = "\(Installation.package)/Sources/Examples/\(name)/\(name).wsgi"
            let entry = try server.write(
                String(contentsOfFile: source, encoding: .utf8),
                to: "www/\(name)/\(name).wsgi"
            )
            let home = "\(server.directory)/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            chown(home, uid_t(TestUser.first.uid), gid_t(TestUser.first.gid))
            try server.start(
                server.application(entry, at: "/\(name)", options: "processes=2 threads=4 home=\(home)")
            )
            try body(server)
        }
    }

    @Test func hello_greets() throws {
        try withExample("hello") { server in
            let response = try server.get("/hello")
            #expect(response.text == "Hello, world!\n")
        }
    }

    @Test func guestbook_keepsWhatIsWrittenAndShowsItAsText() throws {
        try withExample("guestbook") { server in
            #expect(try server.get("/guestbook/").status == 200)
            let form = Array("name=Ann+%26+Bob&message=%3Cscript%3Ealert(1)%3C/script%3E+%C3%A4".utf8)
            let type = ["Content-Type: application/x-www-form-urlencoded"]
            let answer = try server.request("POST", "/guestbook/", headers: type, body: form)
            #expect((301...303).contains(answer.status))
            #expect(answer["Location"]?.hasSuffix("/guestbook/") == true)
            try server.graceful()
            let page = try server.get("/guestbook/").text
            #expect(page.contains("Ann &amp; Bob"))
            #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; ä"))
            #expect(!page.contains("<script>alert"))
            let database = try FileManager.default.attributesOfItem(
                atPath: "\(server.directory)/home/guestbook.sqlite"
            )
            #expect(database[.ownerAccountID] as? Int == TestUser.first.uid)
        }
    }

    @Test func guestbook_refusesAnEmptyEntry() throws {
        try withExample("guestbook") { server in
            let type = ["Content-Type: application/x-www-form-urlencoded"]
            let answer = try server.request("POST", "/guestbook/", headers: type, body: Array("name=&message=x".utf8))
            #expect(answer.status == 422)
        }
    }

    @Test func guestbook_isSharedByManyWriters() throws {
        try withExample("guestbook") { server in
            let type = ["Content-Type: application/x-www-form-urlencoded"]
            let writers = (0..<8).map { writer in
                Background {
                    try (0..<5).map { number in
                        let form = Array("name=w\(writer)&message=m\(writer)-\(number)".utf8)
                        return try server.request("POST", "/guestbook/", headers: type, body: form).status
                    }
                }
            }
            for writer in writers {
                let statuses = try writer.value()
                #expect(statuses.allSatisfy { (301...303).contains($0) }, "\(statuses)")
            }
            let page = try server.get("/guestbook/").text
            for writer in 0..<8 { #expect(page.contains("m\(writer)-4")) }
        }
    }

    @Test func upload_givesBackWhatItWasGiven() throws {
        try withExample("upload") { server in
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 / 3) }
            let source = "\(server.directory)/source"
            let target = "\(server.directory)/target"
            try Data(bytes).write(to: URL(fileURLWithPath: source))
            let sent = try server.curl("--fail", "-T", source, server.url("/upload/file.bin")).check()
            #expect(sent.output.hasPrefix("size=3000000 "))
            try server.curl("--fail", "-o", target, server.url("/upload/file.bin")).check()
            #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data(bytes))
            #expect(try server.request("DELETE", "/upload/file.bin").status == 204)
            #expect(try server.get("/upload/file.bin").status == 404)
            #expect(try server.get("/upload/..%2Fguest").status == 404)
        }
    }

    /// What scripts/run serves: the page at / links each example, and each link leads to a page or a text.
    @Test func runsFirstPage_linksEachExample() throws {
        try withServer { server in
            let template = "\(Installation.package)/apache-conf/examples.conf.in"
            let text = try String(contentsOfFile: template, encoding: .utf8)
            let lines = try #require(text.range(of: "DocumentRoot")).lowerBound
            let names = try Self.names(text)
            for name in names {
                let place = "\(server.directory)/examples/\(name)/\(name)"
                try server.write("bundle = \(name).so\n", to: "\(place).wsgi")
                try server.copy("\(Installation.products)/libExample_\(name).so", to: "\(place).so")
                let home = "\(server.directory)/home/\(name)"
                try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
                chown(home, 33, 33)
            }
            try server.copy(
                "\(Installation.package)/Sources/Examples/index.html",
                to: "\(server.directory)/htdocs/index.html"
            )
            try server.start(text[lines...].replacingOccurrences(of: "@RUN@", with: server.directory))
            let page = try server.get("/")
            #expect(page.status == 200)
            #expect(page["Content-Type"] == "text/html; charset=utf-8")
            expectToWorkEverywhere(page.text)
            let links = page.text.matches(of: #/href="([^"]*)"/#).map { String($0.output.1) }
            #expect(links == names.map { "/\($0)" })
            for link in links {
                let answer = try server.get(link)
                #expect(answer.status == 200, "\(link)")
                if answer["Content-Type"]?.hasPrefix("text/html") == true { expectToWorkEverywhere(answer.text) }
            }
            #expect(try server.get("/clock").text.contains("UTC"))
        }
    }

    /// The examples of the configuration, in its order.
    private static func names(_ text: String) throws -> [String] {
        let names = text.matches(of: #/WSGIScriptAlias \/(\w+) /#).map { String($0.output.1) }
        let folders = try FileManager.default.contentsOfDirectory(atPath: "\(Installation.package)/Sources/Examples")
        #expect(names.sorted() == folders.filter { $0.lowercased() == $0 && !$0.contains(".") }.sorted())
        return names
    }

    /// Small screens, other languages, and no network.
    private func expectToWorkEverywhere(_ page: String) {
        for part in [
            "<!DOCTYPE html>", "<html lang=\"en\">", "<meta charset=\"utf-8\">", "width=device-width", "<title>",
        ] {
            #expect(page.contains(part), "\(part)")
        }
        #expect(!page.contains("://") && !page.contains("src="), "\(page)")
    }

    /// What a browser sends: a file of some megabytes, one that looks like the form's own bounds, an empty one and none at all.
    @Test func upload_takesTheFileOfAForm() throws {
        try withExample("upload") { server in
            let page = try server.get("/upload")
            #expect(page.status == 200)
            expectToWorkEverywhere(page.text)
            #expect(page.text.contains("action=\"/upload/\" enctype=\"multipart/form-data\""))
            let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 / 3) }
            let tricky = Array(String(repeating: "\r\n--\r\n-----\r\r\n--X", count: 20_000).utf8)
            let source = "\(server.directory)/a b\".bin"
            for (bytes, name) in [
                (large, "a_b_.bin"), (tricky, "a_b_.bin"), ([], "a_b_.bin"), (Array("\r\n".utf8), "a_b_.bin"),
            ] {
                try Data(bytes).write(to: URL(fileURLWithPath: source))
                let form = "file=@\"\(source.replacingOccurrences(of: "\"", with: "\\\""))\";filename=\"a b|.bin\""
                let sent = try server.curl("--fail", "-F", form, server.url("/upload/")).check().output
                #expect(sent.contains("size=\(bytes.count) fnv1a64="))
                #expect(sent.contains("href=\"/upload/\(name)\""))
                let target = "\(server.directory)/target"
                try server.curl("--fail", "-o", target, server.url("/upload/\(name)")).check()
                #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data(bytes), "\(bytes.count)")
            }
            let type = ["Content-Type: multipart/form-data; boundary=X"]
            let head = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"NAME\"\r\n\r\n"
            func post(_ text: String) throws -> Int {
                try server.request("POST", "/upload/", headers: type, body: Array(text.utf8)).status
            }
            // A browser sends an empty name when no file was chosen.
            #expect(try post(head.replacingOccurrences(of: "NAME", with: "") + "\r\n--X--\r\n") == 422)
            // What ends too early is not kept.
            #expect(try post(head.replacingOccurrences(of: "NAME", with: "cut") + "half") == 422)
            #expect(try server.get("/upload/cut").status == 404)
            // Nor does a name lead elsewhere.
            #expect(try post(head.replacingOccurrences(of: "NAME", with: "../../x\\y") + "z\r\n--X--\r\n") == 201)
            #expect(try server.get("/upload/y").text == "z")
            #expect(try post("no form") == 422)
            #expect(try server.request("POST", "/upload/", headers: [], body: Array("x".utf8)).status == 415)
        }
    }

    @Test func clock_ticksForAsLongAsTheClientStays() throws {
        try withExample("clock") { server in
            let connection = try HTTPConnection(port: server.port, timeout: 30)
            try connection.sendHead("GET", "/clock/plain")
            let head = try connection.readHead()
            #expect(head.status == 200)
            struct Enough: Error {}
            var ticks = 0
            do {
                try connection.readBody(of: head) { bytes in
                    ticks += bytes.count(where: { $0 == 10 })
                    // Each tick is a chunk of its own: the server does not collect them.
                    #expect(bytes.count <= 26)
                    #expect(String(decoding: bytes, as: UTF8.self).hasSuffix(" UTC\n"))
                    if ticks >= 3 { throw Enough() }
                }
            } catch is Enough {}
            #expect(ticks >= 3)
            connection.reset()
            try eventually("five descriptors in each process") {
                server.daemons.allSatisfy { $0.hostDescriptors.count == 5 }
            }
        }
    }
}
