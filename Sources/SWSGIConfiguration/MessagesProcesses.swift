// 3xxx: the life of the supervisor and of daemon processes.
extension MessageCode {
    /// A daemon process died.
    public static let processEnded = MessageCode(
        3001,
        .error,
        "A daemon process ended without being told to.",
        cause:
            "A crash of the application (see the backtrace before this line), exit() in it, or a signal from outside, such as the kernel's when memory is short. If the process could not load what it was started for, its own line before this one says why.",
        cure:
            "Mend the application. A new process is started at once; the requests that ran in this one were answered 502."
    )
    /// The supervisor died.
    public static let supervisorEnded = MessageCode(
        3002,
        .error,
        "The supervisor of the daemon processes ended without being told to.",
        cause: "Somebody's signal, or a fault of mod_swsgi.",
        cure: "A new one is started; daemon processes are replaced. Report it when nobody sent a signal."
    )
    /// A daemon process could not be started.
    public static let startFailed = MessageCode(
        3003,
        .error,
        "A daemon process could not be started.",
        cause: "The message names the step, the user and the system's reason.",
        cure:
            "Remove that reason: limits of processes, a missing program; for the working directory (home=), give the user search permission (x) on it and on every directory above."
    )
    /// Restarts are slowed down.
    public static let restartDelayed = MessageCode(
        3004,
        .error,
        "The processes of a group keep ending; the next one is started after a delay.",
        cause: "Each ended soon after its start.",
        cure: "See why they end in the lines before. The delay ends when one stays alive."
    )
    /// The supervisor could not be started.
    public static let supervisorStartFailed = MessageCode(
        3005,
        .critical,
        "The supervisor of the daemon processes could not be started.",
        cause: "The message names the step and the system's reason.",
        cure: "Remove that reason; it is tried again."
    )
    /// A reload has begun.
    public static let reloadStarted = MessageCode(
        3006,
        .notice,
        "An entry file has changed: the group's processes are being replaced.",
        cause: "A deployment.",
        cure: "Nothing to do."
    )
    /// A reload is complete.
    public static let reloadDone = MessageCode(
        3007,
        .notice,
        "All processes of the group run the new code.",
        cause: "A deployment.",
        cure: "Nothing to do."
    )
    /// A reload failed.
    public static let reloadFailed = MessageCode(
        3008,
        .error,
        "The new code of an application can't be loaded: the old code serves on, where a process has any.",
        cause:
            "See the line before this one. Where the code before could not be loaded either, requests are answered with 500.",
        cure: "Mend the deployment; the next change of the entry file is tried again."
    )
    /// A process had to be killed.
    public static let processKilled = MessageCode(
        3009,
        .warning,
        "A daemon process did not end in time and was killed.",
        cause: "It was told to end, and requests or clean-up took longer than shutdown-timeout.",
        cure: "Nothing when the requests' clients are gone anyway; otherwise look at what takes so long."
    )
    /// A process said something impossible.
    public static let processMisbehaved = MessageCode(
        3010,
        .error,
        "A daemon process sent something to the supervisor that it can't mean, and was killed.",
        cause: "The application writes to descriptors that are not its own.",
        cure: "Mend the application."
    )
    /// A process closed its control socket.
    public static let processSilent = MessageCode(
        3011,
        .error,
        "A daemon process closed its socket to the supervisor, and was killed.",
        cause: "The application closes descriptors that are not its own.",
        cure: "Mend the application."
    )
    /// The plan is unreadable, or something else stops the supervisor.
    public static let supervisorFailed = MessageCode(
        3012,
        .critical,
        "The supervisor can't work.",
        cause: "The message names the step and the system's reason.",
        cure: "Remove that reason; httpd starts it again."
    )
    /// A group's queue could not be made.
    public static let queueFailed = MessageCode(
        3013,
        .critical,
        "The queues of the process groups could not be made, or not be handed to the supervisor: httpd does not start.",
        cause:
            "Too few open files, or too little memory. Each group needs three of httpd's parent, besides those of its host's logs, and its processes three each of the supervisor. The line says how many are needed.",
        cure:
            "Raise the limit of open files of httpd's parent to that number: LimitNOFILE= of a systemd unit, APACHE_ULIMIT_MAX_FILES of Debian, --ulimit nofile= of a container. The supervisor raises its own soft limit to the hard one."
    )
    /// A worker can't set itself up.
    public static let setupFailed = MessageCode(
        3014,
        .error,
        "A daemon process could not set itself up.",
        cause: "The message names the step and the system's reason.",
        cure: "Remove that reason."
    )

    /// httpd's parent died.
    public static let parentDied = MessageCode(
        3021,
        .error,
        "httpd's parent has died, and a child of it ends for that reason.",
        cause:
            "SIGKILL from an administrator, from the kernel when memory is short, or a crash of the parent. httpd's children would work on without it, and keep the port from the next start.",
        cure:
            "Start httpd again: the port is free at once, and running requests still end, within GracefulShutdownTimeout, or twice the largest shutdown-timeout where that is not set. httpd's own lines of a failing accept belong to it."
    )

    /// Root is less than root.
    public static let capabilityMissing = MessageCode(
        3022,
        .error,
        "httpd's root lacks a capability that process groups need.",
        cause:
            "A container or a service manager has taken it away; the line names it, and what does not work without it.",
        cure:
            "Give it back: --cap-add= of a container, CapabilityBoundingSet= of a systemd unit. Groups with a user of their own need CHOWN, DAC_OVERRIDE, KILL, SETGID and SETUID; chroot= needs SYS_CHROOT, and a negative cpu-priority= SYS_NICE."
    )

    /// A thread of the host's was ended by the application.
    public static let threadEnded = MessageCode(
        3023,
        .error,
        "An application has ended a request thread of its daemon process (500); another thread takes its place.",
        cause: "It, or a library of it, calls pthread_exit, or pthread_cancel for a thread that is not its own.",
        cure: "Let the function that answers the request return instead; the line names the request."
    )
    /// A fork came back.
    public static let forkReturned = MessageCode(
        3024,
        .error,
        "The application forked a process that came back from the application as its parent does; that process is ended.",
        cause:
            "fork() without exec: in the new process nothing of the host works. Its answer would have been the second one to the same request.",
        cure:
            "Let the new process execute a program, or end with _exit(); posix_spawn and Foundation's Process do the former."
    )

    static let processes: [MessageCode] = [
        processEnded, supervisorEnded, startFailed, restartDelayed, supervisorStartFailed, reloadStarted, reloadDone,
        reloadFailed, processKilled, processMisbehaved, processSilent, supervisorFailed, queueFailed, setupFailed,
        parentDied, capabilityMissing, threadEnded, forkReturned,
    ]
}
