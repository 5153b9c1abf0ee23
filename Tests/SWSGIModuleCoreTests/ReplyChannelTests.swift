import Glibc
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire
import Testing

@Suite struct ReplyChannelTests {
    private func write(_ size: Int, to writer: inout ExchangeHeadWriter) {
        writer.begin(
            identity: .none,
            requestStart: 1,
            queueStart: 2,
            entryFile: "/app.wsgi",
            applicationGroup: "",
            symbol: "application",
            line: "GET / HTTP/1.1"
        )
        writer.add("LARGE", String(repeating: "x", count: size))
        writer.finish(flags: [])
    }

    @Test func smallHead_travelsAsAMessage_withTheReplyEnd() throws {
        let queue = try Socket.pair(.messages)
        var channel = try ReplyChannel()
        var writer = ExchangeHeadWriter()
        write(10, to: &writer)
        let wasWhole = channel.isWhole
        try channel.lend(writer, to: queue.first.number)
        let isWhole = channel.isWhole
        #expect(wasWhole && !isWhole)

        let message = try receive(queue.second.number)
        let reply = Descriptor(owning: message.descriptors.0)
        #expect(message.bytes == Array(writer.bytes))
        #expect(message.descriptors.1 == -1)
        try send(reply.number, [1, 2, 3])
        let answer = try receive(channel.socket).bytes
        #expect(answer == [1, 2, 3])
    }

    @Test func headOfMoreThan64KiB_travelsInSealedMemory() throws {
        let queue = try Socket.pair(.messages)
        var channel = try ReplyChannel()
        var writer = ExchangeHeadWriter()
        write(500_000, to: &writer)
        try channel.lend(writer, to: queue.first.number)

        let message = try receive(queue.second.number)
        let reply = Descriptor(owning: message.descriptors.0)
        let memory = Descriptor(owning: message.descriptors.1)
        let isSealed = Memory.isSealed(memory.number)
        let written = pwrite(memory.number, "x", 1, 0)
        let cut = ftruncate(memory.number, 10)
        #expect(isSealed && written == -1 && cut == -1)
        #expect(message.bytes == Array(writer.memoryMessage))
        #expect(try message.bytes.withUnsafeBytes { try ReceivedHead.memoryLength(of: $0) } == writer.bytes.count)
        #expect(try Memory.read(memory.number, limit: ExchangeHead.limit) == Array(writer.bytes))
        _ = consume reply
    }

    @Test func descriptorTakenBack_canBeLentAgain() throws {
        let queue = try Socket.pair(.messages)
        var channel = try ReplyChannel()
        var writer = ExchangeHeadWriter()
        write(10, to: &writer)
        for _ in 0..<3 {
            try channel.lend(writer, to: queue.first.number)
            channel.takeBack(try receive(queue.second.number).descriptors.0)
            let isWhole = channel.isWhole
            #expect(isWhole)
        }
        try channel.lend(writer, to: queue.first.number)
        let reply = Descriptor(owning: try receive(queue.second.number).descriptors.0)
        try send(reply.number, [7])
        let answer = try receive(channel.socket).bytes
        #expect(answer == [7])
    }

    @Test func takerThatDies_isSeenAsTheEnd() throws {
        let queue = try Socket.pair(.messages)
        var channel = try ReplyChannel()
        var writer = ExchangeHeadWriter()
        write(10, to: &writer)
        try channel.lend(writer, to: queue.first.number)
        close(try receive(queue.second.number).descriptors.0)
        let answer = try receive(channel.socket).bytes
        #expect(answer == [])
    }

    @Test func fullQueue_keepsTheFarEndAtHome() throws {
        let queue = try Socket.pair(.messages)
        var channel = try ReplyChannel()
        var writer = ExchangeHeadWriter()
        write(10, to: &writer)
        let filler = [UInt8](repeating: 0, count: 10_000)
        while (try? send(queue.first.number, filler)) != nil {}
        while (try? send(queue.first.number, [0])) != nil {}
        var failure: Errno?
        do throws(Errno) { try channel.lend(writer, to: queue.first.number) } catch { failure = error }
        let isWhole = channel.isWhole
        #expect(failure?.wouldBlock == true)
        #expect(isWhole)
    }

    @Test func queueWithoutReaders_keepsTheFarEndAtHome() throws {
        let queue = try Socket.pair(.messages)
        shutdown(queue.second.number, Int32(SHUT_RDWR))
        var channel = try ReplyChannel()
        var writer = ExchangeHeadWriter()
        write(200_000, to: &writer)
        var failure: Errno?
        do throws(Errno) { try channel.lend(writer, to: queue.first.number) } catch { failure = error }
        let isWhole = channel.isWhole
        #expect(failure?.code == EPIPE)
        #expect(isWhole)
    }

    @Test func descriptorTakenBack_replacesTheOneAtHome() throws {
        var channel = try ReplyChannel()
        let tracer = try Tracer()
        channel.takeBack(tracer.writing)
        let answer = try receive(channel.socket).bytes
        let before = tracer.isClosed
        let other = try Tracer()
        channel.takeBack(other.writing)
        let after = tracer.isClosed
        #expect(answer == [])
        #expect(!before && after)
    }

    @Test func timeout_endsAReceive() throws {
        var channel = try ReplyChannel()
        channel.setTimeout(1000)
        var failure: Errno?
        var byte: UInt8 = 0
        withUnsafeMutableBytes(of: &byte) { buffer in
            do throws(Errno) { _ = try Socket.receive(channel.socket, into: buffer) } catch { failure = error }
        }
        #expect(failure?.wouldBlock == true)
    }
}
