import SWSGI
import SWSGIWire
import Testing

/// The SDK is built into applications and can't share code with the server; it refuses what the server would refuse.
@Suite struct HeadRuleTests {
    /// Each byte of ASCII, and characters beyond it.
    private static let characters = (0..<0x80).map { String(Unicode.Scalar(UInt8($0))) } + ["é", "€", "😀"]

    private static let texts = [""] + characters.flatMap { [$0, "a\($0)", "\($0)a", "a\($0)a"] }

    private func holds(_ text: String, _ rule: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        Array(text.utf8).withUnsafeBytes(rule)
    }

    private func passes(_ check: () throws -> Void) -> Bool {
        do {
            try check()
            return true
        } catch {
            return false
        }
    }

    @Test func checksOfTheSDK_agreeWithTheRulesOfTheServer() {
        for text in Self.texts {
            let name = passes { try Headers.check(name: text) }
            #expect(name == holds(text, HeaderSyntax.isToken), "name \(text.debugDescription)")
            let value = passes { try Headers.check(name: "X", value: text) }
            #expect(value == holds(text, HeaderSyntax.isValue), "value \(text.debugDescription)")
            let reason = passes { try Status(200, text).check() }
            #expect(reason == holds(text, HeaderSyntax.isReason), "reason \(text.debugDescription)")
        }
        for count in [ResponseHead.reasonLimit, ResponseHead.reasonLimit + 1] {
            let text = String(repeating: "r", count: count)
            #expect(passes { try Status(200, text).check() } == holds(text, HeaderSyntax.isReason))
        }
    }
}
