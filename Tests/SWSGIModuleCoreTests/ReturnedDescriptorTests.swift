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
        let returned = Descriptor(owning: line.reader.takeDescriptor())
        let again = line.reader.takeDescriptor()
        let isFar = isSame(returned.number, line.far.number)
        #expect(pieces == [.frame(.end, [0])])
        #expect(isFar)
        #expect(again == -1)
    }

    @Test func returnedDescriptor_isCloseOnExec() throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]), (line.far.number, -1))
        _ = line.read()
        let returned = Descriptor(owning: line.reader.takeDescriptor())
        let flags = fcntl(returned.number, F_GETFD)
        #expect(flags & FD_CLOEXEC != 0)
    }

    @Test func withoutADescriptor_noneIsGiven() throws {
        var line = try Line()
        try send(line.far.number, frame(.end, [0]))
        _ = line.read()
        let returned = line.reader.takeDescriptor()
        #expect(returned == -1)
    }

    @Test func descriptors_areGivenInTheirOrder() throws {
        var line = try Line()
        var tracers: [Int32] = []
        for _ in 0..<3 {
            let pipe = try Descriptor.pipe(nonBlockingRead: true)
            tracers.append(dup(pipe.reading.number))
        }
        try send(line.far.number, frame(.log, [3]), (tracers[0], tracers[1]))
        try send(line.far.number, frame(.end, [0]), (tracers[2], -1))
        let pieces = line.read()
        let isEmpty = line.reader.isEmpty
        let given = [line.reader.takeDescriptor(), line.reader.takeDescriptor(), line.reader.takeDescriptor()]
        let isEmptyNow = line.reader.isEmpty
        #expect(pieces == [.frame(.log, [3]), .frame(.end, [0])])
        #expect(zip(tracers, given).allSatisfy { isSame($0, $1) })
        #expect(!isEmpty && isEmptyNow)
        for descriptor in tracers + given { close(descriptor) }
    }

    @Test func fiveDescriptorsThatNobodyTakes_areMalformed() throws {
        var line = try Line()
        let tracer = try Tracer()
        try send(line.far.number, frame(.log, [3]), (tracer.writing, tracer.writing))
        try send(line.far.number, frame(.log, [3]), (tracer.writing, tracer.writing))
        let before = line.read()
        try send(line.far.number, frame(.log, [3]), (tracer.writing, -1))
        let after = line.read()
        close(tracer.writing)
        line.reader.begin()
        let isClosed = tracer.isClosed
        #expect(before.count == 2 && after == [.malformed("5 descriptors that belong to no frame")])
        #expect(isClosed)
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
        let returned = line.reader.takeDescriptor()
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
