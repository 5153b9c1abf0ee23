import SWSGIConfiguration
import Testing

@Suite struct DaemonProcessTests {
    @Test func nameAlone_getsTheDefaults() throws {
        let options = try DaemonProcessOptions("example.org")
        #expect(options.name == "example.org")
        #expect(options.processes == 1)
        #expect(options.threads == 15)
        #expect(options.startupTimeout == 30)
        #expect(options.shutdownTimeout == 5)
        #expect(options.user == nil && options.group == nil && options.home == nil && options.umask == nil)
        #expect(options.displayName == nil)
        #expect(options.withoutEffect == [])
    }

    @Test func everyOption_isTaken() throws {
        let options = try DaemonProcessOptions(
            """
            a user=www group=#1000 processes=3 threads=7 home=/srv umask=0027 display-name="my app" \
            startup-timeout=2min shutdown-timeout=1h
            """
        )
        #expect(options.name == "a")
        #expect(options.user == "www")
        #expect(options.group == "#1000")
        #expect(options.processes == 3)
        #expect(options.threads == 7)
        #expect(options.home == "/srv")
        #expect(options.umask == 0o027)
        #expect(options.displayName == "my app")
        #expect(options.startupTimeout == 120)
        #expect(options.shutdownTimeout == 3600)
    }

    @Test func displayNameOfTheGroup_isSpelledOut() throws {
        #expect(try DaemonProcessOptions("a display-name=%{GROUP}").displayName == "(wsgi:a)")
    }

    @Test(arguments: ["a", "A-Z_0.9:b", String(repeating: "x", count: 64)])
    func name_mayBe(_ name: String) throws {
        #expect(try DaemonProcessOptions(name).name == name)
        #expect(try DaemonProcessOptions("\"\(name)\" threads=2").name == name)
    }

    @Test(arguments: ["a/b", "\"a b\"", "a%b", "%{GLOBAL}", "é", "\"a\u{1}b\"", String(repeating: "x", count: 65)])
    func name_mayNotBe(_ word: String) {
        let name = word.filter { $0 != "\"" }
        Expected(
            word,
            1002,
            "WSGIDaemonProcess: name '\(name)' must have 1 to 64 letters, digits, '.', '_', '-' or ':'"
        )
        .check(mistake(word))
    }

    @Test(arguments: ["", "   ", "\"\"", "threads=2", "threads=2 name"]) func missingName_isRefused(_ arguments: String)
    {
        Expected(
            arguments,
            1001,
            "WSGIDaemonProcess needs the name of the process group as its first argument"
        )
        .check(mistake(arguments))
    }

