/// Settings of the Swift runtime's backtrace: the crashed thread, with file and line, to stderr, which we log.
public func backtraceSettings(_ program: String?) -> String {
    // The list can't quote a comma.
    guard let program, !program.contains(",") else { return "enable=no" }
    return
        "enable=yes,preset=friendly,color=no,interactive=no,sanitize=no,threads=crashed,registers=none,images=none,"
        + "limit=64,top=16,symbolicate=full,output-to=stderr,swift-backtrace=\(program)"
}
