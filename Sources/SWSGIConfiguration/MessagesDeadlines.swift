// Requests and processes that take too long.
extension MessageCode {
    /// request-timeout, as httpd sees it.
    public static let requestTimeout = MessageCode(
        4070,
        .error,
        "A request took longer than request-timeout (504).",
        cause:
            "The application works for too long, waits for something that does not come, or its client takes the response too slowly. The daemon process says where the thread was: SWSGI3100.",
        cure: "See the backtrace after SWSGI3100. Mend the application, or raise request-timeout= of the process group."
    )
    /// request-timeout, as the daemon process sees it.
    public static let threadLate = MessageCode(
        3100,
        .error,
        "A request thread has been at work on one request for longer than request-timeout.",
        cause: "The lines after this one say where in the code the thread was at that moment.",
        cure: "Mend what it waits for or computes there. A long computation should look at isCancelled now and then."
    )
    /// interrupt-timeout.
    public static let threadStuck = MessageCode(
        3101,
        .error,
        "A request thread has not come back after request-timeout and interrupt-timeout: its process is replaced.",
        cause: "A thread can't be ended. The process serves on with its other threads until the new one is ready.",
        cure: "As for SWSGI3100."
    )
    /// The end of a process with threads that don't come back.
    public static let endsWithStuckThreads = MessageCode(
        3102,
        .warning,
        "A daemon process has ended with request threads that had not come back.",
        cause:
            "It was told to end, and had nothing else to do; their clients had been answered 504 already. The application's stopping function was not called.",
        cure: "As for SWSGI3100."
    )
    /// deadlock-timeout.
    public static let processUnresponsive = MessageCode(
        3103,
        .error,
        "A daemon process did not answer its supervisor within deadlock-timeout, and was killed.",
        cause:
            "It was stopped (SIGSTOP), the machine has no processor time for it, or the application stands in the way of mod_swsgi's own thread.",
        cure:
            "A new process is started at once. When nobody stopped it: look for what the application does to all threads."
    )

    static let deadlines: [MessageCode] = [
        requestTimeout, threadLate, threadStuck, endsWithStuckThreads, processUnresponsive,
    ]
}
