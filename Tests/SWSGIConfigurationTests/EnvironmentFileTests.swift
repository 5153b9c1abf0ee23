import SWSGIConfiguration
import Testing

@Suite struct EnvironmentFileTests {
    private func variables(_ text: String) throws -> [String] {
        try EnvironmentFile(text: Array(text.utf8), path: "a.env").variables.map { "\($0.name)=\($0.value)" }
    }

    @Test func variables_areTaken_inTheirOrder() throws {
        #expect(
            try variables("# comment\n; too\n\nB=1\n  A = two words \t\nEMPTY=\n_x=a=b#c\r\nLAST=end")
                == ["B=1", "A=two words", "EMPTY=", "_x=a=b#c", "LAST=end"]
        )
    }

    @Test(
        arguments: [
            ("A=\"two words \"", "two words "), ("A='a \"b\" \\ $x'", "a \"b\" \\ $x"), ("A=\"\"", ""),
            (#"A="a\"b\\c\$d\`e\nf""#, #"a"b\c$d`e\nf"#), ("A=\"é🎉\"", "é🎉"),
        ]
    ) func quotes_keepWhatIsBetween(_ line: String, _ value: String) throws {
        #expect(try variables(line) == ["A=\(value)"])
    }

    @Test(
        arguments: [
            (
                "A=\"-----BEGIN KEY-----\nMIIE+/=\n-----END KEY-----\n\"",
                "-----BEGIN KEY-----\nMIIE+/=\n-----END KEY-----\n"
            ),
            ("A='1\n # \\2\\\n\n\"'", "1\n # \\2\\\n\n\""), ("A=\"joined \\\nline\"", "joined line"),
            ("A=\"1\r\n2\r\n\" \r", "1\r\n2\r\n"), ("A='\n'", "\n"), ("A=\"\\\\\n\"", "\\\n"),
        ]
    ) func quotes_keepLineEnds_asInSystemd(_ text: String, _ value: String) throws {
        #expect(try variables("B=1\n\(text)\nC=2\n") == ["B=1", "A=\(value)", "C=2"])
        #expect(try variables(text) == ["A=\(value)"])
    }

    /// Nothing takes time that grows faster than the file.
    @Test func largestFile_isRead() throws {
        let text = "A=\"" + String(repeating: "line\n", count: 13000) + "\"\n"
        #expect(try variables(text).count == 1)
        let names = (0..<6000).map { "A\($0)='\n'\n" }.joined()
        #expect(names.utf8.count <= EnvironmentFile.limit)
        #expect(try variables(names).count == 6000)
    }

    @Test func emptyFile_hasNone() throws {
        #expect(try variables("") == [])
        #expect(try variables("\n# nothing\n") == [])
    }

    static let mistakes: [Expected] = [
        Expected("A", 3061, "line 1: this is not NAME=value"),
        Expected("export A=b", 3061, "line 1: what stands before '=' is not the name of a variable"),
        Expected("A=1\n1B=2", 3061, "line 2: what stands before '=' is not the name of a variable"),
        Expected("=b", 3061, "line 1: what stands before '=' is not the name of a variable"),
        Expected("A=1\nA=2", 3061, "line 2: A stands there a second time"),
        Expected("A=\"open", 3061, "line 1: the quote before the value of A is not closed in the rest of the file"),
        Expected(
            "\nA='open\nB=2\n",
            3061,
            "line 2: the quote before the value of A is not closed in the rest of the file"
        ),
        Expected("A=\"open\\\"", 3061, "line 1: the quote before the value of A is not closed in the rest of the file"),
        Expected(
            "A=\"open\nB=\"2\"\n",
            3061,
            "line 1: the value of A ends in line 2, and something follows its quote there"
        ),
        Expected("A='1\n2'\nA=3", 3061, "line 3: A stands there a second time"),
        Expected("A=\"1\\\n2\n\"\n\nLD_AUDIT='\n'", 6010, "line 5: LD_AUDIT may not be set"),
        Expected("A=\"a\" b", 3061, "line 1: the value of A has a quote or a backslash in a wrong place"),
        Expected("A=it's", 3061, "line 1: the value of A has a quote or a backslash in a wrong place"),
        Expected("A=continued \\", 3061, "line 1: the value of A has a quote or a backslash in a wrong place"),
        Expected("LD_PRELOAD=/x.so", 6010, "line 1: LD_PRELOAD may not be set"),
        Expected("A=1\n\nSWIFT_BACKTRACE=x", 6010, "line 3: SWIFT_BACKTRACE may not be set"),
        Expected("GLIBC_TUNABLES=x", 6010, "line 1: GLIBC_TUNABLES may not be set"),
        Expected("MALLOC_PERTURB_=1", 6010, "line 1: MALLOC_PERTURB_ may not be set"),
        Expected("GCONV_PATH=/x", 6010, "line 1: GCONV_PATH may not be set"),
    ]

    @Test(arguments: mistakes) func mistake_namesFileAndLine(_ expected: Expected) {
        let found = problem { () throws(Problem) in
            _ = try EnvironmentFile(text: Array(expected.input.utf8), path: "/a.env")
        }
        Expected(expected.input, expected.number, "environment-file /a.env, \(expected.what)").check(found)
        #expect(found?.what.contains("open") != true, "no value is shown")
    }

    @Test(arguments: [[0xff], [0x41, 0x3d, 0]] as [[UInt8]]) func bytesThatAreNoText_areRefused(_ bytes: [UInt8]) {
        let found = problem { () throws(Problem) in _ = try EnvironmentFile(text: bytes, path: "/a.env") }
        #expect(found?.what == "environment-file /a.env is not UTF-8 text")
    }
}
