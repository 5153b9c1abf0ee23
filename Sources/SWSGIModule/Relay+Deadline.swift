internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem

// request-timeout: the application's time for one request, counted from the moment at which a daemon process took it.
extension Relay {
    /// Nanoseconds that are left; looks at the clock only with a limit.
    var timeLeft: Int64 { desk.times.requestEnd == nil ? .max : desk.times.timeLeft(now: Clock.monotonic) }

    /// Watches the client too, as nothing has come for a moment, for so many microseconds at most; gives the status when the
    /// exchange is over.
    mutating func wait(_ channel: inout ReplyChannel, _ microseconds: Int64) -> Int32? {
        let end = desk.times.earlier(of: Clock.monotonic + microseconds * 1000)
        while true {
            switch client.wait(for: channel.socket, until: end) {
            case .reply: return nil
            case .clientHasFinished:
                isCancelled = true
                channel.cancel()
            case .clientHasGone:
                report(.clientGone, "the client has gone")
                swsgi_connection_abort(request)
                return statusOK
            case .nothing:
                if timeLeft <= 0 { return requestTimedOut() }
                return desk.times.isOverdue(now: Clock.monotonic) ? queueTimedOut() : timedOut()
            }
        }
    }

    /// A limit for one wait for the client, in microseconds: no longer than the application's time; nil: the connection's own.
    func limitedByDeadline(_ limit: Int64?) -> Int64? {
        guard desk.times.requestEnd != nil else { return limit }
        return max(1000, min(limit ?? facts.timeout, timeLeft / 1000))
    }

    /// Limits a read from the client.
    func limitRead() -> ClientLimit? {
        guard let timeout = limitedByDeadline(nil) else { return nil }
        return ClientLimit(former: swsgi_client_timeout(request, timeout), since: Clock.monotonic)
    }

    /// The daemon process finds its socket closed: the exchange is cancelled, and what it still sends goes nowhere.
    mutating func requestTimedOut() -> Int32 {
        let limit = timeText(generation.groups[group].definition.options.deadlines.requestTimeout ?? 0)
        let hasBegun = state.phase != .waiting && !isAnswered && replacement == nil
        let answer = hasBegun ? "the connection was aborted" : "504"
        report(.requestTimeout, "no end within request-timeout=\(limit), \(answer)")
        answerWithoutTheBody()
        return abort(else: gatewayTimeout)
    }

    /// On a connection that it keeps, httpd would read the rest of the request body before it sends an error.
    func answerWithoutTheBody() {
        if facts.has_body != 0, !bodyHasEnded { swsgi_connection_close(request) }
    }
}