    static let mistakes: [Expected] = [
        Expected("a threads", 1007, "'threads' is not of the form name=value"),
        Expected("a \"threads=2\"", 1007, "'threads=2' is not of the form name=value"),
        Expected("a threads=2 b", 1007, "'b' is not of the form name=value"),
        Expected("a threads=\"2", 1007, "the quote before '2' is not closed"),
        Expected("a threads=2 threads=2", 1005, "option 'threads' is given twice"),
        Expected("a lang=C lang=C", 1005, "option 'lang' is given twice"),
        Expected("a threads=abc", 1006, "threads must be a number from 0 to 1000, not 'abc'"),
        Expected("a threads=", 1006, "threads must be a number from 0 to 1000, not ''"),
        Expected("a threads=1001", 1006, "threads must be a number from 0 to 1000, not '1001'"),
        Expected("a processes=0", 1006, "processes must be a number from 1 to 1000, not '0'"),
        Expected("a processes=1001", 1006, "processes must be a number from 1 to 1000, not '1001'"),
        Expected("a processes=3-2", 1006, "processes must not begin with the larger number: '3-2'"),
        Expected("a processes=2-", 1006, "processes must be a number from 1 to 1000, not ''"),
        Expected("a processes=2-8-9", 1006, "processes must be a number from 1 to 1000, not '8-9'"),
        Expected("a processes=2x", 1006, "processes must be a number from 1 to 1000, not '2x'"),
        Expected(
            "a startup-timeout=5m",
            1006,
            "startup-timeout must be 1 to 86400 seconds, or a number with s, min or h, not '5m'"
        ),
        Expected(
            "a shutdown-timeout=0",
            1006,
            "shutdown-timeout must be 1 to 86400 seconds, or a number with s, min or h, not '0'"
        ),
        Expected("a umask=999", 1008, "umask must be octal, 0000 to 0777, not '999'"),
        Expected("a umask=0o22", 1008, "umask must be octal, 0000 to 0777, not '0o22'"),
        Expected("a umask=77777", 1008, "umask must be octal, 0000 to 0777, not '77777'"),
        Expected("a umask=1000", 1008, "umask must be octal, 0000 to 0777, not '1000'"),
        Expected("a umask=", 1008, "umask must be octal, 0000 to 0777, not ''"),
        Expected("a home=srv", 1011, "home must be an absolute path, not 'srv'"),
        Expected("a home=", 1011, "home must be an absolute path, not ''"),
        Expected("a user=", 1021, "user must be 1 to 255 printable characters, not ''"),
        Expected("a group=''", 1021, "group must be 1 to 255 printable characters, not ''"),
        Expected("a user=\"b\u{1}\"", 1021, "user must be 1 to 255 printable characters, not 'b\u{1}'"),
        Expected("a display-name=", 1021, "display-name must be 1 to 255 printable characters, not ''"),
        Expected("a thread=2", 1004, "unknown option 'thread'; did you mean 'threads'?"),
        Expected("a proceses=2", 1004, "unknown option 'proceses'; did you mean 'processes'?"),
        Expected("a displayname=x", 1004, "unknown option 'displayname'; did you mean 'display-name'?"),
        Expected("a Threads=2", 1004, "unknown option 'Threads'; did you mean 'threads'?"),
        Expected("a nonsense=2", 1004, "unknown option 'nonsense'"),
    ]

    @Test(arguments: mistakes) func mistake_isNamed_withItsCode(_ expected: Expected) {
        Expected(expected.input, expected.number, "WSGIDaemonProcess: \(expected.what)").check(mistake(expected.input))
    }

    @Test func twoNumbersOfProcesses_areTheLeastAndTheMost() throws {
        for (text, least, most) in [("2-8", 2, 8), ("3", 3, 3), ("4-4", 4, 4)] as [(String, UInt32, UInt32)] {
            let options = try DaemonProcessOptions("a processes=\(text)")
            #expect(options.processes == least)
            #expect(options.processesMax == most)
            #expect(options.isMultiprocess)
        }
    }

    @Test func displayNameOf255Bytes_isTaken_andALongerOneIsNot() throws {
        let longest = String(repeating: "x", count: 255)
        #expect(try DaemonProcessOptions("a display-name=\(longest)").displayName == longest)
        #expect(mistake("a display-name=\(longest)x")?.code == .textInvalid)
    }

    @Test func optionsWithoutEffect_areListed_inTheirOrder() throws {
        let options = try DaemonProcessOptions(
            "a python-path=/x threads=2 python-eggs='C' newrelic-environment=nonsense"
        )
        #expect(options.withoutEffect == ["python-path", "python-eggs", "newrelic-environment"])
        #expect(options.threads == 2)
    }

    @Test(arguments: [
        "python-home", "python-path", "python-eggs", "switch-interval", "server-metrics", "newrelic-config-file",
        "newrelic-environment", "socket-user",
    ])
    func everyOtherOptionOfModWSGI_isAccepted_andListed(_ option: String) throws {
        #expect(try DaemonProcessOptions("a \(option)=x").withoutEffect == [option])
    }

    private func mistake(_ arguments: String) -> Problem? {
        problem { () throws(Problem) in _ = try DaemonProcessOptions(arguments) }
    }
}
