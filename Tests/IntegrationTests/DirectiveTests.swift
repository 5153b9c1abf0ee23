import Foundation
import SWSGIConfiguration
import Testing

/// Walks the catalogue of directives on a real httpd: every directive, everywhere, with good and with bad arguments.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct DirectiveTests {
    /// Arguments of a directive.
    private struct Sample {
        /// Accepted; `#` becomes a number of its own each time.
        let good: String
        /// Refused, with a part of what the message says.
        let bad: [(arguments: String, says: String)]

        init(_ good: String, _ bad: (String, String)...) {
            self.good = good
            self.bad = bad
        }
    }

    private static let script = Sample(
        "/nonexistent/a.wsgi application-group=%{SERVER}",
        ("", "SWSGI1015"),
        ("/a.wsgi callable-object=x", "'callable-object'"),
        ("/a.wsgi process-group=%{X}", "%{ENV:NAME}")
    )

    private static let samples: [String: Sample] = [
        "WSGIScriptAlias": Sample("/a# /nonexistent/a.wsgi", ("", "SWSGI1015"), ("a /b", "'/'"), ("/ /b x=1", "'x'")),
        "WSGIScriptAliasMatch": Sample("^/a# /nonexistent/a.wsgi", ("", "SWSGI1015"), ("( /b", "'('")),
        "WSGIHandlerScript": Sample("h# /nonexistent/a.wsgi", ("", "SWSGI1015"), ("h /b symbol=x", "'symbol'")),
        "WSGIAccessScript": script, "WSGIAuthUserScript": script, "WSGIAuthGroupScript": script,
        "WSGIDispatchScript": script,
        "WSGICallableObject": Sample("create_application", ("", "one argument"), ("a.b", "'a.b'")),
        "WSGIProcessGroup": Sample("one", ("", "one argument"), ("two", "'two'"), ("%{X}", "%{ENV:NAME}")),
        "WSGIApplicationGroup": Sample("%{SERVER}", ("", "one argument"), ("%{X}", "%{ENV:NAME}")),
        "WSGIRestrictProcess": Sample("one %{GLOBAL}", ("", "needs the names"), ("%{X}", "'%{X}'")),
        "WSGIMapHEADToGET": Sample("Auto", ("", "one argument"), ("Maybe", "Off, On or Auto")),
        "WSGIErrorOverride": Sample("404 500", ("", "SWSGI1033"), ("99", "'99'")),
        "WSGITrustedProxies": Sample("10.0.0.0/8 ::1", ("", "at least one"), ("proxy", "'proxy'")),
        "WSGITrustedProxyHeaders": Sample("X-Forwarded-For", ("", "at least one"), ("X-Y", "Forwarded")),
        "WSGISlowRequests": Sample("1.5", ("", "one argument"), ("soon", "soon")),
        "WSGIDaemonProcess": Sample("group# threads=2", ("", "SWSGI1001"), ("g thread=2", "'threads'")),
        "WSGIImportScript": Sample(
            "/nonexistent/a.wsgi process-group=one application-group=a#",
            ("", "path of an entry file"),
            ("/a.wsgi", "process-group")
        ),
        "WSGIInterpreterOptions": Sample("process-group=one", ("processgroup=one", "'process-group'")),
    ]

    private static func sample(_ directive: Directive) -> Sample? {
        if let sample = samples[directive.name] { return sample }
        guard directive.hasEffect else { return Sample("any 'thing' at=all") }
        guard directive.arguments == "On or Off" else { return nil }
        // httpd's own flags and the module's say it in nearly the same words.
        return Sample("oFF", ("Maybe", "must be On or Off"), ("1", "must be On or Off"))
    }

    /// The contexts of configuration files, as lines around a directive.
    private static let contexts: [(context: DirectiveContexts, open: String, close: String)] = [
        (.server, "", ""), (.virtualHost, "<VirtualHost *>\n", "\n</VirtualHost>"),
        (.directory, "<Directory /srv>\n", "\n</Directory>"), (.directory, "<Location /x>\n", "\n</Location>"),
        (.directory, "<Files *.x>\n", "\n</Files>"),
        (.section, "<WSGIInterpreterOptions>\n", "\n</WSGIInterpreterOptions>"),
    ]

    private func line(_ directive: Directive, _ arguments: String, _ number: Int = 0) -> String {
        let text = arguments.replacingOccurrences(of: "#", with: "\(number)")
        return directive.isSection
            ? "<\(directive.name) \(text)>\n</\(directive.name)>" : "\(directive.name) \(text)"
    }

    @Test func everyDirective_hasArgumentsHere() {
        for directive in Directive.all { #expect(Self.sample(directive) != nil, "\(directive.name)") }
    }

    @Test func everyDirective_isTakenWhereTheTableAllowsIt() throws {
        try withServer { server in
            var lines = ["WSGIDaemonProcess one"]
            for directive in Directive.all {
                let good = try #require(Self.sample(directive)).good
                for place in Self.contexts where directive.contexts.contains(place.context) {
                    lines.append(place.open + line(directive, good, lines.count) + place.close)
                }
            }
            try server.configure(lines.joined(separator: "\n"))
            let result = try server.signal("configtest")
            #expect(result.status == 0, "\(result.errors)")
            for directive in Directive.all where !directive.hasEffect {
                let notices = result.errors.split(separator: "\n").filter {
                    $0.contains("SWSGI1022") && $0.hasSuffix("directive \(directive.name) has no effect")
                }
                #expect(notices.count == 1, "\(directive.name)")
            }
        }
    }

    @Test func everyDirective_isRefusedWhereTheTableDoesNotAllowIt() throws {
        try withServer { server in
            for directive in Directive.all {
                let good = try #require(Self.sample(directive)).good
                // One of each kind: the list of the section is tested with the table, and costs nothing there.
                for place in Self.contexts.dropLast()
                where !directive.contexts.contains(place.context) && !place.open.hasPrefix("<Files") {
                    let text = place.open + line(directive, good) + place.close
                    try expectRefusal(of: text, line: 2, server, says: directive.name)
                }
            }
        }
    }

    @Test func badArguments_areRefusedWithTheirPlaceAndWhatIsAllowed() throws {
        try withServer { server in
            for directive in Directive.all {
                for bad in try #require(Self.sample(directive)).bad {
                    try expectRefusal(of: line(directive, bad.arguments), line: 1, server, says: bad.says)
                }
            }
        }
    }

    /// configtest fails for this text, whose line is at fault, and says so.
    private func expectRefusal(of text: String, line: Int, _ server: TestServer, says: String) throws {
        try server.configure("WSGIDaemonProcess one\n" + text)
        let content = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
        let written = text.split(separator: "\n").count
        let number = content.split(separator: "\n", omittingEmptySubsequences: false).count - 1 - written + line
        let result = try server.signal("configtest")
        #expect(result.status != 0, "\(text)")
        #expect(result.errors.contains(says), "\(text): \(result.errors)")
        #expect(
            result.errors.contains("line \(number) of \(server.configurationFile)")
                || result.errors.contains("\(server.configurationFile):\(number)"),
            "\(text): \(result.errors)"
        )
    }

    @Test func htaccess_takesWhatTheTableAllows_andNamesItsFileOtherwise() throws {
        try withServer { server in
            server.announce("/.htaccess: ", "SWSGI4133")
            for area in ["FileInfo", "AuthConfig"] {
                for directive in Directive.all {
                    let sample = try #require(Self.sample(directive))
                    let arguments = [sample.good] + sample.bad.map(\.arguments)
                    for (index, text) in arguments.enumerated() {
                        let place = "htdocs/\(area)/\(directive.name)\(index)"
                        try server.write(line(directive, text) + "\n", to: "\(place)/.htaccess")
                        try server.write("served\n", to: "\(place)/file.txt")
                    }
                }
            }
            try server.start(
                ["FileInfo", "AuthConfig"].map { area in
                    "<Directory \(server.directory)/htdocs/\(area)>\nAllowOverride \(area)\n</Directory>\n"
                }.joined()
            )
            for (area, context) in [("FileInfo", DirectiveContexts.fileInfo), ("AuthConfig", .authConfig)] {
                for directive in Directive.all {
                    let isAllowed = directive.contexts.contains(context)
                    let sample = try #require(Self.sample(directive))
                    func path(_ index: Int) -> String { "/\(area)/\(directive.name)\(index)" }
                    let status = try server.get("\(path(0))/file.txt").status
                    // It is asked, and there is none.
                    let isAsked = isAllowed && directive.name == "WSGIAccessScript"
                    if isAsked { try server.logs.waitForLine("SWSGI4133", "/nonexistent/a.wsgi") }
                    #expect(status == (isAllowed && !isAsked ? 200 : 500), "\(area) \(directive.name)")
                    if !isAllowed {
                        try server.logs.waitForLine("\(path(0))/.htaccess: ", directive.name, "not allowed here")
                        continue
                    }
                    for (index, bad) in sample.bad.enumerated() {
                        #expect(try server.get("\(path(index + 1))/file.txt").status == 500, "\(directive.name)")
                        try server.logs.waitForLine("\(path(index + 1))/.htaccess: ", bad.says)
                    }
                }
            }
            // A directive without effect is told of where somebody has put it, and not for each request.
            #expect(server.logs.lines(containing: "SWSGI1022").isEmpty)
        }
    }
}
