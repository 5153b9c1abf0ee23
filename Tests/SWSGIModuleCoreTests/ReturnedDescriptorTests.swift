import Glibc
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire
import Testing

@Suite struct ReturnedDescriptorTests {
    @Test func descriptorOfTheEnd_isGivenOnce() throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]), (line.far.number, -1))
        let pieces = line.read()
        let returned = Descriptor(owning: line.reader.takeReturned())
        let again = line.reader.takeReturned()
        let isFar = isSame(returned.number, line.far.number)
        #expect(pieces == [.frame(.end, [0])])
        #expect(isFar)
        #expect(again == -1)
    }

    @Test func returnedDescriptor_isCloseOnExec() throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]), (line.far.number, -1))
        _ = line.read()
        let returned = Descriptor(owning: line.reader.takeReturned())
        let flags = fcntl(returned.number, F_GETFD)
        #expect(flags & FD_CLOEXEC != 0)
    }

    @Test func withoutADescriptor_noneIsGiven() throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]))
        _ = line.read()
        let returned = line.reader.takeReturned()
        #expect(returned == -1)
    }

    @Test func secondDescriptorOfAMessage_isClosed() throws {
        var line = try Line()
        let kept = try Tracer()
        let unwanted = try Tracer()
        try send(line.far.number, frame(.end, [0]), (kept.writing, unwanted.writing))
        close(kept.writing)
        close(unwanted.writing)
        _ = line.read()
        let closed = (kept.isClosed, unwanted.isClosed)
        #expect(closed == (false, true))
        close(line.reader.takeReturned())
        let isClosed = kept.isClosed
        #expect(isClosed)
    }

    @Test func laterDescriptor_replacesTheEarlierOne() throws {
        var line = try Line()
        let first = try Tracer()
        let second = try Tracer()
        try send(line.far.number, frame(.log, [3]), (first.writing, -1))
        try send(line.far.number, frame(.end, [0]), (second.writing, -1))
        close(first.writing)
        close(second.writing)
        let pieces = line.read()
        let closed = (first.isClosed, second.isClosed)
        #expect(pieces == [.frame(.log, [3]), .frame(.end, [0])])
        #expect(closed == (true, false))
        close(line.reader.takeReturned())
    }

    @Test func begin_closesADescriptorThatNobodyTook() throws {
        var line = try Line()
        let tracer = try Tracer()
        try send(line.far.number, frame(.end, [0]), (tracer.writing, -1))
        close(tracer.writing)
        _ = line.read()
        let before = tracer.isClosed
        line.reader.begin()
        let after = tracer.isClosed
        let returned = line.reader.takeReturned()
        #expect(!before && after)
        #expect(returned == -1)
    }

    @Test func readerThatGoes_closesADescriptorThatNobodyTook() throws {
        let tracer = try Tracer()
        try leave(tracer.writing)
        close(tracer.writing)
        let isClosed = tracer.isClosed
        #expect(isClosed)
    }

    private func leave(_ descriptor: Int32) throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]), (descriptor, -1))
        _ = line.read()
    }

    @Test func twoHundredDescriptorsOfGarbage_areClosed() throws {
        let tracer = try Tracer()
        for _ in 0..<100 {
            var line = try Line()
            try send(line.far.number, Array("\r\n\r\n\r\n\r\n".utf8), (tracer.writing, tracer.writing))
            let pieces = line.read()
            #expect(pieces.count == 1)
        }
        close(tracer.writing)
        let isClosed = tracer.isClosed
        #expect(isClosed)
    }
}
