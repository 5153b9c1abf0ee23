internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

// How an exchange ends, and what the client sees of it.
extension Relay {
    mutating func end(_ byte: UInt8) throws(Malformed) -> Result {
        guard let outcome = ExchangeOutcome(rawValue: byte) else { throw Malformed("unknown outcome \(byte)") }
        switch try state.end(outcome) {
        case .complete:
            if state.isTooLong { report(.responseLong, "more bytes than the Content-Length; the rest was dropped") }
            if state.hasDroppedBody { report(.bodyForbidden, "the status allows no body; it was dropped") }
            // The client has its answer before httpd does its book-keeping: its next request may come before that is done.
            pass(SWSGI_PASS_FLUSH | SWSGI_PASS_END)
            return .status(fileHasShrunk ? shrank() : statusOK)
        case .withoutHead(.notLoaded):
            report(.applicationNotLoaded, "the application can't be loaded")
            return .status(internalError)
        case .withoutHead(.unavailable): return .status(unavailableNow())
        case .withoutHead(.forbidden):
            report(.applicationNotLoaded, "the application may not be loaded")
            return .status(forbidden)
        case .withoutHead:
            if bodyStatus != 0 { return .status(bodyStatus) }
            if isCancelled {
                report(.clientGone, "the application stopped, as the client has gone")
                return .status(internalError)
            }
            report(.applicationFailed, "the application failed without an answer")
            return .status(internalError)
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

    /// No process could take the exchange, or the time of the one that ran it is over.
    private func unavailableNow() -> Int32 {
        if let broken = generation.ends.broken(group: group) {
            return refuseBroken(broken, request, facts, generation, group)
        }
        swsgi_retry_after(request, 1)
        report(.cancelledByDrain, "the application gave the request up, as the time of its process was over")
        return unavailable
    }

    /// Makes sure that the client does not take what it has for the whole response.
    mutating func abort(else status: Int32) -> Int32 {
        guard !isAnswered else { return statusOK }
        guard state.phase != .waiting, replacement == nil else { return status }
        // First what there is, by itself: together with the error it would be replaced by an error page.
        pass(0)
        pass(SWSGI_PASS_ABORT | SWSGI_PASS_END)
        return statusOK
    }

    mutating func died() -> Int32 {
        let notice = DeathNotice(
            group: group,
            time: Clock.monotonic,
            entryFile: String(cString: facts.file_name),
            line: String(cString: facts.line),
            hadBegun: state.phase != .waiting
        )
        // The log line waits for the supervisor to say which process it was; the client does not.
        swsgi_report_later(request, Unmanaged.passRetained(notice).toOpaque())
        return abort(else: badGateway)
    }

    /// Nobody runs the application on it any more: the daemon process that takes it finds its socket closed.
    func queueTimedOut() -> Int32 {
        report(.queueTimeout, "no thread was free within \(timeText(options.queueTimeout ?? 0))")
        answerWithoutTheBody()
        return gatewayTimeout
    }

    mutating func timedOut() -> Int32 {
        report(.answerTimeout, "no answer within \(timeText(timeout))")
        answerWithoutTheBody()
        return abort(else: gatewayTimeout)
    }
}
