import Glibc
import SWSGISystem
import SWSGIWire
import Testing

@testable import SWSGIHost

/// Reply sockets between the crash handler, which ends those of running exchanges, and httpd, which gets them back.
@Suite(.serialized) struct HandOverTests {
    /// Begins an exchange in a slot that no thread has.
    private func begin(_ slot: Int, reply: Int32) {
        let text: StaticString = "text"
        text.utf8Start.withMemoryRebound(to: CChar.self, capacity: text.utf8CodeUnitCount + 1) {
            CrashHandlers.began(slot: slot, reply: reply, entryFile: $0, line: $0)
        }
    }

    @Test func runningExchange_isEndedByACrash_andItsSocketKept() throws {
        let first = try Reply(.stream)
        begin(4000, reply: first.far.number)
        CrashHandlers.endExchanges()
        #expect(Socket.hasHungUp(first.near.number))
        #expect(!CrashHandlers.handOver(slot: 4000))
        #expect(CrashHandlers.runningLine(slot: 4000) == "text")
        #expect(!CrashHandlers.ended(slot: 4000))
        #expect(CrashHandlers.runningLine(slot: 4000) == nil)
        let second = try Reply(.stream)
        begin(4000, reply: second.far.number)
        #expect(CrashHandlers.ended(slot: 4000))
        CrashHandlers.endExchanges()
        #expect(!Socket.hasHungUp(second.near.number))
    }

    /// httpd may have lent it to another process by then.
    @Test func socketThatWentBack_isNotEndedByACrash() throws {
        let reply = try Reply(.stream)
        begin(4001, reply: reply.far.number)
        #expect(CrashHandlers.handOver(slot: 4001))
        CrashHandlers.endExchanges()
        #expect(!Socket.hasHungUp(reply.near.number))
        #expect(CrashHandlers.runningLine(slot: 4001) == "text")
        #expect(CrashHandlers.ended(slot: 4001))
    }

    @Test(arguments: [true, false]) func replyEnd_isHandedOver_beforeItIsSentBack(isOwn: Bool) throws {
        let reply = try Reply()
        let instance = try Loaded.versionA.get()
        var early: [Message?] = []
        let exchange = Exchange(thread: 1)
        try TestRequest().head.withUnsafeBytes { bytes in
            exchange.run(instance, head: try ReceivedHead(bytes), reply: reply.far.number) {
                early.append(try? reply.receive())
                return isOwn
            }
        }
        #expect(early.count == 1 && early.first?.map(\.frames) == nil)
        let message = try #require(try reply.receive())
        #expect(message.frames.map(\.kind) == [.head, .data, .end])
        #expect(message.isReplyReturned == isOwn)
    }
}
