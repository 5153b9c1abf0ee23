import Foundation
import Testing

/// How an application's writes and flushes reach the client.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"), .serialized)
struct WriteTests {
    private func withWrites(_ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            let entry = try server.deploy(bundle: CFixture.path("writes"), as: "app")
            try server.start(server.application(entry, options: "threads=2"))
            try body(server)
        }
    }

    @Test func applicationThatPausesWithoutAFlush_isNotHeldBack() throws {
        try withWrites { server in
            let connection = try HTTPConnection(port: server.port, timeout: 30)
            try connection.sendHead("GET", "/pause?\(server.directory)/go")
            let head = try connection.readHead()
            var text = ""
            try connection.readBody(of: head) { bytes in
                text += String(decoding: bytes, as: UTF8.self)
                // The application does not go on before the client has all of its first write.
                if text.utf8.count == 100_000 { try server.write("", to: "go") }
            }
            #expect(text == String(repeating: "a", count: 100_000) + "the end")
        }
    }

    /// A23.
    @Test func bytesOfAHeader_arriveAsTheyAre() throws {
        try withWrites { server in
            let connection = try HTTPConnection(port: server.port)
            try connection.send("GET /none HTTP/1.0\r\n\r\n")
            let bytes = try connection.readToEnd()
            let expected: [UInt8] = Array("X-Latin: gr".utf8) + [0xfc, UInt8(ascii: "n"), 13]
            #expect(bytes.split(separator: 10).contains { Array($0) == expected })
        }
    }

    /// A46, A47, A48 and A49: by one process, in little memory.
    @Test func writesOfEverySize_areSentInLittleMemory() throws {
        try withWrites { server in
            let children = server.children.map(\.pid)
            let memory = MemoryWatch { children.compactMap { ProcessFacts(pid: $0) } }
            let expected = [("/empty", 0), ("/tiny", 1_000_000), ("/storm", 100_000), ("/huge", 256 << 20)]
            for (path, bytes) in expected {
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead("GET", path)
                let head = try connection.readHead()
                #expect(head.status == 200, "\(path)")
                var count = 0
                try connection.readBody(of: head) { count += $0.count }
                #expect(count == bytes, "\(path)")
            }
            for sample in memory.finish() { #expect(sample.kilobytes < 32 * 1024, "\(sample.name)") }
        }
    }
}
