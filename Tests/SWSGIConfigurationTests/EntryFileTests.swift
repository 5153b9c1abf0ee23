import SWSGIConfiguration
import Testing

@Suite struct EntryFileTests {
    private static let path = "/srv/www/app.wsgi"

    @Test func everyKey_isTaken() throws {
        let entry = try read(
            """
            # An application.
            bundle = /opt/app.so
            symbol = my_application
            directory = /srv/data
            library-path = /opt/lib:/usr/local/lib
            environment.NAME = a value = with more
            environment._empty =
            """
        )
        #expect(entry.bundle == "/opt/app.so")
        #expect(entry.symbol == "my_application")
        #expect(entry.directory == "/srv/data")
        #expect(entry.libraryPath == ["/opt/lib", "/usr/local/lib"])
        #expect(entry.environment.map { "\($0.name)=\($0.value)" } == ["NAME=a value = with more", "_empty="])
    }

    @Test func bundleAlone_isEnough() throws {
        let entry = try read("bundle = app.so")
        #expect(entry == EntryFile(bundle: "/srv/www/app.so"))
        #expect(entry.symbol == nil && entry.directory == nil && entry.libraryPath.isEmpty)
    }

    @Test func relativePaths_areRelativeToTheFile() throws {
        let entry = try read("bundle=lib/app.so\ndirectory=.\nlibrary-path=../lib:/opt:lib")
        #expect(entry.bundle == "/srv/www/lib/app.so")
        #expect(entry.directory == "/srv/www/.")
        #expect(entry.libraryPath == ["/srv/www/../lib", "/opt", "/srv/www/lib"])
    }

    @Test(arguments: [("/a/b.wsgi", "/a"), ("/b.wsgi", "/"), ("b.wsgi", "."), ("a/b", "a"), ("/", "/"), ("", ".")])
    func directoryOfAPath_isWhatStandsBeforeTheLastSlash(_ path: String, _ expected: String) {
        #expect(EntryFile.directory(of: path) == expected)
    }

    @Test(arguments: [
        "bundle=a.so", "bundle = a.so", "\t bundle\t=\t a.so \t", "bundle = a.so\n", "\n\n# x\n   # y\nbundle = a.so",
        "bundle = a.so\r\n", "\r\n# x\r\nbundle = a.so\r\n\r\n",
    ])
    func blanksEmptyLinesAndComments_areSkipped(_ text: String) throws {
        #expect(try read(text) == EntryFile(bundle: "/srv/www/a.so"))
    }

    @Test func linesThatEndWithCRLF_areLines() throws {
        let entry = try read("bundle = a.so\r\nsymbol = other\r\nenvironment.A = b\r\n")
        #expect(entry.bundle == "/srv/www/a.so")
        #expect(entry.symbol == "other")
        #expect(entry.environment.map(\.value) == ["b"])
    }

    @Test func hashInsideAValue_isPartOfIt() throws {
        #expect(try read("bundle = a#b.so # c").bundle == "/srv/www/a#b.so # c")
    }

    @Test func textBeyondASCII_isTaken() throws {
        let entry = try read("bundle = Grüße.so\nenvironment.A = 世界 🎉")
        #expect(entry.bundle == "/srv/www/Grüße.so")
        #expect(entry.environment.map(\.value) == ["世界 🎉"])
    }

