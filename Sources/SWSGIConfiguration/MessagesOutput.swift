// 312x: what daemon processes write, read and handle on their own.
extension MessageCode {
    /// Lines that the error log did not take.
    public static let linesMissing = MessageCode(
        3120,
        .warning,
        "Lines of process groups are missing at this place of the error log.",
        cause:
            "The log took nothing for more than a second: its disk was full, or the program behind a piped log did not read. Processes don't wait longer than that for their log.",
        cure: "Make room, or look after the program; write less."
    )
    /// Standard output is closed to the application.
    public static let outputRestricted = MessageCode(
        3121,
        .warning,
        "An application wrote to its standard output, which WSGIRestrictStdout closes: what it wrote is dropped.",
        cause:
            "print(), or a library that reports to standard output; writing there fails from now on in this process.",
        cure: "Write to the request's error stream or to standard error, or set WSGIRestrictStdout Off."
    )
    /// Standard output below the log's level.
    public static let outputHidden = MessageCode(
        3123,
        .warning,
        "An application prints, and the LogLevel of its virtual host hides what it prints.",
        cause:
            "Standard output is logged at level info, and the usual LogLevel is warn. The line comes once for each process.",
        cure:
            "Set LogLevel wsgi:info, or write to the request's error stream or to standard error, whose lines are errors."
    )
    /// A signal handler of the application's was taken away.
    public static let handlerRemoved = MessageCode(
        3122,
        .warning,
        "An application installed a handler for a signal that is mod_swsgi's: the handler has been removed.",
        cause: "The application, or a library of it, calls sigaction() or signal().",
        cure:
            "Use the lifecycle callbacks, or set WSGIRestrictSignal Off: then the process may not react to signals as documented."
    )

    static let output: [MessageCode] = [linesMissing, outputRestricted, outputHidden, handlerRemoved]
}
