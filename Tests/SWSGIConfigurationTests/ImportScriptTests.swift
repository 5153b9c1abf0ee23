import SWSGIConfiguration
import Testing

@Suite struct ImportScriptTests {
    @Test func bothNames_areRead() throws {
        let options = try ImportScriptOptions("process-group=one application-group='an application'")
        #expect(options.processGroup == "one")
        #expect(options.applicationGroup == "an application")
        let global = try ImportScriptOptions("application-group=%{GLOBAL} process-group=%{GLOBAL}")
        #expect(global.applicationGroup == "")
        #expect(global.processGroup == "")
    }

    @Test(
        arguments: [
            Expected("", 1001, "process-group= is missing, or has no name"),
            Expected("process-group=one", 1001, "application-group= is missing, or has no name"),
            Expected("process-group= application-group=a", 1001, "process-group= is missing, or has no name"),
            Expected("one", 1007, "'one' is not of the form name=value"),
            Expected("process-group=a process-group=b", 1005, "option 'process-group' is given twice"),
            Expected("processgroup=a", 1004, "unknown option 'processgroup'; did you mean 'process-group'?"),
        ]
    )
    func mistake_isNamed(_ expected: Expected) {
        Expected("", expected.number, "WSGIImportScript: \(expected.what)").check(
            problem { () throws(Problem) in _ = try ImportScriptOptions(expected.input) }
        )
    }

    @Test(arguments: ["process-group=%{SERVER} application-group=a", "process-group=a application-group=%{ENV:X}"])
    func nameThatOnlyARequestKnows_isRefused(_ text: String) {
        let found = problem { () throws(Problem) in _ = try ImportScriptOptions(text) }
        #expect(found?.code.number == 1160)
    }
}
