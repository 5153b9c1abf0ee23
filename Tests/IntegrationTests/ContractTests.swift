import Foundation
import Testing

/// What an application may not do: every row on one server, by its number in the table of faults.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ContractTests {
    /// Modules that process requests, with daemon processes and in httpd's own children.
    private static let all = ["event", "worker", "prefork", "event, embedded", "prefork, embedded"]

    private func isEmbedded(_ multiProcessing: String) -> Bool { multiProcessing.hasSuffix("embedded") }

    /// What is kept by one request for another is in one process.
    private static func oneChild(_ multiProcessing: String) -> String {
        multiProcessing.hasPrefix("prefork") ? "ServerLimit 1\nMaxRequestWorkers 1\n" : EmbeddedTests.oneChild
    }

    private func withTrouble(_ multiProcessing: String, _ body: (TestServer) throws -> Void) throws {
        try withServer { server in
            server.multiProcessing = String(multiProcessing.prefix { $0 != "," })
            server.announceCrashes()
            server.announce(
                "SWSGI4023",
                "SWSGI4025",
                "SWSGI4026",
                "SWSGI4029",
                "SWSGI4064",
                "Exception occurred processing WSGI script"
            )
            server.settings = "LogLevel info wsgi:debug\nLimitRequestBody 0\n"
            if isEmbedded(multiProcessing) { server.settings += Self.oneChild(multiProcessing) }
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(
                isEmbedded(multiProcessing)
                    ? server.embedded(entry) : server.application(entry, options: "processes=1 threads=4")
            )
            try body(server)
            #expect(try server.get("/ok").text == "ok\n")
        }
    }

    @Test(arguments: Self.all) func order_isKept(multiProcessing: String) throws {
        try withTrouble(multiProcessing) { server in
            try A1_throwBeforeTheHead_isAnswered500(server)
            try A2_throwAfterTheHead_abortsTheConnection(server)
            try A3_throwAfterAHeadWithALength_abortsTheConnection(server)
            try A5_noResponse_isAnswered500(server)
            try A7_secondStart_isAnswered500(server)
            try A8_startAfterOutput_abortsTheConnection(server)
            try A9_bodyBeforeStart_isAnswered500(server)
            try throwInSequence_closesTheBody(server)
            try writeAndReturnedBody_areOneResponse(server)
            // What a trap costs in embedded mode: EmbeddedDeathTests.
            guard !isEmbedded(multiProcessing) else { return }
            let process = server.daemons.map(\.pid)
            try A4_trap_isAnswered502(server)
            #expect(server.daemons.map(\.pid) != process)
        }
    }

    @Test(arguments: Self.all) func heads_areChecked(multiProcessing: String) throws {
        try withTrouble(multiProcessing) { server in
            try A13_statusOutOfRange_isAnswered500(server)
            try A14_statusAbove599_isAnswered500(server)
            try A15_interimStatusAsFinal_isAnswered500(server)
            try spaceAroundTheReason_isAnswered500(server)
            try A16_forbiddenByteInReason_isAnswered500(server)
            try A17_reasonOver256Bytes_isAnswered500(server)
            try A18_wordsOfOtherProtocolsAsReason_areReasons(server)
            try A19_emptyHeaderName_isAnswered500(server)
            try A20_headerNameThatIsNoToken_isAnswered500(server)
            try A21_lineEndInHeaderValue_isAnswered500(server)
            try A22_controlByteInHeaderValue_isAnswered500(server)
            try A27_strangeContentLength_isAnswered500(server)
            try A28_contentLengthAboveBody_abortsTheConnection(server)
            try A29_contentLengthBelowBody_cutsTheBody(server)
            try A30_twoContentLengths_areAnswered500(server)
            try A31_transferEncoding_isDropped(server)
            try A32_headersOfTheServer_areDropped(server)
            try A33_statusHeader_isNoStatus(server)
            try A34_localLocation_isAPlainHeader(server)
            try A35_sendfileHeaders_arePlainHeaders(server)
        }
    }

    @Test(arguments: Self.all) func whatIsOver_staysOver(multiProcessing: String) throws {
        try withTrouble(multiProcessing) { server in
            try A10_writeAfterTheEnd_isAnError(server)
            try A12_secondWriter_isRefused(server)
            try A54_secondReader_isRefused(server)
            #expect(server.logs.lines(containing: "SWSGI50").isEmpty)
        }
    }

    @Test(arguments: Self.all) func input_hasItsLimits(multiProcessing: String) throws {
        try withTrouble(multiProcessing) { server in
            try A50_readsPastTheEnd_giveNothing(server)
            try A51_strangeReadCounts_areBounded(server)
            try A53_bodyThatNobodyReads_doesNotHoldTheAnswer(server)
            try A56_logText_isEscapedAndCut(server, isEmbedded: isEmbedded(multiProcessing))
            try A58_changedEnvironment_doesNotReachTheEnviron(server)
            try A59_umask_isTheApplications(server)
        }
    }

    // MARK: - Order

    private func A1_throwBeforeTheHead_isAnswered500(_ server: TestServer) throws {
        try server.expectFailure("/throw", "TroubleError: thrown before the head")
    }

    private func A2_throwAfterTheHead_abortsTheConnection(_ server: TestServer) throws {
        try server.expectCut("/throw-after-head", "SWSGI4024", "TroubleError: thrown after the head")
    }

    private func A3_throwAfterAHeadWithALength_abortsTheConnection(_ server: TestServer) throws {
        try server.expectCut("/throw-with-length", "SWSGI4024", "TroubleError: thrown after a head with a length")
    }

    private func A4_trap_isAnswered502(_ server: TestServer) throws {
        #expect(try server.get("/trap").status == 502)
        try server.logs.waitForLine("SWSGI4022", "GET /trap")
        try eventually("another process") { !server.daemons.isEmpty }
    }

    private func A5_noResponse_isAnswered500(_ server: TestServer) throws {
        try server.expectFailure(
            "/no-response",
            "startResponse() must be called before response content is produced"
        )
    }

    private func A7_secondStart_isAnswered500(_ server: TestServer) throws {
        try server.expectFailure("/start-twice", "startResponse() called more than once without an error")
        let replaced = try server.get("/start-twice-after-error")
        #expect(replaced.status == 503)
        #expect(replaced.text == "sorry\n")
    }

    private func A8_startAfterOutput_abortsTheConnection(_ server: TestServer) throws {
        try server.expectCut(
            "/start-after-output",
            "SWSGI4024",
            "startResponse() called more than once without an error"
        )
        try server.expectCut(
            "/start-after-output-with-error",
            "SWSGI4024",
            "TroubleError: the reason for a second start"
        )
    }

    private func A9_bodyBeforeStart_isAnswered500(_ server: TestServer) throws {
        try server.expectFailure(
            "/never-start",
            "startResponse() must be called before response content is produced"
        )
    }

    private func throwInSequence_closesTheBody(_ server: TestServer) throws {
        try server.expectCut("/throw-in-sequence", "SWSGI4024", "the body was closed after 4 pieces")
    }

    private func writeAndReturnedBody_areOneResponse(_ server: TestServer) throws {
        #expect(try server.get("/write-and-return").text == "written returned\n")
    }
}

extension TestServer {
    /// A request that is answered 500; the log says why, and which request it was.
    func expectFailure(
        _ target: String,
        _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let response = try get(target)
        #expect(response.status == 500, "\(target)", sourceLocation: sourceLocation)
        #expect(response.headers.allSatisfy { !$0.name.hasPrefix("X") }, sourceLocation: sourceLocation)
        try logs.waitForLine(text)
        try logs.waitForLine("SWSGI4023", "GET \(target.prefix(60))")
    }

    /// A request whose response begins, and visibly does not come to its end.
    func expectCut(
        _ target: String,
        _ code: String,
        _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try curl("--include", url(target))
        #expect(result.status == 18, "\(target): \(result)", sourceLocation: sourceLocation)
        #expect(result.output.contains("200 OK"), sourceLocation: sourceLocation)
        try logs.waitForLine(text)
        try logs.waitForLine(code, "GET \(target.prefix(60))")
    }
}
