import Testing

@testable import SWSGIConfiguration

@Suite struct OptionWordTests {
    @Test(
        arguments: [
            ("", []),
            (" \t ", []),
            ("a", [.word("a")]),
            ("  a \t b  ", [.word("a"), .word("b")]),
            ("a=b", [.option(name: "a", value: "b")]),
            ("a=", [.option(name: "a", value: "")]),
            ("a=b=c", [.option(name: "a", value: "b=c")]),
            ("a= b", [.option(name: "a", value: ""), .word("b")]),
            ("a=\"b c\" d", [.option(name: "a", value: "b c"), .word("d")]),
            ("a='b \"c\"'", [.option(name: "a", value: "b \"c\"")]),
            ("a=\"\"", [.option(name: "a", value: "")]),
            ("\"a b\"", [.word("a b")]),
            ("'a=b'", [.word("a=b")]),
            ("\"\" x", [.word(""), .word("x")]),
            ("/Grüße/世界", [.word("/Grüße/世界")]),
            ("a\"b", [.word("a\"b")]),
            (
                "'\u{301}a' b=\"\u{301}\" \u{301}",
                [.word("\u{301}a"), .option(name: "b", value: "\u{301}"), .word("\u{301}")]
            ),
            ("a=b\"c d\"", [.option(name: "a", value: "b\"c"), .word("d\"")]),
        ] as [(String, [OptionWord])]
    )
    func arguments_areSplitAtBlanks_outsideOfQuotes(_ arguments: String, _ expected: [OptionWord]) throws {
        #expect(try optionWords(arguments, directive: "WSGITest") == expected)
    }

    @Test(arguments: [
        (#""a\"b""#, #"a"b"#), (#"'a\'b'"#, "a'b"), (#""a\\b""#, #"a\b"#), (#""a\'b""#, #"a\'b"#),
        (#""a\nb""#, #"a\nb"#), (#""a\\""#, #"a\"#), (#"a\b"#, #"a\b"#),
    ])
    func backslash_makesQuotesAndBackslashesPlain_inQuotesOnly(_ arguments: String, _ expected: String) throws {
        #expect(try optionWords(arguments, directive: "WSGITest") == [.word(expected)])
    }

    @Test(arguments: [
        Expected("=b", 1007, "WSGITest: '=b' is not of the form name=value"),
        Expected("a = b", 1007, "WSGITest: '= b' is not of the form name=value"),
        Expected("a=\"b", 1007, "WSGITest: the quote before 'b' is not closed"),
        Expected("'", 1007, "WSGITest: the quote before '' is not closed"),
        Expected(#"a="b\""#, 1007, "WSGITest: the quote before 'b\"' is not closed"),
        Expected("\"a\"b", 1007, "WSGITest: text follows directly after the quote of 'a'"),
        Expected("a='b'c", 1007, "WSGITest: text follows directly after the quote of 'b'"),
    ])
    func mistake_isNamed(_ expected: Expected) {
        expected.check(
            problem { () throws(Problem) in _ = try optionWords(expected.input, directive: "WSGITest") }
        )
    }

    @Test func lineOfAMegabyte_isSplit() throws {
        let words = try optionWords(String(repeating: "word ", count: 200_000), directive: "WSGITest")
        #expect(words.count == 200_000)
    }
}
