// 308x and 409x: processes that are replaced or can't be started, and what that means for requests.
extension MessageCode {
    /// graceful-timeout and shutdown-timeout have passed.
    public static let drainKilled = MessageCode(
        3080,
        .warning,
        "A daemon process was killed with requests in it, as these took longer than graceful-timeout and shutdown-timeout.",
        cause:
            "It was being replaced. At graceful-timeout (eviction-timeout after SIGUSR1) its requests were cancelled; the ones that are named did not end all the same.",
        cure:
            "Raise graceful-timeout=, or let the application look at isCancelled in what takes long. The clients of these requests got 502."
    )
    /// rss-limit.
    public static let memoryReplaced = MessageCode(
        3081,
        .notice,
        "A daemon process has grown above rss-limit and is replaced.",
        cause: "The application keeps memory, or needs more than the limit allows.",
        cure:
            "Nothing is lost by it. When it happens often, look for what the application keeps, or raise rss-limit=."
    )

    /// graceful-timeout.
    public static let cancelledByDrain = MessageCode(
        4092,
        .error,
        "A request was cancelled, as its daemon process had to go (503).",
        cause: "The process was being replaced, and graceful-timeout or eviction-timeout had passed.",
        cure: "Raise that time if the request may take so long. The client may try again: the answer has Retry-After."
    )

    /// No process can be started.
    public static let groupBroken = MessageCode(
        3082,
        .error,
        "A process group has no process, and none can be started: its requests are answered 503.",
        cause: "The message names how the last attempt ended; the lines before say more.",
        cure:
            "Remove that reason. The next attempt is made after the delay, and at once for a request whose entry file has changed."
    )
    /// It has one again.
    public static let groupServes = MessageCode(
        3083,
        .notice,
        "A process group that could not serve has a process that stays.",
        cause: "The reason of the failure has been removed.",
        cure: "Nothing to do."
    )
    /// A request of a broken group.
    public static let brokenRefused = MessageCode(
        4093,
        .error,
        "The process group of this request has no process (503).",
        cause: "None can be started: see SWSGI3082. The line comes at most once in 15 seconds.",
        cure: "Remove the reason that SWSGI3082 names. The answer has Retry-After with the time of the next attempt."
    )

    /// RLIMIT_NOFILE.
    public static let descriptorsExhausted = MessageCode(
        3084,
        .error,
        "A daemon process has as many descriptors as it may, lost a request by it, and is replaced.",
        cause:
            "The application opens files or connections and does not close them, or the limit is low for what it does.",
        cure:
            "Look at what is open (ls -l /proc/PID/fd), or raise the limit: LimitNOFILE= of the service. The process takes no request while it has no room."
    )

    /// pthread_create.
    public static let threadsMissing = MessageCode(
        3085,
        .warning,
        "A daemon process has fewer request threads than it should have.",
        cause: "The user's limit of processes and threads, or memory, does not allow more.",
        cure:
            "Raise the limit (LimitNPROC= of the service, TasksMax=), or give fewer threads= or a smaller stack-size=. The next process tries again."
    )

    /// A replacement, or a process in the place of one that has ended.
    public static let newProcessRefused = MessageCode(
        3086,
        .error,
        "A new daemon process can't load an application that others of its group serve, and takes no work.",
        cause:
            "The entry file or bundle was changed, and can't be loaded as it is; a process was to be replaced, or had ended. The line before says why.",
        cure:
            "Repair the application. The processes that have its old code serve on, even when they are to be replaced; new ones are tried again with growing delay, up to 30 seconds, and when the entry file changes."
    )

    static let recycling: [MessageCode] = [
        drainKilled, memoryReplaced, groupBroken, groupServes, descriptorsExhausted, threadsMissing, newProcessRefused,
        cancelledByDrain, brokenRefused,
    ]
}
