import Foundation
import SWSGIConfiguration
import Testing

/// The catalogue of directives, httpd's table of commands and the manual say the same.
struct DirectiveTableTests {
    @Test func names_areUnique() {
        #expect(Set(Directive.all.map { $0.name.lowercased() }).count == Directive.all.count)
        #expect(Directive.named("wsgiscriptalias")?.name == "WSGIScriptAlias")
        #expect(Directive.named("WSGINoSuch") == nil)
    }

    @Test func commandsOfTheModule_areThoseOfTheCatalogue() throws {
        let commands = try Command.all()
        #expect(commands.count > 40)
        #expect(Set(commands.map(\.name)) == Set(Directive.all.map(\.name)))
        #expect(Set(commands.map(\.name)).count == commands.count)
    }

    @Test func commandsOfTheModule_areAllowedWhereTheCatalogueSays() throws {
        for command in try Command.all() {
            let directive = try #require(Directive.named(command.name))
            #expect(command.contexts == directive.contexts.subtracting(.section), "\(command.name)")
            #expect(command.isIgnored != directive.hasEffect, "\(command.name)")
            #expect(command.isSection == directive.isSection, "\(command.name)")
        }
    }

    @Test func directivesOfTheSection_areThoseThatItTakes() {
        for directive in Directive.all {
            let isAllowed = (try? InterpreterSection.check(directive.name)) != nil
            #expect(isAllowed == directive.contexts.contains(.section), "\(directive.name)")
        }
    }

    @Test func pages_sayWhatTheCatalogueSays() throws {
        for directive in Directive.all where directive.hasEffect {
            let page = try Manual.page(directive.name)
            let rows = Manual.rows(of: page.replacingOccurrences(of: "*", with: ""))
            func row(_ name: String) -> String? { rows.first { $0.first == name }?.dropFirst().joined(separator: "|") }
            #expect(row("Syntax") == directive.syntax, "\(directive.name)")
            #expect(row("Context") == directive.contexts.description, "\(directive.name)")
            #expect(row("Default") == directive.fallback, "\(directive.name)")
            let summary = page.split(separator: "\n")[1].replacingOccurrences(of: "`", with: "")
            #expect(summary == directive.summary, "\(directive.name)")
        }
    }

    @Test func pageOfThoseWithoutEffect_saysWhatTheyWereFor() throws {
        let rows = Manual.rows(of: try Manual.page("DirectivesWithoutEffect"))
        for directive in Directive.all where !directive.hasEffect {
            #expect(rows.contains([directive.name, directive.summary]), "\(directive.name)")
        }
    }
}

/// A row of the module's table of commands, read as text.
private struct Command {
    let name: String
    let isSection: Bool
    let isIgnored: Bool
    let contexts: DirectiveContexts

    /// The rows of the table, with what the functions behind them check themselves.
    static func all() throws -> [Command] {
        let sources = try FileManager.default.contentsOfDirectory(
            atPath: Manual.root.appendingPathComponent("Sources/CSWSGIModule").path
        )
        let texts = try sources.filter { $0.hasSuffix(".c") }.map { try Manual.text("Sources/CSWSGIModule/\($0)") }
        let functions = texts.flatMap { $0.components(separatedBy: "\n}\n") }
        let isGlobal = { (function: Substring) in
            functions.contains { $0.contains("const char *\(function)(cmd_parms") && $0.contains("GLOBAL_ONLY") }
        }
        return try Manual.commandTable().components(separatedBy: "\n").flatMap { line in
            line.matches(of: #/([A-Z_0-9]+)\("(<?)(WSGI\w+)"(?:, (\w+))?([^()]*(?:\([^()]*\)[^()]*)*)\)/#).map { row in
                let macro = row.output.1
                var contexts = contexts(macro == "IGNORED" ? "RSRC_CONF | ACCESS_CONF" : String(row.output.0))
                if let function = row.output.4, isGlobal(function) { contexts.remove(.virtualHost) }
                return Command(
                    name: String(row.output.3),
                    isSection: !row.output.2.isEmpty,
                    isIgnored: macro.hasPrefix("IGNORED"),
                    contexts: contexts
                )
            }
        }
    }

    /// httpd's flags: what they allow.
    private static func contexts(_ text: String) -> DirectiveContexts {
        var contexts: DirectiveContexts = []
        if text.contains("RSRC_CONF") { contexts.formUnion([.server, .virtualHost]) }
        if text.contains("ACCESS_CONF") { contexts.formUnion(.directory) }
        if text.contains("OR_FILEINFO") { contexts.formUnion([.server, .virtualHost, .directory, .fileInfo]) }
        if text.contains("OR_AUTHCFG") { contexts.formUnion([.directory, .authConfig]) }
        return contexts
    }
}
