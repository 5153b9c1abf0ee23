import CSWSGI
import Foundation
import SWSGIConfiguration
import Testing

/// The manual's pages say what the code does.
struct ManualTests {
    @Test func everyDirective_hasAPage() throws {
        let directives = Manual.directives(ignored: false)
        #expect(directives.count >= 7)
        let contents = try Manual.page("SWSGI")
        for directive in directives {
            let page = try Manual.page(directive)
            #expect(page.hasPrefix("# \(directive)\n"))
            #expect(contents.contains("- <doc:\(directive)>\n"), "\(directive)")
        }
    }

    @Test func everyDirectiveWithoutEffect_isListed() throws {
        let listed = Manual.rows(of: try Manual.page("DirectivesWithoutEffect")).compactMap(\.first)
        let directives = Manual.directives(ignored: true)
        #expect(!directives.isEmpty)
        #expect(Set(directives) == Set(listed.filter { $0.hasPrefix("WSGI") }))
    }

    @Test func everyOptionOfDaemonProcesses_isDescribed() throws {
        let page = try Manual.page("WSGIDaemonProcess") + Manual.page("ProcessSurroundings")
        let options = try Manual.options("known")
        #expect(options.count >= 9)
        for option in options {
            #expect(page.contains("| `\(option)=` |"), "\(option)")
            #expect(page.contains("\n### \(option)\n"), "\(option)")
        }
        for option in try Manual.options("ignored") { #expect(page.contains("`\(option)=`"), "\(option)") }
    }

    /// The other way round: the page describes nothing that the directive does not know.
    @Test func everyOptionOfThePage_isKnown() throws {
        let page = try Manual.page("WSGIDaemonProcess") + Manual.page("ProcessSurroundings")
        let described = Set(page.matches(of: #/`([a-z-]+)=`/#).map { String($0.output.1) })
        #expect(described == Set(try Manual.options("known") + Manual.options("ignored")))
        for option in described {
            do {
                _ = try DaemonProcessOptions("name \(option)=?")
            } catch {
                #expect(error.code != .optionUnknown, "\(option)")
            }
        }
    }

    @Test func everyCode_isExplained() throws {
        let page = try Manual.page("Messages")
        #expect(!MessageCode.all.isEmpty)
        for code in MessageCode.all {
            let parts = page.components(separatedBy: "\n### \(code.name)\n")
            #expect(parts.count == 2, "\(code.name)")
            let entry = plain(parts.last?.components(separatedBy: "\n#").first ?? "")
            #expect(entry.contains("**\(code.level.name):** \(code.meaning)\n"), "\(code.name)")
            #expect(entry.contains("- **Cause:** \(code.cause)\n"), "\(code.name)")
            #expect(entry.contains("- **Cure:** \(code.cure)\n"), "\(code.name)")
        }
        #expect(page.components(separatedBy: "\n### ").count - 1 == MessageCode.all.count)
    }

    private func plain(_ text: String) -> String {
        (text + "\n").replacing(#/\\(.)/#) { $0.output.1 }
    }

    @Test func tablesOfTheABI_haveTheHeadersOffsets() throws {
        let rows = Manual.rows(of: try Manual.page("BundleABI"))
        func offset(_ field: String, _ type: String) -> Int? {
            rows.first { $0.count == 4 && $0[1] == field && $0[2] == type }.flatMap { Int($0[0]) }
        }
        typealias Host = swsgi_host
        let host: [(String, String, Int?)] = [
            ("software", "text", MemoryLayout<Host>.offset(of: \.software)),
            ("process_group", "text", MemoryLayout<Host>.offset(of: \.process_group)),
            ("application_group", "text", MemoryLayout<Host>.offset(of: \.application_group)),
            ("entry_file", "text", MemoryLayout<Host>.offset(of: \.entry_file)),
            ("threads", "uint32_t", MemoryLayout<Host>.offset(of: \.threads)),
            ("processes", "uint32_t", MemoryLayout<Host>.offset(of: \.processes)),
            ("environ_get", "function", MemoryLayout<Host>.offset(of: \.environ_get)),
            ("environ_count", "function", MemoryLayout<Host>.offset(of: \.environ_count)),
            ("environ_at", "function", MemoryLayout<Host>.offset(of: \.environ_at)),
            ("read", "function", MemoryLayout<Host>.offset(of: \.read)),
            ("start_response", "function", MemoryLayout<Host>.offset(of: \.start_response)),
            ("write", "function", MemoryLayout<Host>.offset(of: \.write)),
            ("flush", "function", MemoryLayout<Host>.offset(of: \.flush)),
            ("cancelled", "function", MemoryLayout<Host>.offset(of: \.cancelled)),
            ("log", "function", MemoryLayout<Host>.offset(of: \.log)),
            ("send_file", "function", MemoryLayout<Host>.offset(of: \.send_file)),
            ("interim", "function", MemoryLayout<Host>.offset(of: \.interim)),
            ("trailers", "function", MemoryLayout<Host>.offset(of: \.trailers)),
        ]
        typealias Application = swsgi_application
        let application: [(String, String, Int?)] = [
            ("sdk", "text", MemoryLayout<Application>.offset(of: \.sdk)),
            ("context", "pointer", MemoryLayout<Application>.offset(of: \.context)),
            ("respond", "function", MemoryLayout<Application>.offset(of: \.respond)),
            ("stopping", "function", MemoryLayout<Application>.offset(of: \.stopping)),
            ("event", "function", MemoryLayout<Application>.offset(of: \.event)),
        ]
        for (field, type, place) in host + application { #expect(offset(field, type) == place, "\(field)") }
        let page = try Manual.page("BundleABI")
        #expect(page.contains("`swsgi_host`, \(MemoryLayout<swsgi_host>.size) bytes in version \(SWSGI_ABI_VERSION)."))
        #expect(
            page.contains(
                "`swsgi_application`, \(MemoryLayout<swsgi_application>.size) bytes in version \(SWSGI_ABI_VERSION)."
            )
        )
    }

    @Test func errorsOfTheABI_areTheHeaders() throws {
        let header = try Manual.text("Sources/CSWSGI/include/swsgi.h")
        let defined = header.matches(of: #/(SWSGI_ERROR_[A-Z_]+) = (-[0-9]+)/#)
        let rows = Manual.rows(of: try Manual.page("BundleABI"))
        #expect(defined.count >= 10)
        for error in defined {
            let (_, name, value) = error.output
            #expect(rows.contains { $0.count == 3 && $0[0] == value && $0[1] == name }, "\(name)")
        }
    }

    @Test func exampleInC_compiles() throws {
        let example = try #require(Manual.code("c", of: try Manual.page("BundleABI")).last)
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("swsgi-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let source = directory.appendingPathComponent("hello.c")
        try example.write(to: source, atomically: true, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments =
            ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"]
            + [Manual.root.appendingPathComponent("Sources/CSWSGI/include").path, "-o", "\(directory.path)/hello.so"]
            + [source.path]
        try compiler.run()
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0)
    }

    @Test func firstBundle_isTheSameEverywhereAndShort() throws {
        let readme = try Manual.text("README.md")
        let page = try Manual.page("QuickStart")
        let bundle = try #require(
            page.components(separatedBy: "<<'EOF'\n").first { $0.contains("@c public func application()") }?
                .components(separatedBy: "EOF\n").first
        )
        #expect(bundle.split(separator: "\n", omittingEmptySubsequences: false).dropLast().count <= 10)
        // ReadmeTests runs README's commands.
        #expect(Manual.code("sh", of: page) == Manual.code("sh", of: readme))
        let site = try Manual.text("apache-conf/yourapplication.conf").split(separator: "\n")
            .filter { !$0.hasPrefix("#") }
        for text in [page, readme] {
            let shown = Manual.code("apache", of: text).first?.split(separator: "\n")
            #expect(shown == site.filter { !$0.isEmpty })
        }
    }
}
