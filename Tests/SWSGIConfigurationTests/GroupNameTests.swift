import SWSGIConfiguration
import Testing

@Suite struct GroupNameTests {
    @Test(arguments: [
        "one", "", "a b", "%", "50%", "{x}", "%{GLOBAL}", "%{RESOURCE}", "%{SERVER}", "%{HOST}", "%{ENV:X}",
        "%{ENV:APP NAME}",
    ])
    func nameOrExpansion_staysAsItIs(_ text: String) throws {
        #expect(try groupName(text, directive: "D") == text)
    }

    @Test(arguments: [
        "%{global}", "%{GROUP}", "%{GLOBAL", "%{}", "%{ENV}", "%{ENV:}", "%{ENV:X", "%{env:X}", "a%{HOST}",
        "%{HOST}b", "%{ENV:X}%{ENV:Y}", "%{ENV:%{HOST}}",
    ])
    func whatOnlyLooksLikeAnExpansion_isRefused(_ text: String) {
        let found = problem { () throws(Problem) in _ = try groupName(text, directive: "D") }
        #expect(found?.code.number == 1182)
        #expect(found?.what.hasPrefix("D: '\(text)' is neither ") == true)
    }

    @Test(arguments: [("application", true), ("%{ENV:X}", true), ("%{HOST}", false), ("a-b", false), ("", false)])
    func callable_isAFunctionOrAVariable(_ text: String, _ isGood: Bool) {
        let found = problem { () throws(Problem) in _ = try callableName(text, directive: "D") }
        #expect(found?.code.number == (isGood ? nil : 1021))
    }
}

@Suite struct InterpreterSectionTests {
    @Test func namesAreRead_andMayBeMissing() throws {
        let both = try InterpreterSection(" process-group=one application-group='an application'")
        #expect(both.processGroup == "one" && both.applicationGroup == "an application")
        let none = try InterpreterSection("")
        #expect(none.processGroup == nil && none.applicationGroup == nil)
        #expect(try InterpreterSection("process-group=%{GLOBAL}").processGroup == "%{GLOBAL}")
    }

    @Test(arguments: [
        Expected("one", 1007, "'one' is not of the form name=value"),
        Expected("process-group=", 1001, "process-group needs a name"),
        Expected("process-group=a process-group=b", 1005, "option 'process-group' is given twice"),
        Expected("processgroup=a", 1004, "unknown option 'processgroup'; did you mean 'process-group'?"),
        Expected(
            "process-group=%{HOST}",
            1185,
            "process-group must be the name of a process group or %{GLOBAL}, not '%{HOST}'"
        ),
    ])
    func mistake_isNamed(_ expected: Expected) {
        Expected("", expected.number, "<WSGIInterpreterOptions>: \(expected.what)")
            .check(problem { () throws(Problem) in _ = try InterpreterSection(expected.input) })
    }

    @Test func onlyAFewDirectives_areAllowedInside() throws {
        try InterpreterSection.check("wsgirestrictSTDIN")
        let found = problem { () throws(Problem) in try InterpreterSection.check("WSGIProcessGroup") }
        #expect(found?.code.number == 1185)
        #expect(found?.what.contains("only WSGIRestrictStdin, WSGIRestrictStdout") == true)
    }
}
