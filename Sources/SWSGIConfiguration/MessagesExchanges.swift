// 406x: limits of a request's way to the application and back, set by options of WSGIDaemonProcess.
extension MessageCode {
    /// A client that does not read.
    public static let clientSlow = MessageCode(
        4060,
        .notice,
        "The client took nothing of the response within response-socket-timeout; its connection was aborted.",
        cause: "A client that has stopped reading, or a network that has.",
        cure: "Nothing, or raise response-socket-timeout= of the process group."
    )

    /// The bulkhead.
    public static let backlogFull = MessageCode(
        4061,
        .error,
        "The process group has as many requests as its threads and listen-backlog allow (503).",
        cause: "Requests come faster than the group answers them. The line comes at most once a second.",
        cure: "Make the application faster, or raise processes=, threads= or listen-backlog=."
    )

    /// queue-timeout.
    public static let queueTimeout = MessageCode(
        4062,
        .error,
        "No thread of the process group was free within queue-timeout (504).",
        cause: "Requests come faster than the group answers them. The application was not run for this one.",
        cure: "Make the application faster, or raise processes=, threads= or queue-timeout=."
    )
    /// header-buffer-size.
    public static let headerTooLong = MessageCode(
        4063,
        .error,
        "A response header is longer than header-buffer-size (500).",
        cause: "The message names the header, its size and the limit.",
        cure: "Send less in it, or raise header-buffer-size= of the process group. Clients and proxies have limits too."
    )
    /// Count and size.
    public static let headersTooMany = MessageCode(
        4064,
        .error,
        "A response has too many headers, or too long ones, to be taken at all.",
        cause: "The limits are 1000 headers, and 256 KiB with the reason phrase.",
        cure: "Send fewer: a header that grows without end, such as Set-Cookie in a loop, is the usual reason."
    )
    /// WSGISlowRequests.
    public static let slowRequest = MessageCode(
        4066,
        .notice,
        "A request took longer than WSGISlowRequests.",
        cause: "The message says how much of it was spent in the queue, and how much in the application.",
        cure: "Long in the queue: more threads. Long in the application: make it faster. The rest was for the client."
    )
    /// Options of one group that defeat each other.
    public static let optionsConflict = MessageCode(
        1040,
        .warning,
        "An option of WSGIDaemonProcess takes the effect from another one.",
        cause: "The message names both.",
        cure: "Remove one of them, or change its value."
    )

    static let exchanges: [MessageCode] = [
        clientSlow, backlogFull, queueTimeout, headerTooLong, headersTooMany, slowRequest, clientGone,
    ]
}
