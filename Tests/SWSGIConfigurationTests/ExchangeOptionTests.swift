import SWSGIConfiguration
import Testing

/// The options of WSGIDaemonProcess that concern single requests.
@Suite struct ExchangeOptionTests {
    private func options(_ text: String) throws -> ExchangeOptions { try DaemonProcessOptions("a \(text)").exchange }

    @Test func nothingGiven_leavesTheDefaults() throws {
        #expect(try options("") == ExchangeOptions())
        #expect(try options("socket-timeout=0 response-socket-timeout=0") == ExchangeOptions())
    }

    @Test(
        arguments: [
            ("5", 5_000_000), ("5s", 5_000_000), ("250ms", 250_000), ("2min", 120_000_000), ("24h", 86_400_000_000),
            ("1ms", 1000), ("2147483647", 2_147_483_647_000_000),
        ] as [(String, Int64)]
    )
    func times_areReadWithTheirUnits(_ text: String, _ expected: Int64) throws {
        #expect(try options("socket-timeout=\(text)").socketTimeout == expected)
        #expect(try options("response-socket-timeout=\(text)").responseSocketTimeout == expected)
    }

    @Test func backlog_isANumber() throws {
        #expect(try options("").listenBacklog == 100)
        #expect(try options("listen-backlog=0").listenBacklog == 0)
        Expected("", 1006, "WSGIDaemonProcess: listen-backlog must be a number from 0 to 100000, not '-1'").check(
            problem { () throws(Problem) in _ = try DaemonProcessOptions("a listen-backlog=-1") }
        )
    }

    @Test func flushing_isReadInMillisecondsAndBytes() throws {
        let given = try options("response-flush-delay=20 response-buffer-size=64K")
        #expect(given.responseFlushDelay == 20_000)
        #expect(given.responseBuffer == 65_536)
        #expect(try options("response-flush-delay=0").responseFlushDelay == 0)
        #expect(try options("response-buffer-size=0").responseBuffer == 8 << 20)
        Expected(
            "",
            1006,
            "WSGIDaemonProcess: response-flush-delay must be 0 or a time from 1ms to 1min, in milliseconds or with ms, s, min or h, not '2min'"
        ).check(problem { () throws(Problem) in _ = try DaemonProcessOptions("a response-flush-delay=2min") })
    }

    @Test func waits_areOffByDefault() throws {
        #expect(try options("").connectTimeout == 0)
        #expect(try options("").queueTimeout == nil)
        let given = try options("connect-timeout=200ms queue-timeout=2")
        #expect(given.connectTimeout == 200_000)
        #expect(given.queueTimeout == 2_000_000)
        #expect(given.conflicts == [])
    }

    @Test func optionsThatDefeatEachOther_areNamed() throws {
        #expect(
            try options("queue-timeout=5 socket-timeout=5000ms").conflicts
                == ["queue-timeout=5s never passes before socket-timeout=5s"]
        )
        #expect(try options("queue-timeout=5 listen-backlog=0").conflicts.count == 1)
    }

    @Test(
        arguments: [
            ("0", 0), ("2", 2_000_000), ("2.5", 2_500_000), ("0.000001", 1), ("86400", 86_400_000_000),
            ("1.000000", 1_000_000),
        ] as [(String, Int64)]
    )
    func slowRequests_takeFractions(_ text: String, _ expected: Int64) throws {
        #expect(try slowRequestTime(text) == expected)
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "1s", "1e3", "86401", "1.0000001", "1.5.5", " 1", "99999999999999999999",
    ])
    func slowRequests_areReadStrictly(_ text: String) {
        #expect(problem { () throws(Problem) in _ = try slowRequestTime(text) }?.code == .numberInvalid)
    }

    @Test(arguments: [("512", 512), ("4K", 4096), ("1M", 1 << 20), ("64M", 64 << 20)] as [(String, Int64)])
    func sizes_areReadWithTheirUnits(_ text: String, _ expected: Int64) throws {
        #expect(try options("send-buffer-size=\(text)").sendBuffer == expected)
        #expect(try options("receive-buffer-size=\(text)").receiveBuffer == expected)
    }

    static let sizes: [(String, String)] = [
        ("send-buffer-size", "511"), ("send-buffer-size", "65M"), ("receive-buffer-size", "1g"),
        ("receive-buffer-size", "-1"), ("header-buffer-size", "8191"), ("header-buffer-size", "257K"),
        ("header-buffer-size", "1T"), ("send-buffer-size", "99999999999G"),
    ]

    @Test(arguments: sizes) func sizeOutOfRange_isNamed_withWhatIsAllowed(_ option: String, _ value: String) {
        let range = option == "header-buffer-size" ? "8192 to 262144" : "512 to 67108864"
        Expected(
            value,
            1006,
            "WSGIDaemonProcess: \(option) must be 0 or \(range) bytes, or a number with K, M or G, not '\(value)'"
        )
        .check(problem { () throws(Problem) in _ = try DaemonProcessOptions("a \(option)=\(value)") })
    }

    @Test func inactivity_isOffByDefault_andASecondAtLeast() throws {
        #expect(try options("").inactivityTimeout == nil)
        #expect(try options("inactivity-timeout=0").inactivityTimeout == nil)
        #expect(try options("inactivity-timeout=5min").inactivityTimeout == 300_000_000)
        #expect(problem { () throws(Problem) in _ = try DaemonProcessOptions("a inactivity-timeout=999ms") } != nil)
    }

    @Test func headerBuffer_hasADefault() throws {
        #expect(try options("").headerBuffer == 32_768)
        #expect(try options("header-buffer-size=0").headerBuffer == 32_768)
        #expect(try options("header-buffer-size=64K").headerBuffer == 65_536)
    }

    static let times: [Expected] = ["x", "-1", "", "s", "5m", "1.5", "5 s", "2147483648", "99999999999999999999", "5S"]
        .map {
            Expected(
                "socket-timeout='\($0)'",
                1006,
                "socket-timeout must be 0 or a time from 1ms to 2147483647s, in seconds or with ms, s, min or h, not '\($0)'"
            )
        }

    @Test(arguments: times) func mistake_isNamed_withWhatIsAllowed(_ expected: Expected) {
        Expected(expected.input, expected.number, "WSGIDaemonProcess: \(expected.what)").check(
            problem { () throws(Problem) in _ = try DaemonProcessOptions("a \(expected.input)") }
        )
    }
}
