// Embedded mode: applications in httpd's own children.
extension MessageCode {
    /// A group that nothing names.
    public static let groupUnused = MessageCode(
        1170,
        .warning,
        "A WSGIDaemonProcess defines a process group that nothing names, and entry files have none.",
        cause:
            "WSGIDaemonProcess alone gives its group no requests. Requests without a process group run in httpd's own children: its user=, its limits and its deadlines do not hold for them.",
        cure:
            "Name it with WSGIProcessGroup, or with process-group= of WSGIScriptAlias; or remove WSGIDaemonProcess when embedded mode is meant."
    )
    /// WSGIRestrictEmbedded, and entry files without a group.
    public static let embeddedConflict = MessageCode(
        1171,
        .warning,
        "WSGIRestrictEmbedded is On, and an entry file has no process group: its requests are answered 500.",
        cause:
            "WSGIScriptAlias names an entry file for which neither its own option nor WSGIProcessGroup names a group.",
        cure: "Give it a process group; or set WSGIRestrictEmbedded Off."
    )
    /// No place for snapshots.
    public static let embeddedPlace = MessageCode(
        1172,
        .warning,
        "There is no place for the snapshots of embedded mode: requests without a process group are answered 500.",
        cause: "httpd's children need a directory that is theirs, in a file system that allows files to be executed.",
        cure: "See the reason in the line; set DefaultRuntimeDir to a directory that can have it, or use daemon mode."
    )
    /// An import into embedded mode, which is refused.
    public static let importRestricted = MessageCode(
        1210,
        .warning,
        "WSGIRestrictEmbedded is On, and WSGIImportScript names %{GLOBAL}: nothing is imported.",
        cause: "%{GLOBAL} is embedded mode, which the other directive refuses.",
        cure: "Name a process group; or set WSGIRestrictEmbedded Off."
    )
    /// An entry file that changes the process.
    public static let processWide = MessageCode(
        2060,
        .error,
        "An entry file wants to change the process that it is loaded into, which in embedded mode is httpd's own.",
        cause:
            "'directory' and 'environment.NAME' hold for a whole process: for httpd, its other modules, and all other applications in it. Neither can be changed safely while its threads run.",
        cure: "Remove them and use absolute paths; or run the application in a process group."
    )
    /// A reload that failed.
    public static let embeddedReloadFailed = MessageCode(
        2061,
        .error,
        "An entry file has changed, and what it names can't be loaded: the former code serves on in this child of httpd.",
        cause: "The line before says why.",
        cure: "Repair it: the next change of the entry file is tried again. Until then nothing is lost."
    )
    /// WSGIRestrictEmbedded.
    public static let embeddedRestricted = MessageCode(
        4100,
        .error,
        "The request has no process group, and WSGIRestrictEmbedded allows no embedded mode (500).",
        cause: "Neither WSGIProcessGroup nor process-group= names a group for it, or it is %{GLOBAL}.",
        cure: "Name a group that a WSGIDaemonProcess defines; or set WSGIRestrictEmbedded Off."
    )
    /// No place at request time.
    public static let embeddedUnavailable = MessageCode(
        4101,
        .error,
        "The request has no process group, and this child of httpd can't run applications itself (500).",
        cause: "It has no directory of its own for snapshots; a line at the start of the child, or of httpd, says why.",
        cure: "See SWSGI1172; or give the request a process group."
    )
    /// A crash in httpd's child.
    public static let embeddedCrash = MessageCode(
        4110,
        .critical,
        "A child of httpd was ended by a fatal signal while it ran an application in embedded mode.",
        cause:
            "A Swift trap, or a fault of memory, in the application. The line names the request and the entry file; the backtrace after it, the place in the code. All requests of that child are lost with it.",
        cure:
            "Correct the application. In daemon mode a crash costs its own process only, and the client gets an answer."
    )

    /// exit() in httpd's child.
    public static let embeddedExit = MessageCode(
        4125,
        .critical,
        "An application called exit() in embedded mode: a child of httpd has ended, with all of its requests.",
        cause:
            "exit() ends the whole process, which in embedded mode is httpd's own. Connections of that child close without an answer.",
        cure: "Remove the call; or run the application in a process group, where it ends its own process only."
    )

    static let embedded: [MessageCode] = [
        groupUnused, embeddedConflict, embeddedPlace, importRestricted, processWide, embeddedReloadFailed,
        embeddedRestricted,
        embeddedUnavailable,
        embeddedCrash, embeddedExit,
    ]
}
