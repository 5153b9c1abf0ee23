internal import SWSGIConfiguration

// A group that can't start a process is broken: its requests are answered 503 at once, by httpd's children, which see when
// the next attempt is due. It heals when a process is ready.
extension GroupMachine {
    /// What has been said of it.
    struct Trouble {
        /// When httpd's children have been told that the next attempt is due; nil: the group serves.
        var retryAt: Int64?
        /// Why the last process ended, or was not started.
        var cause = "no reason is known"
        var isLogged = false
    }

    /// When the next attempt is due, if nobody serves and the delay has grown beyond what a request may be let wait for.
    private var brokenUntil: Int64? {
        // A service has no requests to answer.
        guard phase == .running, !settings.isService, backoff.delay > Delays.restartKilledMax, !hasReady else {
            return nil
        }
        return backoff.until
    }

    private var hasReady: Bool { processes.contains { $0.isActive && $0.readyAt != nil } }

    /// Somebody has a request for code that has changed since: the next attempt is made at once.
    mutating func wanted(now: Int64) {
        guard trouble.retryAt != nil else { return }
        backoff.tryNow(now)
    }

    /// Tells what has changed.
    mutating func publish(now: Int64) {
        let until = brokenUntil
        if until != trouble.retryAt {
            trouble.retryAt = until
            actions.append(.broken(retryAt: until))
        }
        if let until, !trouble.isLogged {
            trouble.isLogged = true
            let text = "\(trouble.cause); requests are answered 503, the next attempt is in \(seconds(until - now))"
            actions.append(.log(.groupBroken, "group '\(settings.name)' has no process: \(text)"))
        } else if until == nil, trouble.isLogged, backoff.isClear, hasReady {
            trouble.isLogged = false
            actions.append(.log(.groupServes, "group '\(settings.name)': its processes serve again"))
        }
    }
}
