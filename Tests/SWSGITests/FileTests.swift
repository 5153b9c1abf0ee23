import CSWSGI
import Foundation
import SWSGI
import Testing

@Suite("Files as bodies")
struct FileTests {
    private let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("swsgi-file-\(UUID())").path
        try Data("0123456789".utf8).write(to: URL(fileURLWithPath: path))
    }

    private func respond(_ host: FakeHost, _ body: @escaping @Sendable () throws -> Body) -> Int32 {
        host.respond(
            export { _, startResponse in
                startResponse("200 OK")
                return try body()
            }
        )
    }

    @Test func fileIsHandedToTheHost() {
        let host = FakeHost()
        let results = [
            respond(host) { [path] in try .file(path) },
            respond(host) { [path] in try .file(path, from: 2, length: 3) },
            respond(host) { [path] in try .file(path, from: 10) },
        ]
        #expect(results == [0, 0, 0])
        #expect(host.events.filter { if case .head = $0 { false } else { true } }.count == 3)
        #expect(host.events.contains(.file("0123456789", 0, -1)))
        #expect(host.events.contains(.file("0123456789", 2, 3)))
        #expect(host.events.contains(.file("0123456789", 10, -1)))
    }

    @Test func hostOfTheFirstTable_getsBytes() {
        let host = FakeHost(size: 152)
        let result = respond(host) { [path] in try .file(path, from: 2, length: 3) }
        #expect(result == 0)
        #expect(host.events == [.head(200, "OK", []), .write("234")])
    }

    @Test func typedFileHasValidators() throws {
        let host = FakeHost()
        let result = host.respond(export(Typed { [path] _ in try .file(path, type: "text/plain") }))
        #expect(result == 0)
        guard case .head(200, "OK", let headers)? = host.events.first else {
            Issue.record("no head: \(host.events)")
            return
        }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let modified = try #require(
            try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        )
        #expect(headers[0] == "Content-Type: text/plain")
        #expect(headers[1] == "Last-Modified: \(formatter.string(from: modified))")
        #expect(headers[2].wholeMatch(of: #/ETag: "a-[0-9a-f]+"/#) != nil)
    }

    @Test func factsOfAFile_areTheApplications() throws {
        let moment = timespec(tv_sec: 784_111_777, tv_nsec: 123_456_789)
        #expect(utimensat(AT_FDCWD, path, [moment, moment], 0) == 0)
        let file = try #require(try Body.file(path, from: 2, length: 3).file)
        #expect(file.size == 10)
        #expect(file.length == 3)
        #expect(file.modified == (784_111_777, 123_456_789))
        #expect(file.lastModified == "Sun, 06 Nov 1994 08:49:37 GMT")
        let typed = try Response.file(path, type: "text/plain")
        #expect(typed.headers["ETag"] == file.entityTag)
        #expect(typed.headers["Last-Modified"] == file.lastModified)
        #expect(try Body.file(path, from: 4).file?.length == 6)
        let descriptor = open(path, O_RDONLY)
        #expect(try Body.file(descriptor: descriptor).onEnd {}.file?.size == 10)
        #expect(Body("text").file == nil)
    }

    @Test(arguments: [
        ("/nowhere", FileError.Code.notFound, 404), ("/", .notRegular, 404), ("/dev/null", .notRegular, 404),
    ])
    func whatIsNoFile_isAnError_thatHasAnAnswer(_ path: String, _ code: FileError.Code, _ status: UInt16) throws {
        let error = #expect(throws: FileError.self) { _ = try Body.file(path) }
        #expect(error?.code == code && error?.path == path)
        #expect(error?.response.status.code == status)
        #expect(error?.response.headers["Content-Type"] == "text/plain; charset=utf-8")
    }

    @Test(arguments: [(11, nil), (0, 11), (-1, nil), (0, -1), (Int.max, 1), (1, Int.max)] as [(Int, Int?)])
    func partOutsideTheFile_isAnError(_ offset: Int, _ length: Int?) {
        #expect(throws: FileError.self) { _ = try Body.file(path, from: offset, length: length) }
    }

    @Test func descriptorIsClosedWithTheBody_ifItIsTakenOver() throws {
        for closing in [true, false] {
            let descriptor = open(path, O_RDONLY)
            do { _ = try Body.file(descriptor: descriptor, closing: closing) }
            #expect((fcntl(descriptor, F_GETFD) < 0) == closing)
            if !closing { close(descriptor) }
        }
    }

    @Test func fileThatTheHostRefuses_failsTheResponse() {
        let host = FakeHost()
        host.fileResult = Int32(SWSGI_ERROR_FILE)
        let result = respond(host) { [path] in try .file(path) }
        #expect(result != 0)
        #expect(host.logged.last?.contains("became shorter") == true)
    }
}
