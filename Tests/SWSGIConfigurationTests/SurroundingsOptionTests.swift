import SWSGIConfiguration
import Testing

/// The options of WSGIDaemonProcess that say what its processes are and see.
@Suite struct SurroundingsOptionTests {
    private func options(_ text: String) throws -> SurroundingsOptions {
        try DaemonProcessOptions("a \(text)").surroundings
    }

    @Test func nothingGiven_leavesTheDefaults() throws {
        #expect(try options("") == SurroundingsOptions())
        #expect(
            try options("stack-size=0 memory-limit=0 virtual-memory-limit=0 cpu-priority=0") == SurroundingsOptions()
        )
    }

    @Test func everyOption_isTaken() throws {
        let given = try options(
            """
            supplementary-groups=mail,#1000 cpu-priority=-5 lang=de_DE.UTF-8 locale=C stack-size=512K \
            memory-limit=256M virtual-memory-limit=2G environment-file=/etc/a.env
            """
        )
        #expect(given.supplementaryGroups == ["mail", "#1000"])
        #expect(given.cpuPriority == -5)
        #expect(given.lang == "de_DE.UTF-8")
        #expect(given.locale == "C")
        #expect(given.stackSize == 524_288)
        #expect(given.memoryLimit == 256 << 20)
        #expect(given.virtualMemoryLimit == 2 << 30)
        #expect(given.environmentFile == "/etc/a.env")
    }

    @Test(arguments: ["-20", "19", "0", "-1"]) func priority_mayBe(_ value: String) throws {
        #expect(try options("cpu-priority=\(value)").cpuPriority == Int32(value))
    }

    @Test func sixtyFourGroups_areTaken_andOneMoreIsNot() throws {
        let names = Array(repeating: "mail", count: 64).joined(separator: ",")
        #expect(try options("supplementary-groups=\(names)").supplementaryGroups?.count == 64)
        #expect(mistake("supplementary-groups=\(names),mail")?.code == .groupListInvalid)
    }

    @Test func limitBelowTheStacks_isAConflict() throws {
        #expect(
            try DaemonProcessOptions("a memory-limit=64M").conflicts
                == [
                    "memory-limit=67108864 leaves no room for the stacks of 15 threads, 125829120 bytes; lower stack-size= or threads="
                ]
        )
        #expect(try DaemonProcessOptions("a memory-limit=64M stack-size=1M").conflicts == [])
        #expect(try DaemonProcessOptions("a memory-limit=64M virtual-memory-limit=16M threads=8").conflicts.count == 2)
        #expect(try DaemonProcessOptions("a threads=1000").conflicts == [])
    }

    static let mistakes: [Expected] =
        ["20", "-21", "", "-", "+1", "1.5", "5x", "--1", "99999999999"].map {
            Expected("cpu-priority='\($0)'", 1006, "cpu-priority must be a number from -20 to 19, not '\($0)'")
        }
        + ["", ",", "a,", ",a", "a,,b"].map {
            Expected(
                "supplementary-groups='\($0)'",
                1120,
                "supplementary-groups must be 1 to 64 names or #gid with commas between, not '\($0)'"
            )
        }
        + ["", "../x", "a b", "a/b", "a=b"].map {
            Expected("locale='\($0)'", 1121, "locale must be the name of a locale, such as C.UTF-8, not '\($0)'")
        } + [
            Expected("lang='%'", 1121, "lang must be the name of a locale, such as C.UTF-8, not '%'"),
            Expected(
                "stack-size=127K",
                1006,
                "stack-size must be 0 or 131072 to 1073741824 bytes, or a number with K, M or G, not '127K'"
            ),
            Expected(
                "memory-limit=1M",
                1006,
                "memory-limit must be 0 or 16777216 to 17592186044416 bytes, or a number with K, M or G, not '1M'"
            ),
            Expected("environment-file=a.env", 1011, "environment-file must be an absolute path, not 'a.env'"),
        ]

    @Test(arguments: mistakes) func mistake_isNamed_withItsCode(_ expected: Expected) {
        Expected(expected.input, expected.number, "WSGIDaemonProcess: \(expected.what)").check(mistake(expected.input))
    }

    private func mistake(_ text: String) -> Problem? {
        problem { () throws(Problem) in _ = try DaemonProcessOptions("a \(text)") }
    }
}
