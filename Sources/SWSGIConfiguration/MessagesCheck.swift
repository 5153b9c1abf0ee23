// 12xx: what `apachectl configtest` and a start find doubtful besides the directives themselves.
extension MessageCode {
    /// A group that can become root.
    public static let groupPowerful = MessageCode(
        1200,
        .warning,
        "A process group has a group of the system that is as good as root.",
        cause: "Members of groups such as shadow, disk, docker or sudo can read or change what root alone should.",
        cure: "Choose another group= or supplementary-groups=, or take the user out of that group."
    )
    /// A user of the operating system.
    public static let userOfSystem = MessageCode(
        1201,
        .warning,
        "A process group runs as a user of the operating system.",
        cause: "Its uid is below 100, or nobody's: programs and files of the system belong to it too.",
        cure: "Create a user for the application, with adduser --system, and name it with user=."
    )
    /// Every address is a proxy's.
    public static let everybodyTrusted = MessageCode(
        1202,
        .warning,
        "WSGITrustedProxies names a network of all addresses: every client is believed.",
        cause: "0.0.0.0/0 and ::/0 have no bits to compare.",
        cure: "Name the addresses of the proxies."
    )
    /// Two headers for one thing.
    public static let headersRival = MessageCode(
        1203,
        .notice,
        "WSGITrustedProxyHeaders names two headers that say the same.",
        cause:
            "The first of them that a request has is used. A proxy that sets only the other one passes this one on as a client wrote it.",
        cure: "Name the one that the proxy sets."
    )
    /// Two modules of one name.
    public static let moduleTwice = MessageCode(
        1204,
        .error,
        "Two modules are loaded as wsgi_module.",
        cause: "mod_swsgi and Python's mod_wsgi have the same name and directives; httpd would use the first alone.",
        cure: "Remove one LoadModule line, such as with a2dismod wsgi. For both, run two servers."
    )
    /// A Python script.
    public static let entryPython = MessageCode(
        1205,
        .error,
        "An entry file is a Python script.",
        cause: "The configuration was mod_wsgi's, and its application has not been put in the place of the script.",
        cure:
            "Point the directive at a Swift bundle, or at an entry file that names one: 'bundle = libYourApplication.so'."
    )
    /// A working directory that can't be one.
    public static let directoryDoubtful = MessageCode(
        1206,
        .warning,
        "The working directory of a process group can't be entered by its user: its processes will not start.",
        cause: "home= (or the user's own home) does not exist, or its permissions or those above it exclude the user.",
        cure: "Give the user search permission (x) on it and on every directory above, or choose another home=."
    )
    /// No check.
    public static let checkFailed = MessageCode(
        1207,
        .warning,
        "The check of entry files and directories could not be made, or did not finish.",
        cause:
            "The program beside the module can't be started, or a file system does not answer. The message says which.",
        cure: "See what the message names; the server itself does not need the check."
    )
    /// Out of httpd's reach.
    public static let entryFileHidden = MessageCode(
        1208,
        .warning,
        "httpd's own user can't reach the target of an alias: its requests will be answered 403.",
        cause: "httpd's children look for the file before its process group gets the request.",
        cure:
            "Give httpd's user search permission (x) on every directory above the file; it needs no right to read the file."
    )

    /// A choice without limits.
    public static let groupUnrestricted = MessageCode(
        1209,
        .notice,
        "A variable chooses the process group of requests, and no WSGIRestrictProcess limits the choice.",
        cause:
            "Variables may hold what a client has sent. A request can get every process group that its virtual host may use, and no other.",
        cure: "List the groups that are meant with WSGIRestrictProcess."
    )
    /// 403 for everybody.
    public static let aliasDenied = MessageCode(
        1211,
        .warning,
        "Require all denied counts for the entry file of an alias: httpd answers all its requests with 403.",
        cause:
            "Debian's apache2.conf denies everything below / and grants /var/www and /usr/share again. Elsewhere a section must grant access itself. Order and Allow of mod_access_compat don't do that: both they and Require must let a request pass.",
        cure:
            "Write Require all granted in the <Directory> of the entry file, in place of Order and Allow or before them."
    )

    static let check: [MessageCode] = [
        groupPowerful, userOfSystem, everybodyTrusted, headersRival, moduleTwice, entryPython, directoryDoubtful,
        checkFailed, entryFileHidden, groupUnrestricted, aliasDenied,
    ]
}
