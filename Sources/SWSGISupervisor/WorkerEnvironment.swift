internal import SWSGIWire

/// The environment of a daemon process: made from nothing, so that nothing of httpd's can leak into it.
enum WorkerEnvironment {
    static func make(_ group: GroupPlan, backtrace: String?) -> [String] {
        [
            "PATH=/usr/local/bin:/usr/bin:/bin",
            "LANG=C.UTF-8",
            "HOME=\(group.userHome)",
            "USER=\(group.userName)",
            "LOGNAME=\(group.userName)",
            "SWIFT_BACKTRACE=\(backtraceSettings(backtrace))",
        ]
    }

    /// Settings of the Swift runtime's backtrace: the crashed thread, with file and line, to stderr, which we log.
    static func backtraceSettings(_ program: String?) -> String {
        // The list can't quote a comma.
        guard let program, !program.contains(",") else { return "enable=no" }
        return
            "enable=yes,preset=friendly,color=no,interactive=no,sanitize=no,threads=crashed,registers=none,images=none,"
            + "limit=64,top=16,symbolicate=full,output-to=stderr,swift-backtrace=\(program)"
    }
}
