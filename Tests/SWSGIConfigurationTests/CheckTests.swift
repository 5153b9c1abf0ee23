import Testing

@testable import SWSGIConfiguration

@Suite struct PythonScriptTests {
    @Test(arguments: [
        "import os\n", "import sys, os\r\napplication = 1\r\n", "from django.core.wsgi import get_wsgi_application\n",
        "#!/usr/bin/python3\nx\n", "#!/usr/bin/env python\nx\n",
        "# -*- coding: utf-8 -*-\n\ndef application(environ, start_response):\n    return []\n",
        "class A:\n    pass\n", "application = make_app('x')\n", "    import os\n",
    ])
    func script_isCalledOne(_ text: String) {
        let problem = problem { () throws(Problem) in _ = try EntryFile(text: Array(text.utf8), path: "/x/app.wsgi") }
        #expect(problem?.code == .entryPython)
        #expect(problem?.what == "entry file /x/app.wsgi: this is a Python script; mod_swsgi runs Swift bundles")
    }

    /// What can be read is an entry file, whatever else it looks like; and not every mistake is Python.
    @Test(
        arguments: [
            ("# import os\nbundle = a.so\n", nil), ("bundle = import x\n", nil), ("bundle a.so\n", 2040),
            ("important = a.so\n", 2041), ("from = a.so\n", 2041), ("", 2044), ("import\n", 2040),
        ] as [(String, Int?)]
    )
    func otherFile_isNone(_ text: String, _ number: Int?) {
        let problem = problem { () throws(Problem) in _ = try EntryFile(text: Array(text.utf8), path: "/x/app.wsgi") }
        #expect(problem?.code.number == number)
    }
}

@Suite struct EffectiveOptionTests {
    @Test func everyOption_hasAValue_inTheOrderOfTheManual() throws {
        let names = try DaemonProcessOptions("a").effective.map(\.name)
        #expect(Set(names) == Set(DaemonProcessOptions.known))
        #expect(names.count == DaemonProcessOptions.known.count)
    }

    @Test(arguments: [
        ("threads=3", "threads", "3"), ("", "threads", "15"), ("processes=2-8", "processes", "2-8"),
        ("umask=027", "umask", "027"), ("", "umask", "httpd's"), ("request-timeout=90", "request-timeout", "90s"),
        ("", "request-timeout", "none"), ("request-timeout=0", "request-timeout", "none"),
        ("", "connect-timeout", "0"), ("socket-timeout=2min", "response-socket-timeout", "2min"),
        ("", "deadlock-timeout", "5min"), ("deadlock-timeout=0", "deadlock-timeout", "none"),
        ("graceful-timeout=0", "eviction-timeout", "0"), ("", "graceful-timeout", "none"),
        ("memory-limit=536870912", "memory-limit", "512M"), ("rss-limit=1048577", "rss-limit", "1048577"),
        ("", "lang", "C.UTF-8"), ("display-name=%{GROUP}", "display-name", "(wsgi:a)"),
        ("user=u", "group", "the user's"), ("", "group", "httpd's"),
    ])
    func value_isTheOneThatCounts(_ given: String, _ name: String, _ value: String) throws {
        let effective = try DaemonProcessOptions("a \(given)").effective
        #expect(effective.first { $0.name == name }?.value == value)
    }
}

@Suite struct TimeoutConflictTests {
    private func conflicts(_ given: String, timeout: Int64 = 60_000_000) throws -> [String] {
        let options = try DaemonProcessOptions("a \(given)")
        return options.deadlines.conflicts(with: options.exchange, httpdTimeout: timeout)
    }

    @Test func c32_timeThatHttpdsTimeoutPreempts_isNamed() throws {
        #expect(try conflicts("request-timeout=59") == [])
        #expect(try conflicts("request-timeout=60").count == 1)
        #expect(
            try conflicts("request-timeout=2min queue-timeout=90").map { $0.prefix(21) } == [
                "request-timeout=2min ", "queue-timeout=90s doe",
            ]
        )
        #expect(try conflicts("request-timeout=2min socket-timeout=5min") == [])
        #expect(try conflicts("") == [])
    }
}
