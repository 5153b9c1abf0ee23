internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

// How an exchange with a daemon process ends.
extension Relay {
    mutating func end(_ byte: UInt8) throws(Malformed) -> ExchangeResult {
        guard let outcome = ExchangeOutcome(rawValue: byte) else { throw Malformed("unknown outcome \(byte)") }
        if outcome == .unavailable, response.state.phase == .waiting, !response.clientHasLeft {
            return .status(unavailableNow())
        }
        return try response.end(outcome)
    }

    /// No process could take the exchange, or the time of the one that ran it is over.
    private func unavailableNow() -> Int32 {
        if let broken = generation.ends.broken(group: group) {
            return refuseBroken(broken, request, facts, generation, group)
        }
        swsgi_retry_after(request, 1)
        response.report(.cancelledByDrain, "the application gave the request up, as the time of its process was over")
        return unavailable
    }

    mutating func died() -> Int32 {
        let notice = DeathNotice(
            group: group,
            taker: generation.groups[group].takers.pid(at: generation.place(of: desk.number)),
            entryFile: String(cString: facts.file_name),
            line: String(cString: facts.line),
            hadBegun: response.state.phase != .waiting
        )
        // The log line waits for the supervisor to say which process it was; the client does not.
        swsgi_report_later(request, Unmanaged.passRetained(notice).toOpaque())
        return response.abort(else: badGateway)
    }

    /// Nobody runs the application on it any more: the daemon process that takes it finds its socket closed.
    func queueTimedOut() -> Int32 {
        response.report(.queueTimeout, "no thread was free within \(timeText(options.queueTimeout ?? 0))")
        answerWithoutTheBody()
        return gatewayTimeout
    }

    mutating func timedOut() -> Int32 {
        response.report(.answerTimeout, "no answer within \(timeText(timeout))")
        answerWithoutTheBody()
        return response.abort(else: gatewayTimeout)
    }
}
