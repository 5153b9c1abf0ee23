internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGIWire

// How a response ends, and what the client sees of it.
extension ClientResponse {
    mutating func end(_ outcome: ExchangeOutcome) throws(Malformed) -> ExchangeResult {
        switch try state.end(outcome) {
        case .complete:
            if state.isTooLong { report(.responseLong, "more bytes than the Content-Length; the rest was dropped") }
            if state.hasDroppedBody { report(.bodyForbidden, "the status allows no body; it was dropped") }
            // The client has its answer before httpd does its book-keeping: its next request may come before that is done.
            passPieces()
            pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END)
            return .status(fileHasShrunk ? shrank() : statusOK)
        case .withoutHead(let outcome): return .status(answerWithoutHead(outcome))
        case .failed:
            if isCancelled {
                report(.clientGone, "the application stopped in the middle of its response, as the client has gone")
            } else if bodyStatus == 0 {
                report(.responseCut, "the application failed in the middle of its response")
            }
            return .status(abort(else: internalError))
        case .short(let missing):
            report(.responseShort, "\(missing) bytes less than the Content-Length")
            return .status(abort(else: internalError))
        }
    }

    private func answerWithoutHead(_ outcome: ExchangeOutcome) -> Int32 {
        switch outcome {
        case .notLoaded:
            report(.applicationNotLoaded, "the application can't be loaded")
            return internalError
        case .forbidden:
            report(.applicationNotLoaded, "the application may not be loaded")
            return forbidden
        default:
            if bodyStatus != 0 { return bodyStatus }
            if isCancelled {
                report(.clientGone, "the application stopped, as the client has gone")
                return internalError
            }
            report(.applicationFailed, "the application failed without an answer")
            return internalError
        }
    }

    /// The request body can't be read further, with httpd's status for that.
    mutating func bodyFailed(_ status: Int32) {
        bodyStatus = status
        // Below 0: a filter has answered the client already, and written its own line.
        let reason = status > 0 ? "answered \(status)" : "refused by an input filter of httpd"
        report(.bodyUnreadable, "the request body can't be read further: \(reason)")
    }

    /// Makes sure that the client does not take what it has for the whole response.
    mutating func abort(else status: Int32) -> Int32 {
        guard !isAnswered else { return statusOK }
        guard state.phase != .waiting, replacement == nil else { return status }
        // First what there is, by itself: together with the error it would be replaced by an error page. Without any, that page it is.
        pass(0)
        pass(SWSGI_PASS_ABORT | SWSGI_PASS_END)
        return statusOK
    }
}
