internal import CSWSGISystem
internal import Glibc

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable, CustomStringConvertible {
    /// It called exit, or returned from main.
    case exited(Int32)
    /// A signal ended it.
    case signalled(Int32)

    /// From the status that wait reports.
    public init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }

    /// For a log line: "exited with status 3", "was ended by signal 9 (SIGKILL)".
    public var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .signalled(let number): "was ended by signal \(number) (\(signalName(number)))"
        }
    }
}

/// The name of a signal, as in "SIGSEGV".
public func signalName(_ number: Int32) -> String {
    guard let name = swsgi_signal_name(number) else { return "signal \(number)" }
    return "SIG" + String(cString: name)
}

/// Watching processes.
public enum ProcessWatch {
    /// A descriptor that becomes readable when process `pid` ends.
    public static func descriptor(of pid: Int32) throws(Errno) -> Descriptor {
        Descriptor(owning: try check(swsgi_pidfd_open(pid)))
    }

    /// Collects one child that has ended, without waiting.
    ///
    /// What is left of its process group is killed first when `ownsGroup` says so: while the child has not been collected,
    /// its number can't belong to anybody else. `status` is what wait reported, as it came.
    public static func reap(
        ownsGroup: (Int32) -> Bool = { _ in false }
    ) -> (pid: Int32, end: ProcessEnd, status: Int32)? {
        var info = siginfo_t()
        guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return nil }
        let ended = info._sifields._sigchld.si_pid
        guard ended > 0 else { return nil }
        if ownsGroup(ended) { kill(-ended, SIGKILL) }
        var status: Int32 = 0
        guard waitpid(ended, &status, WNOHANG) == ended else { return nil }
        return (ended, ProcessEnd(waitStatus: status), status)
    }
}

/// Processes that were started by our children and detached themselves.
public enum Orphans {
    /// Makes them our children when their parents end.
    public static func adopt() {
        swsgi_adopt_orphans()
    }

    /// Kills all children that are left, and those that become ours by that; gives up after so many nanoseconds.
    ///
    /// A child's number can't belong to anybody else before it has been collected.
    public static func kill(within limit: Int64) {
        let end = Clock.monotonic + limit
        while Clock.monotonic < end {
            while ProcessWatch.reap() != nil {}
            let children = Self.children()
            if children.isEmpty { return }
            for child in children { Glibc.kill(child, SIGKILL) }
            usleep(5000)
        }
    }

    private static func children() -> [Int32] {
        guard let list = try? Descriptor.open("/proc/thread-self/children", O_RDONLY) else { return [] }
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        let count = read(list.number, &bytes, bytes.count)
        return bytes.prefix(max(count, 0)).split(separator: UInt8(ascii: " ")).compactMap {
            Int32(String(decoding: $0, as: UTF8.self))
        }
    }
}

/// What a daemon process does when a fatal signal comes.
public enum CrashHandlers {
    /// How many exchanges can be reported.
    public static let runningLimit = Int(SWSGI_RUNNING_MAX)

    /// Puts handlers before those of the Swift runtime: end the running exchanges, send `record` with the signal's number
    /// at `signalOffset` to `control`, let the backtrace be written for at most `seconds`, die of the signal.
    public static func install(
        control: Int32,
        record: [UInt8],
        signalOffset: Int,
        seconds: UInt32
    ) throws(Errno) {
        _ = try check(swsgi_crash_handlers_install(control, record, record.count, signalOffset, seconds))
    }

    /// Tells the crash handler what thread `slot` is running: both texts must live until `ended(slot:)`.
    @inline(__always)
    public static func began(slot: Int, reply: Int32, entryFile: UnsafePointer<CChar>, line: UnsafePointer<CChar>) {
        swsgi_running_set(slot, reply, entryFile, line)
    }

    /// Takes the reply socket of thread `slot` out of the crash handler's hands; false: that has ended it.
    ///
    /// To be called before the socket goes back to httpd, which may use it for another exchange, of another process, at once.
    @inline(__always)
    public static func handOver(slot: Int) -> Bool {
        swsgi_running_hand_over(slot) != 0
    }

    /// Tells the crash handler that thread `slot` runs nothing; false: that ends its reply socket, which must stay open.
    @inline(__always)
    public static func ended(slot: Int) -> Bool {
        swsgi_running_end(slot) != 0
    }

    /// Ends every running exchange, as the crash handler does.
    public static func endExchanges() {
        swsgi_running_shut_down()
    }

    /// The request line that thread `slot` runs, as far as it can be read; nil: it runs nothing.
    public static func runningLine(slot: Int) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { line in
            guard let start = line.baseAddress, swsgi_running_line(slot, start, line.count) != 0 else { return nil }
            return String(cString: start)
        }
    }

    /// Tells the crash handler that thread `slot` may take an exchange, or holds one that it has not called `began` for.
    ///
    /// To be told before `hasCrashed` is asked, so that either side sees the other; `thread` 0 is the end of it.
    @inline(__always)
    public static func waiting(slot: Int, thread: Int32) {
        swsgi_waiting_set(slot, thread)
    }

    /// Whether another thread of this process has crashed: no more exchanges are to be taken.
    @inline(__always)
    public static var hasCrashed: Bool { swsgi_has_crashed() != 0 }

    /// Gives the calling thread a stack of its own for signal handlers.
    public static func prepareThread() throws(Errno) {
        _ = try check(swsgi_signal_stack_install())
    }
}

extension ProcessWatch {
    /// Bytes of memory that a process has in use now; nil: it has gone.
    public static func residentMemory(of pid: Int32) -> Int64? {
        guard let text = try? Memory.readStream("/proc/\(pid)/statm", limit: 4096) else { return nil }
        let fields = text.split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int64(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
