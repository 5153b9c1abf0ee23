internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem

// How long a client may take nothing of the response: response-socket-timeout, and no longer than the application's own time.
extension ClientResponse {
    /// The connection's own limit, and when this one began.
    struct ClientLimit {
        let former: Int64
        let since: Int64
    }

    /// Nanoseconds of request-timeout that are left; looks at the clock only with a limit.
    var timeLeft: Int64 { desk.times.requestEnd == nil ? .max : desk.times.timeLeft(now: Clock.monotonic) }

    /// Sets the limit of the process group, when it has one; costs no system call.
    func limitClient() -> ClientLimit? {
        guard let timeout = limitedByDeadline(options.responseSocketTimeout ?? options.socketTimeout) else {
            return nil
        }
        let former = swsgi_client_timeout(request, timeout)
        return former == timeout ? nil : ClientLimit(former: former, since: Clock.monotonic)
    }

    /// Sets the connection's own limit again; says so when the client has been given up.
    func restoreClient(_ limit: ClientLimit) {
        swsgi_client_timeout(request, limit.former)
        guard swsgi_connection_aborted(request) != 0,
            let timeout = options.responseSocketTimeout ?? options.socketTimeout,
            Clock.monotonic - limit.since >= timeout * 1000
        else { return }
        report(.clientSlow, "the client took nothing of the response for \(timeText(timeout))")
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
}
