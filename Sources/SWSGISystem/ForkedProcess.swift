internal import CSWSGISystem
internal import Glibc

/// A process that an application has forked: nothing of the host works in it but exec and the end.
public enum ForkedProcess {
    /// From now on `isOne` tells, and a fork closes the copies of reply sockets, which are the former process's to answer.
    public static func watch() throws(Errno) {
        _ = try check(swsgi_forks_watch())
    }

    /// Whether the calling process is one.
    public static var isOne: Bool { swsgi_is_copy() != 0 }

    /// Ends it with a line on standard error, which may be all that works.
    public static func end(_ line: String) -> Never {
        var text = line + "\n"
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        _exit(70)
    }
}
