import Foundation
import Testing

/// The command `swsgi`, as an administrator calls it.
@Suite(.enabled(if: Machine.canServe, "needs the release build"))
struct CommandTests {
    private func swsgi(_ arguments: String...) throws -> Finished {
        try run("\(Installation.products)/swsgi", arguments)
    }

    @Test func explain_printsMeaningCauseAndCure() throws {
        let one = try swsgi("explain", "SWSGI4022:", "1013")
        #expect(one.status == 0)
        for text in ["SWSGI4022 (error)", "SWSGI1013 (error)", "Cause\n", "What to do\n"] {
            #expect(one.output.contains(text), "\(text) in \(one.output)")
        }
        let page = try String(
            contentsOfFile: "\(Installation.package)/Sources/SWSGI/SWSGI.docc/SwsgiCommand.md",
            encoding: .utf8
        )
        let printed = try swsgi("explain", "SWSGI4131").output.split(separator: "\n").map { "    \($0)\n" }.joined()
        #expect(page.contains("    $ swsgi explain SWSGI4131\n\(printed)\n"))
        let none = try swsgi("explain", "SWSGI0001", "SWSGI4022")
        #expect(none.status == 1)
        #expect(none.errors == "swsgi: there is no message 'SWSGI0001'\n")
        #expect(none.output.hasPrefix("SWSGI4022"))
    }

    @Test func directive_isDescribed_andAMistakeIsCorrected() throws {
        let one = try swsgi("directive", "wsgiaccessscript", "WSGISocketPrefix")
        #expect(one.status == 0)
        #expect(one.output.contains("WSGIAccessScript entry-file [option=value] ...\n"))
        #expect(one.output.contains("AllowOverride AuthConfig"))
        #expect(one.output.contains("without effect"))
        let mistake = try swsgi("directive", "WSGIScriptAlas")
        #expect(mistake.status == 1)
        #expect(mistake.errors.contains("did you mean WSGIScriptAlias?"))
        #expect(try swsgi("directives").output.contains("\nWSGIDaemonProcess\n"))
    }

    @Test(arguments: [[], ["explain"], ["nonsense"], ["directives", "x"]]) func misuse_isAnsweredWithTheUsage(
        words: [String]
    ) throws {
        let result = try run("\(Installation.products)/swsgi", words)
        #expect(result.status == 64)
        #expect(result.errors.hasPrefix("usage: swsgi explain CODE"))
        #expect(try swsgi("help").status == 0)
    }
}
