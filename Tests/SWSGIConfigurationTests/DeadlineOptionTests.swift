import SWSGIConfiguration
import Testing

/// The options of WSGIDaemonProcess that limit requests and processes that don't answer.
@Suite struct DeadlineOptionTests {
    private func options(_ text: String) throws -> DaemonProcessOptions { try DaemonProcessOptions("a \(text)") }

    @Test func nothingGiven_limitsOnlySilentProcesses() throws {
        let given = try options("").deadlines
        #expect(given.requestTimeout == nil)
        #expect(given.interruptTimeout == 0)
        #expect(given.deadlockTimeout == 300_000_000)
    }

    @Test func times_areReadWithTheirUnits() throws {
        let given = try options("request-timeout=250ms interrupt-timeout=2min deadlock-timeout=5").deadlines
        #expect(given.requestTimeout == 250_000)
        #expect(given.interruptTimeout == 120_000_000)
        #expect(given.deadlockTimeout == 5_000_000)
        #expect(try options("deadlock-timeout=0").deadlines.deadlockTimeout == nil)
        #expect(try options("request-timeout=0").deadlines.requestTimeout == nil)
    }

    @Test(arguments: ["request-timeout=10x", "request-timeout=-1", "interrupt-timeout=25h", "deadlock-timeout=500ms"])
    func whatIsNoTime_isRefused(_ text: String) {
        let found = problem { () throws(Problem) in _ = try DaemonProcessOptions("a \(text)") }
        #expect(found?.code.number == 1006)
        #expect(found?.what.contains("\(text.prefix { $0 != "=" }) must be 0 or a time") == true)
    }

    @Test func optionsThatDefeatEachOther_areNamed() throws {
        #expect(try options("request-timeout=5 socket-timeout=6").conflicts == [])
        #expect(try options("request-timeout=5 socket-timeout=5").conflicts.count == 1)
        #expect(
            try options("interrupt-timeout=5").conflicts
                == ["interrupt-timeout=5s has no effect without request-timeout="]
        )
    }
}
