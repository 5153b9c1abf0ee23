import CSWSGI
import Glibc
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

/// Files on their way to httpd.
@Suite struct SendFileTests {
    private let directory: TemporaryDirectory
    private let file: SharedDescriptor

    init() throws {
        directory = try TemporaryDirectory()
        file = SharedDescriptor(
            try Descriptor.open(try directory.write(Array("0123456789".utf8), to: "file"), O_RDONLY)
        )
    }

    private func part(_ offset: Int64, _ length: Int64) -> Message.Frame {
        Message.Frame(.file, withUnsafeBytes(of: (offset.littleEndian, length.littleEndian)) { Array($0) })
    }

    @Test func wholeFile_isOneMessage_withFileAndReplyEnd() throws {
        var responder = try Responder()
        let results = [responder.start(), responder.buffer.sendFile(file.number, offset: 0, length: -1)]
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(results == [0, 0])
        #expect(message.frames.map(\.kind) == [.head, .file, .end])
        #expect(message.frames[1] == part(0, 10))
        #expect(try Head(message.frames[0].payload).contentLength == 10)
        #expect(message.isReplyReturned && message.file == Array("0123456789".utf8))
    }

    @Test func partsAmongBytes_comeInTheirOrder() throws {
        var responder = try Responder()
        _ = responder.start()
        let results = [
            responder.write("a"), responder.buffer.sendFile(file.number, offset: 2, length: 3), responder.write("b"),
            responder.buffer.sendFile(file.number, offset: 10, length: -1),
            responder.buffer.sendFile(file.number, offset: 9, length: 1), responder.write("c"),
        ]
        responder.buffer.end(.complete, returnsReply: true)
        let first = try #require(try responder.reply.receive())
        let last = try #require(try responder.reply.receive())
        #expect(results == Array(repeating: 0, count: 6))
        #expect(first.frames.map(\.kind) == [.head, .data, .file, .data])
        #expect(first.frames[2] == part(2, 3) && first.file != nil && !first.isReplyReturned)
        #expect(last.frames == [part(9, 1), Message.Frame(.data, Array("c".utf8)), Message.Frame(.end, [0])])
        #expect(last.file != nil && last.isReplyReturned)
    }

    @Test func position_isNotShared() throws {
        lseek(file.number, 7, SEEK_SET)
        var responder = try Responder()
        _ = responder.start()
        _ = responder.buffer.sendFile(file.number, offset: 0, length: -1)
        responder.buffer.end(.complete, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(message.file?.count == 10)
        #expect(lseek(file.number, 0, SEEK_CUR) == 7)
    }

    @Test func announcedLength_bindsFilesToo() throws {
        var responder = try Responder()
        _ = responder.start(200, "OK", [("Content-Length", "4")])
        let results = [
            responder.write("a"), responder.buffer.sendFile(file.number, offset: 0, length: -1),
            responder.buffer.sendFile(file.number, offset: 0, length: 1),
        ]
        responder.buffer.end(.complete, returnsReply: true)
        let message = try responder.reply.receiveAll()
        #expect(results == [0, Int32(SWSGI_ERROR_TOO_LONG), Int32(SWSGI_ERROR_TOO_LONG)])
        #expect(message.frames.contains(part(0, 4)))
    }

    @Test(arguments: [(11, -1), (0, 11), (5, 6), (-1, 1), (Int64.max, -1), (1, Int64.max)] as [(Int64, Int64)])
    func partOutsideTheFile_isRefused(_ offset: Int64, _ length: Int64) throws {
        var responder = try Responder()
        _ = responder.start()
        let result = responder.buffer.sendFile(file.number, offset: offset, length: length)
        #expect(result == Int32(SWSGI_ERROR_FILE))
    }

    @Test func somethingElseThanAFile_isRefused() throws {
        let folder = try Descriptor.open("/", O_RDONLY)
        let device = try Descriptor.open("/dev/null", O_RDONLY)
        let pipe = try Descriptor.pipe(nonBlockingRead: true)
        var responder = try Responder()
        _ = responder.start()
        for descriptor in [folder.number, device.number, pipe.reading.number, -1] {
            let result = responder.buffer.sendFile(descriptor, offset: 0, length: -1)
            #expect(result == Int32(SWSGI_ERROR_FILE))
        }
    }

    @Test func failureBeforeAnythingWasSent_takesTheFileBack() throws {
        var responder = try Responder()
        _ = responder.start()
        _ = responder.buffer.sendFile(file.number, offset: 0, length: -1)
        responder.buffer.end(.failed, returnsReply: true)
        let message = try #require(try responder.reply.receive())
        #expect(message.frames == [Message.Frame(.end, [1])])
        #expect(message.file == nil && message.isReplyReturned)
    }

    @Test func fileBeforeTheStart_isRefused() throws {
        var responder = try Responder()
        let result = responder.buffer.sendFile(file.number, offset: 0, length: -1)
        #expect(result == Int32(SWSGI_ERROR_NOT_STARTED))
    }
}
