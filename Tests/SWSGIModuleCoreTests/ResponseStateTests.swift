import SWSGIModuleCore
import SWSGIWire
import Testing

@Suite struct ResponseStateTests {
    private func streaming(_ contentLength: Int64?, hasBody: Bool = true) throws -> ResponseState {
        var state = ResponseState(hasBody: hasBody)
        try state.head(contentLength: contentLength)
        return state
    }

    private func disorder(_ body: () throws(Malformed) -> Void) -> String? {
        do throws(Malformed) {
            try body()
            return nil
        } catch {
            return error.isOutOfOrder ? error.description : "not out of order: \(error)"
        }
    }

    @Test func headDataEnd_isAResponse() throws {
        var state = ResponseState(hasBody: true)
        #expect(state.phase == .waiting)
        try state.head(contentLength: nil)
        #expect(state.phase == .streaming)
        #expect(try state.data(10) == 10)
        #expect(try state.data(.max) == .max)
        #expect(try state.end(.complete) == .complete)
        #expect(state.phase == .ended)
        #expect(!state.isTooLong)
    }

    @Test func announcedLength_isCountedDown() throws {
        var state = try streaming(10)
        #expect(state.rest == 10)
        #expect(try state.data(4) == 4)
        #expect(state.rest == 6)
        #expect(try state.data(6) == 6)
        #expect(state.rest == 0)
        #expect(try state.end(.complete) == .complete)
        #expect(!state.isTooLong)
    }

    @Test func contentInPieces_isToldByWhatTheApplicationDid() throws {
        let together = ResponseHead.togetherLimit
        for (length, written, expected) in [
            (nil, 0, true), (0, 0, false), (100_000, 0, false), (100_000, together, false),
            (100_000, together + 1, true),
        ] as [(Int64?, Int, Bool)] {
            var state = try streaming(length)
            #expect(state.isLengthKnown == (length != nil))
            if written > 1 { _ = try (state.data(written - 1), state.data(1)) }
            #expect(state.isInPieces == expected)
            try state.flush()
            #expect(state.isInPieces)
        }
        var file = try streaming(100_000)
        _ = try file.data(100_000, ofFile: true)
        #expect(!file.isInPieces)
        for status in [204, 205, 304] {
            var state = ResponseState(hasBody: true)
            #expect(disorder { () throws(Malformed) in try state.flush() } != nil)
            try state.head(status: status, contentLength: nil)
            try state.flush()
            #expect(!state.isInPieces)
        }
    }

    @Test func bodyOfHEAD_isPassedUntilTheHeadIsSent() throws {
        var state = try streaming(100, hasBody: false)
        #expect(try state.data(10) == 10)
        state.headIsSent()
        #expect(try state.data(10) == 0)
        #expect(try state.end(.complete) == .complete)
    }

    @Test func bytesBeyondTheLength_areDropped() throws {
        var state = try streaming(10)
        #expect(try state.data(8) == 8)
        #expect(try state.data(8) == 2)
        #expect(state.isTooLong)
        #expect(try state.data(8) == 0)
        #expect(try state.end(.complete) == .complete)
    }

    @Test(arguments: [(0, 10), (9, 1)]) func missingBytes_areCounted(_ sent: Int, _ missing: Int64) throws {
        var state = try streaming(10)
        #expect(try state.data(sent) == sent)
        #expect(try state.end(.complete) == .short(missing: missing))
    }

    @Test func lengthOfZero_allowsNoBytes() throws {
        var state = try streaming(0)
        #expect(try state.data(1) == 0)
        #expect(state.isTooLong)
        #expect(try state.end(.complete) == .complete)
    }

    @Test func largestLength_isCounted() throws {
        var state = try streaming(.max)
        #expect(try state.data(1024) == 1024)
        #expect(state.rest == Int64.max - 1024)
        #expect(try state.end(.complete) == .short(missing: Int64.max - 1024))
    }

    @Test func responseToHEAD_hasNoBody_andIsNeverShortOrLong() throws {
        var state = try streaming(10, hasBody: false)
        state.headIsSent()
        #expect(try state.data(3) == 0)
        #expect(try state.data(30) == 0)
        #expect(!state.isTooLong)
        #expect(try state.end(.complete) == .complete)
    }

    /// A43, A44, A45.
    @Test(arguments: [204, 205, 304]) func statusWithoutABody_dropsIt_andIsNeverShort(_ status: Int) throws {
        var state = ResponseState(hasBody: true)
        try state.head(status: status, contentLength: 10)
        #expect(state.announcedLength(status: status, contentLength: 10) == (status == 205 ? 0 : nil))
        #expect(state.hasDroppedBody == (status != 304))
        #expect(try state.data(3) == 0)
        #expect(state.hasDroppedBody && !state.isTooLong)
        #expect(try state.end(.complete) == .complete)
    }

    @Test(arguments: [204, 205, 304]) func statusWithoutABody_andWithout_isNothingToReport(_ status: Int) throws {
        var state = ResponseState(hasBody: true)
        try state.head(status: status, contentLength: 0)
        #expect(try state.end(.complete) == .complete)
        #expect(!state.hasDroppedBody)
    }

    @Test(arguments: [ExchangeOutcome.failed, .notLoaded]) func endWithoutHead_isPassedOn(_ outcome: ExchangeOutcome)
        throws
    {
        var state = ResponseState(hasBody: true)
        #expect(try state.end(outcome) == .withoutHead(outcome))
        #expect(state.phase == .ended)
    }

    @Test(arguments: [ExchangeOutcome.failed, .notLoaded]) func failureAfterTheHead_isAFailure(
        _ outcome: ExchangeOutcome
    ) throws {
        var state = try streaming(10)
        #expect(try state.data(10) == 10)
        #expect(try state.end(outcome) == .failed)
    }

    @Test func completeEndWithoutHead_isOutOfOrder() {
        var state = ResponseState(hasBody: true)
        #expect(disorder { () throws(Malformed) in _ = try state.end(.complete) } == "an end without a head")
        // httpd can still answer by itself.
        #expect(state.phase == .waiting)
    }

    @Test func secondHead_isOutOfOrder() throws {
        var state = try streaming(nil)
        #expect(disorder { () throws(Malformed) in try state.head(contentLength: nil) } == "a second response head")
    }

    @Test func dataBeforeTheHead_isOutOfOrder() {
        for hasBody in [true, false] {
            var state = ResponseState(hasBody: hasBody)
            #expect(disorder { () throws(Malformed) in _ = try state.data(1) } == "a body without a head")
        }
    }

    @Test func nothingMayFollowTheEnd() throws {
        var state = try streaming(nil)
        #expect(try state.end(.complete) == .complete)
        #expect(disorder { () throws(Malformed) in try state.head(contentLength: 1) } == "a second response head")
        #expect(disorder { () throws(Malformed) in _ = try state.data(1) } == "a body without a head")
        for outcome in [ExchangeOutcome.complete, .failed, .notLoaded] {
            #expect(disorder { () throws(Malformed) in _ = try state.end(outcome) } == "a second end")
        }
        #expect(state.phase == .ended)
    }
}
