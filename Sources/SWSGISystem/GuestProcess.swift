internal import CSWSGISystem
internal import Glibc

/// A process that belongs to somebody else, and that applications are loaded into: httpd's child, in embedded mode.
public enum GuestProcess {
    /// Threads whose work a crash can report.
    public static let threadLimit = Int(SWSGI_RUNNING_MAX)

    /// Makes way for the first bundle's runtime: the owner's handlers of fatal signals step aside until `finish`.
    public static func begin() { swsgi_guest_open() }

    /// The first bundle's runtime is there: from now on a crash is reported, and then handled as the owner does it.
    ///
    /// The report begins with `code`; the runtime's backtrace after it may take `seconds`. An `exit()` that a request calls is
    /// reported too, with `exitCode`. Once in a process.
    public static func finish(code: String, exitCode: String, backtraceSeconds seconds: UInt32) {
        swsgi_guest_close(seconds, code, exitCode)
    }

    /// Says what the calling thread, with this number, runs; both texts must live until `ended`.
    @inline(__always)
    public static func began(_ slot: Int, log: Int32, entryFile: UnsafePointer<CChar>, line: UnsafePointer<CChar>) {
        swsgi_guest_set(slot, log, entryFile, line)
    }

    /// The calling thread runs nothing of an application's any more.
    @inline(__always)
    public static func ended(_ slot: Int) { swsgi_guest_set(slot, -1, nil, nil) }

    /// Lets standard output go where standard error goes, line by line, when it goes nowhere: to /dev/null.
    public static func showOutput() {
        var output = stat()
        var null = stat()
        guard fstat(STDOUT_FILENO, &output) == 0, stat("/dev/null", &null) == 0, output.st_mode & S_IFMT == S_IFCHR,
            output.st_rdev == null.st_rdev
        else { return }
        dup2(STDERR_FILENO, STDOUT_FILENO)
        swsgi_line_buffering()
    }
}
