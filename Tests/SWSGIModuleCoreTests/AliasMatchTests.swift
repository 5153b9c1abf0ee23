import SWSGIModuleCore
import Testing

@Suite struct AliasMatchTests {
    @Test(arguments: [
        // The whole site.
        ("/", "/", 1), ("/a", "/", 1), ("/a/b", "/", 1), ("//a", "/", 2), ("", "/", 0), ("*", "/", 0),
        // A path, and what lies under it.
        ("/app", "/app", 4), ("/app/", "/app", 4), ("/app/x", "/app", 4), ("/app?x", "/app", 0),
        // A match ends at the border of a segment.
        ("/application", "/app", 0), ("/ap", "/app", 0), ("/App", "/app", 0), ("/x/app", "/app", 0),
        // A location with a slash at its end does not match the path without it.
        ("/app", "/app/", 0), ("/app/", "/app/", 5), ("/app/x", "/app/", 5), ("/app//x", "/app/", 6),
        // Runs of slashes are one slash, on both sides.
        ("//app", "/app", 5), ("/app//x", "/app", 4), ("/a/b", "//a//b", 4), ("//a///b/c", "/a/b", 7),
        ("///", "/", 3), ("///", "///", 3), ("/", "//", 1),
        // Bytes are compared as they are.
        ("/gr\u{FC}n", "/gr\u{FC}n", 6), ("/%61pp", "/app", 0), ("/a.b", "/a.b", 4), ("/a.c", "/a.b", 0),
    ])
    func location_matchesAsInModAlias(_ uri: String, _ location: String, _ expected: Int) {
        #expect(aliasMatch(uri: uri, location: location) == expected)
    }

    @Test func twentyThousandRandomPairs_matchAsTheModelDoes() {
        var random = FixedRandom(seed: 11)
        var matches = 0
        for _ in 0..<20_000 {
            let location = "/" + random.text(of: "/ab", upTo: 5)
            let uri = random.text(of: "//ab", upTo: 8)
            let found = aliasMatch(uri: uri, location: location)
            if found != model(uri, location) { Issue.record("'\(uri)' and '\(location)': \(found)") }
            if found > 0 { matches += 1 }
        }
        #expect(matches > 1000)
    }

    /// The longest beginning of the path that is the location once runs of slashes are single ones.
    private func model(_ uri: String, _ location: String) -> Int {
        let uri = Array(uri.utf8)
        let wanted = single(Array(location.utf8))
        let slash = UInt8(ascii: "/")
        let beginnings = (1..<max(uri.count + 1, 2)).filter { single(Array(uri.prefix($0))) == wanted }
        guard let end = beginnings.last, end <= uri.count else { return 0 }
        return wanted.last == slash || end == uri.count || uri[end] == slash ? end : 0
    }

    private func single(_ path: [UInt8]) -> [UInt8] {
        path.indices.filter { $0 == 0 || path[$0] != UInt8(ascii: "/") || path[$0 - 1] != path[$0] }.map { path[$0] }
    }
}
