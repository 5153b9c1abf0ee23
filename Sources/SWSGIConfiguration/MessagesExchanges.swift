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

    static let exchanges: [MessageCode] = [clientSlow, backlogFull]
}
