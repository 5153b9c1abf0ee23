import SWSGIConfiguration
import Testing

/// What `swsgi` prints.
@Suite struct ExplanationTests {
    @Test(arguments: ["SWSGI4022", "swsgi4022", "4022", "SWSGI4022:"]) func code_isFoundAsItIsWritten(text: String) {
        #expect(MessageCode.named(text)?.number == 4022)
    }

    @Test(arguments: ["", "SWSGI", "SWSGI402", "SWSGI40222", "40 2", "+402", "SWSGI9999", "WSGI4022"])
    func otherText_isNoCode(text: String) {
        #expect(MessageCode.named(text) == nil)
    }

    @Test(arguments: MessageCode.all) func everyCode_isExplained(code: MessageCode) {
        let lines = code.explanation.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "\(code.name) (\(code.level.name))", "    \(code.meaning)", "Cause", "    \(code.cause)", "What to do",
                "    \(code.cure)",
            ]
        )
    }

    @Test(arguments: Directive.all) func everyDirective_isExplained(directive: Directive) {
        let text = directive.explanation
        #expect(text.contains(directive.name) && text.contains("Context  \(directive.contexts.description)"))
        #expect(!text.contains("<doc:"))
        #expect(!directive.hasEffect || text.contains(directive.summary) && text.contains(directive.fallback))
    }
}
