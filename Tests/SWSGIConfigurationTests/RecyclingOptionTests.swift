import Testing

@testable import SWSGIConfiguration

@Suite struct RecyclingOptionTests {
    private func options(_ text: String) throws -> RecyclingOptions { try DaemonProcessOptions("a \(text)").recycling }

    @Test func defaults_replaceNothing_andWaitForEver() throws {
        #expect(try options("") == RecyclingOptions())
        #expect(RecyclingOptions().gracefulTimeout == nil)
    }

    @Test func values_areReadWithTheirUnits() throws {
        let read = try options(
            "graceful-timeout=15 eviction-timeout=500ms maximum-requests=1000 maximum-requests-jitter=100"
                + " restart-interval=12h restart-interval-jitter=5min cpu-time-limit=90s rss-limit=200M"
        )
        #expect(read.gracefulTimeout == 15_000_000)
        #expect(read.evictionTimeout == 500_000)
        #expect(read.maximumRequests == 1000)
        #expect(read.maximumRequestsJitter == 100)
        #expect(read.restartInterval == 43_200_000_000)
        #expect(read.restartIntervalJitter == 300_000_000)
        #expect(read.cpuTimeLimit == 90)
        #expect(read.rssLimit == 200 << 20)
    }

    @Test func zero_isNoWaitForGracefulTimeout_andTheDefaultElsewhere() throws {
        #expect(try options("graceful-timeout=0").gracefulTimeout == 0)
        let others = "eviction-timeout=0 maximum-requests=0 restart-interval=0 cpu-time-limit=0 rss-limit=0"
        #expect(try options(others) == RecyclingOptions())
    }

    @Test(arguments: [
        "graceful-timeout=-1", "graceful-timeout=forever", "graceful-timeout=25h", "eviction-timeout=1d",
        "maximum-requests=10x", "maximum-requests=-1", "maximum-requests=2000000000", "maximum-requests-jitter=",
        "restart-interval=500ms", "restart-interval=721h", "restart-interval-jitter=x", "cpu-time-limit=100ms",
        "cpu-time-limit=1.5", "rss-limit=1000", "rss-limit=1T",
    ]) func otherValues_areRefused(_ option: String) {
        let error = #expect(throws: Problem.self) { try options(option) }
        #expect(error?.code == .numberInvalid)
    }

    @Test(arguments: [
        ("maximum-requests-jitter=5", "without maximum-requests="),
        ("restart-interval-jitter=5", "without restart-interval="),
        ("restart-interval=60 inactivity-timeout=60", "never passes"),
        ("restart-interval=60 graceful-timeout=61", "may go on while"),
        ("threads=0 processes=2-8", "always 2 processes"), ("threads=0 maximum-requests=9", "no requests"),
        ("threads=0 graceful-timeout=9", "no requests"), ("threads=0 eviction-timeout=9", "no requests"),
    ]) func optionsThatDefeatEachOther_areNamed(_ text: String, _ part: String) throws {
        let conflicts = try DaemonProcessOptions("a \(text)").conflicts
        #expect(conflicts.count == 1)
        #expect(conflicts.first?.contains(part) == true, "\(conflicts)")
    }

    @Test(arguments: [
        "maximum-requests=5 maximum-requests-jitter=5", "restart-interval=60 inactivity-timeout=59",
        "restart-interval=60 graceful-timeout=60 eviction-timeout=90", "threads=0 processes=2 restart-interval=60",
    ]) func optionsThatGoTogether_areNot(_ text: String) throws {
        #expect(try DaemonProcessOptions("a \(text)").conflicts == [])
    }
}
