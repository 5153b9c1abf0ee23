internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem

// request-timeout: the application's time for one request, counted from the moment at which a daemon process took it.
extension Relay {
    /// Watches the client too, as nothing has come for a moment, for so many microseconds at most; gives the status when the
    /// exchange is over.
    mutating func wait(_ channel: inout ReplyChannel, _ microseconds: Int64) -> Int32? {
        let end = desk.times.earlier(of: Clock.monotonic + microseconds * 1000)
        while true {
            switch client.wait(for: channel.socket, until: end) {
            case .reply: return nil
            case .clientHasFinished:
                response.isCancelled = true
                channel.cancel()
            case .clientHasGone:
                return response.leave("nobody waits for the application")
            case .nothing:
                if response.timeLeft <= 0 { return requestTimedOut() }
                return desk.times.isOverdue(now: Clock.monotonic) ? queueTimedOut() : timedOut()
            }
        }
    }

    /// The daemon process finds its socket closed: the exchange is cancelled, and what it still sends goes nowhere.
    mutating func requestTimedOut() -> Int32 {
        let limit = timeText(generation.groups[group].requestTimeout ?? 0)
        let hasBegun = response.state.phase != .waiting && !response.isAnswered && response.replacement == nil
        let answer = hasBegun ? "the connection was aborted" : "504"
        response.report(.requestTimeout, "no end within request-timeout=\(limit), \(answer)")
        answerWithoutTheBody()
        return response.abort(else: gatewayTimeout)
    }

    /// On a connection that it keeps, httpd would read the rest of the request body before it sends an error.
    func answerWithoutTheBody() {
        if facts.has_body != 0, !bodyHasEnded { swsgi_connection_close(request) }
    }
}
