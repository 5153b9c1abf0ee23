import CSWSGI
import SWSGI
import Testing

@Suite("Interim responses")
struct InterimTests {
    @Test func hintsComeBeforeTheHead_inBothForms() {
        let typed = FakeHost()
        let results = [
            typed.respond(
                export(
                    Typed { request in
                        try request.earlyHints(["Link": "</a>", "X": "1"])
                        try request.processing()
                        return .text("done")
                    }
                )
            )
        ]
        #expect(results == [0])
        #expect(typed.events.prefix(2) == [.interim(103, ["Link: </a>", "X: 1"]), .interim(102, [])])
        let closure = FakeHost()
        let result = closure.respond(
            export { environ, startResponse in
                startResponse("200 OK")
                try environ.earlyHints(["Link": "</a>"])
                return ["done"]
            }
        )
        #expect(result == 0)
        #expect(closure.events == [.interim(103, ["Link: </a>"]), .head(200, "OK", []), .write("done")])
    }

    @Test(arguments: [152, 160]) func hostThatKnowsNone_isNotAsked(_ size: Int) {
        let host = FakeHost(size: size)
        let application = export { environ, startResponse in
            try environ.earlyHints(["Link": "</a>"])
            startResponse("200 OK")
            return []
        }
        #expect(host.respond(application) == 0)
        #expect(host.events == [.head(200, "OK", [])])
    }

    @Test func trailersFollowTheContent() {
        let application = export { _, startResponse in
            startResponse("200 OK")
            return .stream { writer in
                try writer.write("content")
                try writer.trailers(["X-Sum": "1"])
            }
        }
        let host = FakeHost()
        #expect(host.respond(application) == 0)
        #expect(host.events == [.head(200, "OK", []), .write("content"), .flush, .trailers(["X-Sum: 1"])])
        let old = FakeHost(size: 168)
        #expect(old.respond(application) == 0)
        #expect(old.events == [.head(200, "OK", []), .write("content"), .flush])
    }

    @Test func hostThatHasSentEnough_isNoError() {
        let host = FakeHost()
        host.interimResult = Int32(SWSGI_ERROR_LIMIT)
        let application = export { environ, startResponse in
            try environ.earlyHints(["Link": "</a>"])
            startResponse("200 OK")
            return []
        }
        #expect(host.respond(application) == 0)
    }

    @Test func hintsThatCannotBeSent_fail() {
        for (name, value) in [("A B", "x"), ("A", "x\r\nB: y")] {
            let host = FakeHost()
            let application = export { environ, _ in
                try environ.earlyHints(Headers([(name, value)]))
                return []
            }
            #expect(host.respond(application) != 0)
            #expect(host.events.allSatisfy { if case .log = $0 { true } else { false } })
        }
    }
}
