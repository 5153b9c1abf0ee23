import Testing

@testable import SWSGISupervisor

/// A log of the test's own, which takes so many bytes.
private final class TestLog {
    var room = Int.max
    var refusal = LogWrite.full
    var text = ""

    var log: LogSink.Log {
        LogSink.Log(
            write: { bytes in
                guard self.room > 0 else { return self.refusal }
                let count = min(bytes.count, self.room)
                self.room -= self.room == .max ? 0 : count
                self.text += String(decoding: bytes.prefix(count), as: UTF8.self)
                return .took(count)
            },
            missing: { Array("\($0) missing\n".utf8) }
        )
    }

    var lines: [Substring] { text.split(separator: "\n") }
}

@Suite struct LogSinkTests {
    private let second = Delays.second
    private let log = TestLog()

    private func bytes(_ text: String) -> [UInt8] { Array("\(text)\n".utf8) }

    /// A sink whose log takes nothing, full to the last line; returns how many lines it keeps.
    private func fill(_ sink: inout LogSink, now: Int64 = 0) -> Int {
        let line = bytes(String(repeating: "x", count: 1023))
        log.room = 0
        var count = 0
        while !sink.isFull(now: now) {
            sink.add(line, now: now, log: log.log)
            count += 1
        }
        return count
    }

    @Test func lines_areWrittenAtOnce() {
        var sink = LogSink()
        for text in ["one", "two"] { sink.add(bytes(text), now: 0, log: log.log) }
        #expect(log.lines == ["one", "two"])
        #expect(!sink.waitsForRoom && sink.retryAt == nil)
    }

    @Test func whatALogTakesInPieces_isWhole() {
        var sink = LogSink()
        log.room = 5
        for text in ["one", "two", "three"] { sink.add(bytes(text), now: 0, log: log.log) }
        #expect(log.text == "one\nt" && sink.waitsForRoom)
        log.room = .max
        sink.flush(now: 1, log: log.log)
        #expect(log.lines == ["one", "two", "three"])
        #expect(!sink.waitsForRoom)
    }

    @Test func fullPipe_isWaitedFor_andAnythingElseIsTriedAgain() {
        var sink = LogSink()
        log.room = 0
        sink.add(bytes("one"), now: 0, log: log.log)
        #expect(sink.waitsForRoom && sink.retryAt == nil)
        log.refusal = .failed
        sink.flush(now: 10, log: log.log)
        #expect(!sink.waitsForRoom && sink.retryAt == 10 + LogSink.interval)
    }

    @Test func output_waitsForALogThatTakesNothing_butNotLongerThanItsPatience() {
        var sink = LogSink()
        let kept = fill(&sink)
        #expect(kept * 1024 == LogSink.limit)
        #expect(sink.isFull(now: LogSink.patience - 1))
        #expect(sink.givesUpAt == LogSink.patience)
        #expect(!sink.isFull(now: LogSink.patience))
    }

    @Test func aLogThatTakesALittle_isNotGivenUp() {
        var sink = LogSink()
        _ = fill(&sink)
        log.room = 10
        sink.flush(now: second / 2, log: log.log)
        #expect(sink.isFull(now: second) || sink.givesUpAt == second / 2 + LogSink.patience)
    }

    @Test func whatHasNoRoom_isCounted_andToldOnceAtItsPlace() {
        var sink = LogSink()
        let kept = fill(&sink)
        for _ in 0..<7 { sink.add(bytes("lost"), now: 2 * second, log: log.log) }
        log.room = .max
        sink.flush(now: 3 * second, log: log.log)
        sink.add(bytes("after"), now: 3 * second, log: log.log)
        #expect(log.lines.count == kept + 2)
        #expect(log.lines.suffix(2) == ["7 missing", "after"])
    }

    @Test func aLogThatTakesLineByLine_isNotToldOfEachMissingLine() {
        var sink = LogSink()
        let kept = fill(&sink)
        let line = bytes(String(repeating: "y", count: 1023))
        for turn in 0..<(kept / 4) {
            sink.add(line, now: 2 * second, log: log.log)
            log.room = 1024
            sink.flush(now: 2 * second + Int64(turn), log: log.log)
        }
        log.room = .max
        sink.flush(now: 4 * second, log: log.log)
        #expect(log.lines.count { $0.hasSuffix("missing") } == 1)
        #expect(log.lines.contains("\(kept / 4) missing"))
    }

    @Test func memory_isBounded_whateverComes() {
        var sink = LogSink()
        _ = fill(&sink)
        for turn in 0..<10_000 { sink.add(bytes("lost"), now: Int64(turn) * second, log: log.log) }
        log.room = .max
        sink.flush(now: 0, log: log.log)
        #expect(log.text.utf8.count <= LogSink.limit + 64)
    }
}
