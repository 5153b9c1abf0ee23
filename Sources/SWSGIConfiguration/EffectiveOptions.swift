extension DaemonProcessOptions {
    /// Every option with the value that it has, given or by default, in the order of the manual.
    public var effective: [(name: String, value: String)] {
        [
            ("user", user ?? "httpd's"), ("group", group ?? (user == nil ? "httpd's" : "the user's")),
            ("processes", processesMax == processes ? "\(processes)" : "\(processes)-\(processesMax)"),
            ("threads", "\(threads)"), ("home", home ?? "default"),
            ("umask", umask.map { "0" + String($0, radix: 8) } ?? "httpd's"),
            ("display-name", displayName ?? "default"),
            ("startup-timeout", "\(startupTimeout)s"), ("shutdown-timeout", "\(shutdownTimeout)s"),
        ] + exchange.effective + deadlines.effective + recycling.effective + surroundings.effective
    }
}

private typealias Pairs = [(name: String, value: String)]

/// A limit that 0 or nil turns off.
private func limit(_ time: Int64?) -> String { time.map { $0 == 0 ? "none" : timeText($0) } ?? "none" }

/// A time that may be none at all.
private func time(_ time: Int64) -> String { time == 0 ? "0" : timeText(time) }

private func size(_ bytes: Int64?, _ otherwise: String = "none") -> String {
    guard let bytes, bytes > 0 else { return otherwise }
    for (shift, suffix) in [(30, "G"), (20, "M"), (10, "K")] where bytes % (1 << shift) == 0 {
        return "\(bytes >> shift)\(suffix)"
    }
    return "\(bytes)"
}

extension ExchangeOptions {
    fileprivate var effective: Pairs {
        let socket = socketTimeout.map(timeText) ?? "httpd's Timeout"
        return [
            ("socket-timeout", socket), ("response-socket-timeout", responseSocketTimeout.map(timeText) ?? socket),
            ("listen-backlog", "\(listenBacklog)"), ("connect-timeout", time(connectTimeout)),
            ("queue-timeout", limit(queueTimeout)), ("send-buffer-size", size(sendBuffer, "the system's")),
            ("receive-buffer-size", size(receiveBuffer, "the system's")),
            ("header-buffer-size", size(headerBuffer)), ("response-flush-delay", time(responseFlushDelay)),
            ("response-buffer-size", size(responseBuffer)), ("inactivity-timeout", limit(inactivityTimeout)),
        ]
    }
}

extension DeadlineOptions {
    fileprivate var effective: Pairs {
        [
            ("request-timeout", limit(requestTimeout)), ("interrupt-timeout", time(interruptTimeout)),
            ("deadlock-timeout", limit(deadlockTimeout)),
        ]
    }
}

extension RecyclingOptions {
    fileprivate var effective: Pairs {
        let graceful = gracefulTimeout.map(time) ?? "none"
        return [
            ("graceful-timeout", graceful), ("eviction-timeout", evictionTimeout.map(timeText) ?? graceful),
            ("maximum-requests", maximumRequests == 0 ? "none" : "\(maximumRequests)"),
            ("maximum-requests-jitter", "\(maximumRequestsJitter)"),
            ("restart-interval", limit(restartInterval)), ("restart-interval-jitter", time(restartIntervalJitter)),
            ("cpu-time-limit", cpuTimeLimit == 0 ? "none" : "\(cpuTimeLimit)s"), ("rss-limit", size(rssLimit)),
        ]
    }
}

extension SurroundingsOptions {
    fileprivate var effective: Pairs {
        [
            ("supplementary-groups", supplementaryGroups?.joined(separator: ",") ?? "the user's"),
            ("cpu-priority", cpuPriority == 0 ? "httpd's" : "\(cpuPriority)"), ("lang", lang ?? "C.UTF-8"),
            ("locale", locale ?? "none"), ("stack-size", size(stackSize, "the system's")),
            ("memory-limit", size(memoryLimit)), ("virtual-memory-limit", size(virtualMemoryLimit)),
            ("environment-file", environmentFile ?? "none"), ("chroot", chroot ?? "none"),
            ("script-user", scriptUser ?? "any"), ("script-group", scriptGroup ?? "any"),
        ]
    }
}
