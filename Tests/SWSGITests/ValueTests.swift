import CSWSGI
import SWSGI
import Testing

@Suite("Values do what they say")
struct ValueTests {
    @Test(arguments: [
        ("a=%41%zz%4", "A%zz%4"), ("a=%", "%"), ("a=%E4", "\u{FFFD}"), ("a=b=c", "b=c"), ("a", ""), ("a=+%2B", " +"),
    ])
    func percentDecoding(_ text: String, _ value: String) {
        #expect(Parameters(decoding: text.utf8)["a"] == value)
    }

    @Test func emptyFieldsDoNotCount() {
        #expect(Parameters(decoding: "&&a=1&".utf8).count == 1)
        #expect(Parameters(decoding: []).count == 0)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""),
        ("<a href=\"x\">'&'</a>", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"),
        ("é<😀", "é&lt;😀"), ("<\u{301}", "&lt;\u{301}"),
    ])
    func escaping(_ text: String, _ escaped: String) {
        #expect(HTML.escape(text) == escaped)
    }

    @Test func headersIgnoreCaseAndKeepOrder() {
        var headers: Headers = ["Content-Type": "text/plain", "Set-Cookie": "a=1"]
        headers.add("set-cookie", "b=2")
        #expect(headers["CONTENT-TYPE"] == "text/plain")
        #expect(headers.map(\.1) == ["text/plain", "a=1", "b=2"])
        headers["Content-type"] = "text/html"
        #expect(headers.map(\.1) == ["a=1", "b=2", "text/html"])
        headers["SET-COOKIE"] = nil
        #expect(headers.map(\.0) == ["Content-type"])
    }

    @Test(
        arguments: [
            ("", "x", "header name is empty"),
            ("a b", "x", "space character in header name at byte 1: \"a b\""),
            ("a:", "x", "invalid character in header name at byte 1: \"a:\""),
            ("A", "x\r\nSet-Cookie: y", "carriage return/line feed character in header value at byte 1"),
            ("A", "\u{7F}", "control character in header value at byte 0"),
            ("content-length", "-1", "invalid Content-Length header value: \"-1\""),
        ] as [(String, String, String)]
    )
    func headerThatCantBeSent_isToldBeforeItIsSent(_ name: String, _ value: String, _ what: String) {
        for check in [
            { try Headers.check(name: name, value: value) }, { try Headers([("X", "1"), (name, value)]).check() },
        ] as [() throws -> Void] {
            let error = #expect(throws: ExchangeError.self) { try check() }
            #expect(error?.code == .invalidHeader)
            #expect(error?.message.hasPrefix(what) == true)
        }
    }

    @Test func headersThatCanBeSent_passTheirCheck() throws {
        try Headers.check(name: "X-Name", value: "\tvalue é")
        try (["Content-Length": "0", "Set-Cookie": "a", "set-cookie": "b"] as Headers).check()
        try Headers().check()
        #expect(throws: ExchangeError.self) { try (["Content-Length": "1", "content-length": "1"] as Headers).check() }
        try Status.ok.check()
        #expect(throws: ExchangeError.self) { try Status(199).check() }
    }

    @Test func statusesHaveTheirPhrases() {
        #expect(Status.seeOther.reason == "See Other")
        #expect((404 as Status) == .notFound)
        #expect(Status(299).reason == "Success")
        #expect(Status(200, "Fine").reason == "Fine")
    }
}

@Suite("Tables of other versions and sizes")
struct CompatibilityTests {
    private let hello = export { _, startResponse in
        startResponse("200 OK")
        return ["hello"]
    }

    @Test func theTableSaysWhatItIs() {
        #expect(hello.pointee.abi_version == SWSGI_ABI_VERSION)
        #expect(Int(hello.pointee.size) == MemoryLayout<swsgi_application>.size)
        let sdk = hello.pointee.sdk
        let text = String(decoding: UnsafeRawBufferPointer(start: sdk.bytes, count: sdk.length), as: UTF8.self)
        #expect(text.hasPrefix("SWSGI/"))
    }

    @Test func aHostOfAnotherVersionIsRefusedUntouched() {
        let host = FakeHost(version: 2)
        #expect(host.respond(hello) != 0)
        #expect(host.events.isEmpty)
    }

    @Test func aHostThatHasLessIsRefusedUntouched() {
        let host = FakeHost(size: 144)
        #expect(host.respond(hello) != 0)
        #expect(host.events.isEmpty)
    }

    @Test func aHostThatHasNoMoreIsServed() {
        #expect(FakeHost(size: 152).respond(hello) == 0)
    }
}
