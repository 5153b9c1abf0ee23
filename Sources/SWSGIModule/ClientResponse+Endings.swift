internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGIWire

// How a response ends, and what the client sees of it.
extension ClientResponse {
    mutating func end(_ outcome: ExchangeOutcome) throws(Malformed) -> ExchangeResult {
        let ending = try state.end(outcome)
        switch ending {
        case .complete:
            if state.isTooLong { report(.responseLong, "more bytes than the Content-Length; the rest was dropped") }
            if state.hasDroppedBody { report(.bodyForbidden, "the status allows no body; it was dropped") }
            // The client has its answer before httpd does its book-keeping: its next request may come before that is done.
            passPieces()
            pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END)
            if clientHasGone { return .status(takesNoMore()) }
            return .status(fileHasShrunk ? shrank() : statusOK)
        case .withoutHead(let outcome): return .status(answerWithoutHead(outcome))
        // An application that looks for its client may also just end what it has begun.
        case .failed where clientHasLeft, .short where clientHasLeft:
            return .status(leave("the application stopped in the middle of its response"))
        case .failed:
            if bodyStatus == 0 { report(.responseCut, "the application failed in the middle of its response") }
            return .status(abort(else: internalError))
        case .short(let missing):
            report(.responseShort, "\(missing) bytes less than the Content-Length")
            return .status(abort(else: internalError))
        }
    }

    /// Whether the client has gone, as far as anything tells.
    var clientHasLeft: Bool { isCancelled || ClientWatch.isBroken(request) }

    /// The client has left before it had the whole response: nothing more is sent, and the access log has status 499.
    func leave(_ what: String) -> Int32 {
        guard !isAnswered else { return statusOK }
        report(.clientGone, "\(what), as the client has gone")
        swsgi_connection_abort(request)
        return statusOK
    }

    /// What was passed did not get through to the client.
    func takesNoMore() -> Int32 {
        // A filter of httpd may have refused it as well.
        swsgi_connection_aborted(request) == 0 ? statusOK : leave("the response is not complete")
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
            // A client that has only stopped sending can read what httpd says of its body.
            if clientHasLeft, bodyStatus == 0 || ClientWatch.isBroken(request) {
                return leave("the application stopped")
            }
            if bodyStatus != 0 { return bodyStatus }
            report(.applicationFailed, "the application failed without an answer")
            return internalError
        }
    }

    /// The request body can't be read further, with httpd's status for that.
    mutating func bodyFailed(_ status: Int32) {
        bodyStatus = status
        // Below 0: a filter has answered the client already, and written its own line.
        let reason =
            ClientWatch.isBroken(request)
            ? "the client has gone" : status > 0 ? "answered \(status)" : "refused by an input filter of httpd"
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