    static let keys = "keys are bundle, symbol, directory, library-path and environment.NAME"
    static let mistakes: [Expected] = [
        Expected("bundle", 2040, "line 1: 'bundle' is not 'key = value'"),
        Expected("\n\n  nonsense  ", 2040, "line 3: 'nonsense' is not 'key = value'"),
        Expected("bundle = a\r\nnonsense\r\n", 2040, "line 2: 'nonsense' is not 'key = value'"),
        Expected("bundles = a", 2041, "line 1: unknown key 'bundles'; \(keys)"),
        Expected("bundle = a\n= b", 2041, "line 2: unknown key ''; \(keys)"),
        Expected("Bundle = a", 2041, "line 1: unknown key 'Bundle'; \(keys)"),
        Expected("environment = a", 2041, "line 1: unknown key 'environment'; \(keys)"),
        Expected("bundle = a\n#\nbundle = a", 2042, "line 3: key 'bundle' stands there a second time"),
        Expected(
            "environment.A = 1\nenvironment.A = 2",
            2042,
            "line 2: key 'environment.A' stands there a second time"
        ),
        Expected("bundle =", 2043, "line 1: key 'bundle' has no value"),
        Expected("directory = \r\n", 2043, "line 1: key 'directory' has no value"),
        Expected("library-path =\t", 2043, "line 1: key 'library-path' has no value"),
        Expected("symbol =", 2043, "line 1: key 'symbol' has no value"),
        Expected("symbol = a-b", 2043, "line 1: 'a-b' is not the name of a C function"),
        Expected("\nsymbol = 1a", 2043, "line 2: '1a' is not the name of a C function"),
        Expected("environment.LD_PRELOAD = /x.so", 6010, "line 1: LD_PRELOAD may not be set"),
        Expected("environment.SWIFT_BACKTRACE = x", 6010, "line 1: SWIFT_BACKTRACE may not be set"),
        Expected("environment. = a", 2043, "line 1: '' is not the name of an environment variable"),
        Expected("environment.1A = a", 2043, "line 1: '1A' is not the name of an environment variable"),
        Expected("environment.A B = a", 2043, "line 1: 'A B' is not the name of an environment variable"),
        Expected("environment.Ä = a", 2043, "line 1: 'Ä' is not the name of an environment variable"),
    ]

    @Test(arguments: mistakes) func mistake_isNamed_withItsCodeAndLine(_ expected: Expected) {
        Expected(expected.input, expected.number, "entry file \(Self.path), \(expected.what)")
            .check(mistake(Array(expected.input.utf8)))
    }

    @Test(arguments: ["", "\n", "# nothing", "symbol = a", "environment.A = b"])
    func fileWithoutABundle_isRefused(_ text: String) {
        Expected(text, 2044, "entry file \(Self.path) has no key 'bundle'").check(mistake(Array(text.utf8)))
    }

    @Test(
        arguments: [
            [0x62, 0xff], Array("bundle = a\0b".utf8), [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], Array("\u{0}".utf8),
        ] as [[UInt8]]
    )
    func bytesThatAreNoText_areRefused(_ bytes: [UInt8]) {
        Expected("", 2045, "entry file \(Self.path) is neither an ELF shared object nor UTF-8 text")
            .check(mistake(bytes))
    }

    @Test(arguments: [
        ("application", true), ("_a1", true), ("A", true), ("", false), ("1a", false), ("a.b", false), ("a b", false),
        ("é", false), (String(repeating: "a", count: 255), true), (String(repeating: "a", count: 256), false),
    ])
    func symbol_isTheNameOfACFunction(_ text: String, _ expected: Bool) {
        #expect(EntryFile.isSymbol(text) == expected)
    }

    @Test func sameContent_isEqual_andOtherContentIsNot() throws {
        let text = "bundle = a\nsymbol = s\ndirectory = d\nlibrary-path = l\nenvironment.A = 1"
        #expect(try read(text) == read("# x\n" + text))
        for other in ["bundle = b", "symbol = t", "directory = e", "library-path = m", "environment.A = 2"] {
            let key = other.prefix { $0 != "=" }
            let lines = text.split(separator: "\n").map { $0.hasPrefix(key) ? Substring(other) : $0 }
            #expect(try read(text) != read(lines.joined(separator: "\n")))
        }
    }

    private func read(_ text: String) throws -> EntryFile {
        try EntryFile(text: Array(text.utf8), path: Self.path)
    }

    private func mistake(_ text: [UInt8]) -> Problem? {
        problem { () throws(Problem) in _ = try EntryFile(text: text, path: Self.path) }
    }
}
