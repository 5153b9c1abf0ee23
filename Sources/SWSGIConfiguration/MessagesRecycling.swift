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

    static let recycling: [MessageCode] = [drainKilled, memoryReplaced, cancelledByDrain]
}
