internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGISystem

// response-socket-timeout: how long a client may take nothing of the response.
extension Relay {
    /// The connection's own limit, and when this one began.
    struct ClientLimit {
        let former: Int64
        let since: Int64
    }

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
}
