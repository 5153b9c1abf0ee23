import Testing

@testable import SWSGIConfiguration

@Suite struct StrictNumberTests {
    @Test(arguments: [("1", 1), ("15", 15), ("1000", 1000), ("007", 7)] as [(String, UInt32)])
    func wholeNumberInRange_isTaken(_ text: String, _ expected: UInt32) throws {
        #expect(try strictNumber(text, in: 1...1000, option: "threads", directive: "WSGITest") == expected)
    }

    @Test(arguments: ["", "0", "1001", "abc", "2x", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "99999999999", "٣"])
    func anythingElse_isRefused_withTheRange(_ text: String) {
        let expected = Expected(text, 1006, "WSGITest: threads must be a number from 1 to 1000, not '\(text)'")
        expected.check(
            problem { () throws(Problem) in
                _ = try strictNumber(text, in: 1...1000, option: "threads", directive: "WSGITest")
            }
        )
    }

    @Test(
        arguments: [
            ("1", 1), ("90", 90), ("90s", 90), ("5min", 300), ("2h", 7200), ("86400", 86_400), ("24h", 86_400),
            ("1440min", 86_400),
        ] as [(String, UInt32)]
    )
    func secondsMinutesAndHours_areTaken(_ text: String, _ expected: UInt32) throws {
        #expect(try strictSeconds(text, in: 1...86_400, option: "timeout", directive: "WSGITest") == expected)
    }

    @Test(arguments: [
        "", "0", "0s", "5m", "1.5", "1.5s", "-1", "-1s", "+1s", "+1", "s", "min", "h", "5 s", "5S", "5ss", "5mins",
        "86401", "25h", "1441min", "71582789min", "4294967295h", "99999999999s", "5d", "five",
    ])
    func anythingElse_isRefused_withTheUnits(_ text: String) {
        let expected = Expected(
            text,
            1006,
            "WSGITest: timeout must be 1 to 86400 seconds, or a number with s, min or h, not '\(text)'"
        )
        expected.check(
            problem { () throws(Problem) in
                _ = try strictSeconds(text, in: 1...86_400, option: "timeout", directive: "WSGITest")
            }
        )
    }

    @Test(arguments: ["-0", "-0s", "+0min"]) func signedZero_isRefused_whereZeroIsAllowed(_ text: String) {
        #expect(
            problem { () throws(Problem) in
                _ = try strictSeconds(text, in: 0...10, option: "timeout", directive: "WSGITest")
            } != nil
        )
    }

    @Test(arguments: [("On", true), ("on", true), ("ON", true), ("Off", false), ("oFF", false)])
    func flag_isOnOrOff_inAnyCase(_ text: String, _ expected: Bool) throws {
        #expect(try flag(text, directive: "WSGITest") == expected)
    }

    @Test(arguments: ["", "yes", "1", "true", "On ", "0"]) func anotherFlag_isRefused(_ text: String) {
        Expected(text, 1016, "WSGITest must be On or Off, not '\(text)'")
            .check(problem { () throws(Problem) in _ = try flag(text, directive: "WSGITest") })
    }

    @Test(
        arguments: [
            ("thread", "threads"), ("threads", "threads"), ("hreads", "threads"), ("process", "processes"),
            ("umsk", "umask"), ("xyz", nil), ("u", nil), ("", nil),
        ] as [(String, String?)]
    )
    func nearestWord_isFound_whenItIsNear(_ word: String, _ expected: String?) {
        #expect(nearest(to: word, among: ["threads", "processes", "umask"]) == expected)
    }

    @Test func nearestWordOfNone_isNone() {
        #expect(nearest(to: "threads", among: []) == nil)
    }
}
