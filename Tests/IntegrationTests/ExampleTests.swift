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
                    #expect(bytes.count <= 18)
                    if ticks >= 3 { throw Enough() }
                }
            } catch is Enough {}
            #expect(ticks >= 3)
            connection.reset()
            try eventually("five descriptors in each process") {
                server.daemons.allSatisfy { $0.descriptors.count == 5 }
            }
        }
    }
}
