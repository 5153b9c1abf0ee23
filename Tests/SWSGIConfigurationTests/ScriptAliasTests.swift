import SWSGIConfiguration
import Testing

@Suite struct ScriptAliasTests {
    @Test func pathAndFile_areEnough() throws {
        let options = try ScriptAliasOptions("/app /srv/www/app.wsgi")
        #expect(options.location == "/app")
        #expect(options.target == "/srv/www/app.wsgi")
        #expect(options.processGroup == nil && options.applicationGroup == nil)
        #expect(options.symbol == nil && options.passAuthorization == nil)
    }

    @Test func everyOption_isTaken() throws {
        let options = try ScriptAliasOptions(
            """
            / "/srv/my app.wsgi" process-group=%{ENV:G} application-group=%{GLOBAL} callable-object=my_app1 \
            pass-authorization=On
            """
        )
        #expect(options.location == "/")
        #expect(options.target == "/srv/my app.wsgi")
        #expect(options.processGroup == "%{ENV:G}")
        #expect(options.applicationGroup == "%{GLOBAL}")
        #expect(options.symbol == "my_app1")
        #expect(options.passAuthorization == true)
        #expect(try ScriptAliasOptions("/a /b pass-authorization=off").passAuthorization == false)
    }

    @Test func pathWithAnEqualsSign_isAPath() throws {
        let options = try ScriptAliasOptions("/a=b /srv/c=d.wsgi")
        #expect(options.location == "/a=b")
        #expect(options.target == "/srv/c=d.wsgi")
    }

    @Test(arguments: [
        Expected("", 1015, " needs a URL path and the path of an entry file"),
        Expected("/app", 1015, " needs a URL path and the path of an entry file"),
        Expected("app /srv/a.wsgi", 1015, ": the URL path must begin with '/', not 'app'"),
        Expected("\"\" /srv/a.wsgi", 1015, ": the URL path must begin with '/', not ''"),
        Expected("/a \"\"", 1015, " needs a URL path and the path of an entry file"),
        Expected("/a /b c", 1007, ": 'c' is not of the form name=value"),
        Expected("/a /b 'c", 1007, ": the quote before 'c' is not closed"),
        Expected("/a /b process-group=x process-group=x", 1005, ": option 'process-group' is given twice"),
        Expected("/a /b process-group=", 1001, ": process-group needs a name"),
        Expected("/a /b application-group=''", 1001, ": application-group needs a name"),
        Expected(
            "/a /b process-group=%{NAME}",
            1182,
            ": process-group: '%{NAME}' is neither a name nor one of %{GLOBAL}, %{RESOURCE}, %{SERVER}, %{HOST} and %{ENV:NAME}"
        ),
        Expected(
            "/a /b callable-object=",
            1021,
            ": callable-object must be the name of a C function, or %{ENV:NAME}, not ''"
        ),
        Expected(
            "/a /b callable-object=1a",
            1021,
            ": callable-object must be the name of a C function, or %{ENV:NAME}, not '1a'"
        ),
        Expected(
            "/a /b callable-object=a-b",
            1021,
            ": callable-object must be the name of a C function, or %{ENV:NAME}, not 'a-b'"
        ),
        Expected("/a /b pass-authorization=yes", 1016, ": pass-authorization must be On or Off, not 'yes'"),
        Expected(
            "/a /b processgroup=x",
            1004,
            ": unknown option 'processgroup'; did you mean 'process-group'?"
        ),
        Expected("/a /b nonsense=x", 1004, ": unknown option 'nonsense'"),
    ])
    func mistake_isNamed_withItsCode(_ expected: Expected) {
        Expected(expected.input, expected.number, "WSGIScriptAlias\(expected.what)")
            .check(problem { () throws(Problem) in _ = try ScriptAliasOptions(expected.input) })
    }

    @Test func match_takesAnExpressionAndTheSameOptions() throws {
        let options = try ScriptAliasOptions(
            "\"^/a b/([^/]+)\" /srv/$1.wsgi process-group=one callable-object=f",
            .match
        )
        #expect(options.location == "^/a b/([^/]+)")
        #expect(options.target == "/srv/$1.wsgi")
        #expect(options.processGroup == "one" && options.symbol == "f")
    }

    @Test func handler_hasAFixedFunction() throws {
        let options = try ScriptAliasOptions("my-handler /srv/h.wsgi application-group=%{GLOBAL}", .handler)
        #expect(options.location == "my-handler" && options.target == "/srv/h.wsgi")
        #expect(options.symbol == "handle_request" && options.applicationGroup == "%{GLOBAL}")
        #expect(options.processGroup == nil && options.passAuthorization == nil)
    }

    @Test(arguments: [
        Expected("", 1015, " needs the name of a handler and the path of an entry file"),
        Expected("name", 1015, " needs the name of a handler and the path of an entry file"),
        Expected(
            "wsgi-script /h",
            1181,
            ": 'wsgi-script' can't be the name of a handler: choose one for AddHandler or SetHandler, such as 'my-handler'"
        ),
        Expected("h /h callable-object=f", 1004, ": unknown option 'callable-object'"),
        Expected("h /h pass-authorization=1", 1016, ": pass-authorization must be On or Off, not '1'"),
    ])
    func mistakeInAHandler_isNamed(_ expected: Expected) {
        Expected(expected.input, expected.number, "WSGIHandlerScript\(expected.what)")
            .check(problem { () throws(Problem) in _ = try ScriptAliasOptions(expected.input, .handler) })
    }

    @Test func match_needsBothArguments() {
        for text in ["", "^/x", "\"\" /srv/x.wsgi", "^/x \"\""] {
            Expected(
                text,
                1015,
                "WSGIScriptAliasMatch needs a regular expression and the path of an entry file"
            ).check(problem { () throws(Problem) in _ = try ScriptAliasOptions(text, .match) })
        }
    }

    private static let asked: [(ScriptAliasOptions.Kind, String?)] = [
        (.access, "allow_access"), (.user, nil), (.group, "groups_for_user"), (.dispatch, "dispatch_request"),
    ]

    @Test(arguments: asked.indices) func askedScript_hasNoLocation_andFixedFunctions(_ index: Int) throws {
        let (kind, symbol) = Self.asked[index]
        let plain = try ScriptAliasOptions("'/srv/a b.wsgi'", kind)
        #expect(plain.target == "/srv/a b.wsgi" && plain.location.isEmpty)
        #expect(plain.processGroup == nil && plain.applicationGroup == "%{GLOBAL}" && plain.symbol == symbol)
        let whole = try ScriptAliasOptions("/a.wsgi process-group=p application-group=%{SERVER}", kind)
        #expect(whole.processGroup == "p" && whole.applicationGroup == "%{SERVER}")
        for bad in ["", "/a.wsgi pass-authorization=On", "/a.wsgi /b", "/a.wsgi process-group="] {
            #expect(throws: Problem.self, "\(bad)") { try ScriptAliasOptions(bad, kind) }
        }
    }
}
