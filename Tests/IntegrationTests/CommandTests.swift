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

    /// Each program says what it is and where to look, on standard output and with success; what it does not know is answered
    /// with the same on standard error.
    @Test(arguments: ["swsgi", "swsgid"]) func program_saysWhatItIs_andItsVersion(name: String) throws {
        let program = "\(Installation.products)/\(name)"
        for word in ["--help", "-h", "help"] {
            let help = try run(program, [word])
            #expect(help.status == 0 && help.errors.isEmpty, "\(word): \(help.errors)")
            for part in ["\(name) ", "mod_swsgi", "--version", "swsgi explain"] {
                #expect(help.output.contains(part), "\(part) in \(help.output)")
            }
        }
        for word in ["--version", "version"] {
            let version = try run(program, [word])
            #expect(version.status == 0 && version.output.wholeMatch(of: #/mod_swsgi \d+\.\d+\.\d+\n/#) != nil)
        }
        for words in [[], ["nonsense"], ["--hlep"]] {
            let mistake = try run(program, words)
            #expect(mistake.status == 64 && mistake.output.isEmpty)
            #expect(mistake.errors.contains("\(name) --version"), "\(mistake.errors)")
        }
    }

    /// Each script says what it does, and does nothing else then: no build, no server, no package.
    @Test func script_saysWhatItDoes() throws {
        let scripts = "\(Installation.package)/scripts"
        let names = try FileManager.default.contentsOfDirectory(atPath: scripts).filter {
            var isFolder: ObjCBool = false
            let path = "\(scripts)/\($0)"
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
                && FileManager.default.isExecutableFile(atPath: path)
        }
        #expect(names.count > 10)
        for name in names {
            let source = try String(contentsOfFile: "\(scripts)/\(name)", encoding: .utf8)
            let first = try #require(source.split(separator: "\n").dropFirst().first).dropFirst(2)
            for words in [["--help"], ["-h"], ["--filter", "--help"]] {
                let help = try run("\(scripts)/\(name)", words)
                #expect(help.status == 0 && help.errors.isEmpty, "\(name): \(help.errors)")
                #expect(help.output.hasPrefix(first), "\(name): \(help.output)")
                #expect(!help.output.contains("set -euo"), "\(name)")
            }
        }
    }
}
