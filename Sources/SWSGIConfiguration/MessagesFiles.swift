// 414x: files that applications hand over to httpd.
extension MessageCode {
    /// EACCES.
    public static let fileDenied = MessageCode(
        4140,
        .warning,
        "A file that an application wanted to send can't be read by the user it runs as (403).",
        cause:
            "Permissions of the file, or of a directory above it. The user is the process group's, and httpd's own in embedded mode.",
        cure: "Give that user read permission (r) on the file and search permission (x) on every directory above it."
    )
    /// Neither missing nor denied.
    public static let fileFailed = MessageCode(
        4141,
        .error,
        "A file that an application wanted to send can't be opened, or has not got the part that it asked for (500).",
        cause: "The message has the system's reason: too many open files, a loop of links, a failing disk.",
        cure: "Remove that reason; a part that is not there is a mistake of the application."
    )

    static let files: [MessageCode] = [fileDenied, fileFailed]
}
