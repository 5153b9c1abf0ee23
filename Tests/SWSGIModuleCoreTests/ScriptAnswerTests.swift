import SWSGIConfiguration
import SWSGIWire
import Testing

@testable import SWSGIModuleCore

/// What a script's response is taken for.
@Suite struct ScriptAnswerTests {
    /// A response head's payload.
    private static func payload(_ headers: [(String, String)], status: UInt16) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(status)
        writer.write(UInt16(headers.count))
        writer.write(UInt32(0))
        writer.write(Int64(-1))
        for (name, value) in headers {
            writer.write(UInt32(name.utf8.count))
            writer.write(UInt32(value.utf8.count))
            for byte in Array(name.utf8) + Array(value.utf8) { writer.write(byte) }
        }
        return writer.bytes
    }

    private func answer(_ question: Question, _ headers: [(String, String)], status: UInt16 = 200) throws
        -> ScriptAnswer
    {
        try Self.payload(headers, status: status).withUnsafeBytes { bytes in
            try ScriptAnswer(ReceivedResponseHead(bytes), to: question)
        }
    }

    private static func headers(_ verdict: String, _ values: [String]) -> [(String, String)] {
        [("X-Other", "yes"), ("swsgi-ANSWER", verdict)] + values.map { ("SWSGI-Value", $0) }
    }

    private static let hash = "0123456789abcdef0123456789abcdef"

    private static let good: [(Question, String, [String], ScriptAnswer)] = [
        (.access, "yes", [], .allowed), (.access, "no", [], .refused), (.access, "none", [], .undecided),
        (.password, "yes", [], .granted(user: nil)), (.password, "yes", ["é x"], .granted(user: "é x")),
        (.password, "no", [], .refused), (.password, "none", [], .undecided),
        (.realmHash, "yes", [hash], .hash(hash)), (.realmHash, "none", [], .undecided),
        (.groups, "yes", [], .groups([])), (.groups, "yes", ["a", "b c"], .groups(["a", "b c"])),
    ]

    @Test(arguments: good.indices) func answerToTheQuestion_isTaken(_ index: Int) throws {
        let (question, verdict, values, expected) = Self.good[index]
        #expect(try answer(question, Self.headers(verdict, values)) == expected)
    }

    private static let bad: [(Question, String, [String])] = [
        (.access, "yes", ["x"]), (.access, "Yes", []), (.access, "", []), (.access, "yes, no", []),
        (.password, "yes", [""]), (.password, "yes", ["a", "b"]), (.password, "no", ["a"]),
        (.realmHash, "yes", []), (.realmHash, "no", []), (.realmHash, "yes", [hash, hash]),
        (.realmHash, "yes", [String(hash.dropLast())]), (.realmHash, "yes", [hash.uppercased()]),
        (.realmHash, "yes", ["0123456789abcdeg0123456789abcdef"]),
        (.groups, "no", []), (.groups, "none", []),
        (.destination, "none", []), (.destination, "yes", ["x=y"]), (.destination, "yes", ["process-group"]),
        (.destination, "yes", ["process-group="]), (.destination, "yes", ["process-group=%{ENV:X}"]),
        (.destination, "yes", ["process-group=a", "process-group=b"]), (.destination, "yes", ["callable-object=a-b"]),
        (.destination, "yes", ["callable-object=%{ENV:X}"]), (.destination, "yes", ["application-group=%{HOST}"]),
    ]

    @Test(arguments: bad.indices) func anythingElse_isNoAnswer(_ index: Int) {
        let (question, verdict, values) = Self.bad[index]
        #expect(throws: Problem.self) { try answer(question, Self.headers(verdict, values)) }
    }

    @Test(arguments: Question.allCases) func responseOfAnApplication_isNoAnswer(_ question: Question) {
        #expect(throws: Problem.self) { try answer(question, [("Content-Type", "text/plain")]) }
        #expect(throws: Problem.self) { try answer(question, Self.headers("yes", []), status: 204) }
        #expect(throws: Problem.self) { try answer(question, Self.headers("yes", []) + [("SWSGI-Answer", "yes")]) }
    }

    @Test func destination_isReadInAnyOrder() throws {
        let values = ["callable-object=f", "application-group=%{GLOBAL}", "process-group=a=b c"]
        guard case .destination(let chosen) = try answer(.destination, Self.headers("yes", values)) else {
            Issue.record("no destination")
            return
        }
        #expect(chosen.processGroup == "a=b c")
        #expect(chosen.applicationGroup == "%{GLOBAL}")
        #expect(chosen.symbol == "f")
    }
}
