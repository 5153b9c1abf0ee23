internal import CSWSGISystem
internal import Glibc

/// The thread of a daemon process that listens to its supervisor and to signals.
public enum ControlThread {
    /// What ended a wait.
    public enum Event: Equatable, Sendable {
        /// The descriptor is readable.
        case readable
        /// Somebody sent this signal to the process.
        case signal(UInt8)
        /// Another thread waked us, or the time is over.
        case nothing
    }

    /// Makes the calling thread the control thread: SIGTERM, SIGINT, SIGUSR1, SIGXCPU, SIGHUP and SIGUSR2 reach nobody else.
    public static func begin() throws(Errno) {
        _ = try check(swsgi_control_thread())
    }

    /// Makes the calling thread one like others again, before another one becomes the control thread: signals reach it.
    public static func leave() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGUSR1, SIGXCPU, SIGHUP, SIGUSR2] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Waits for the descriptor, a signal, another thread or the end of `milliseconds` (negative: for ever).
    public static func wait(_ descriptor: Int32, milliseconds: Int32) -> Event {
        switch swsgi_control_wait(descriptor, milliseconds) {
        case 0: .readable
        case let number where number > 0: .signal(UInt8(clamping: number))
        default: .nothing
        }
    }

    /// Wakes the control thread.
    public static func wake() {
        swsgi_wake(0)
    }

    /// Ends a waiting call of another thread with EINTR; nothing happens when it has ended.
    public static func interrupt(_ thread: Int32) {
        swsgi_wake(thread)
    }

    /// The calling thread, for `interrupt`.
    public static var current: Int32 { swsgi_thread_number() }
}

/// The calling process itself.
public enum CurrentProcess {
    /// Sets the name in process lists: without it that would be of the link that the program was executed by.
    public static func setName(_ name: StaticString) {
        guard let file = try? Descriptor.open("/proc/self/comm", O_WRONLY) else { return }
        _ = write(file.number, name.utf8Start, name.utf8CodeUnitCount)
    }

    /// Shows a title in process lists instead of the program's name and arguments.
    public static func setTitle(_ title: String) {
        swsgi_process_title(CommandLine.argc, CommandLine.unsafeArgv, title)
    }

    /// Lets standard output leave line by line although it is no terminal.
    public static func bufferOutputByLine() {
        swsgi_line_buffering()
    }

    /// Limits the processor time: SIGXCPU after `seconds`, SIGKILL after `most`.
    public static func limitProcessorTime(_ seconds: UInt32, most: UInt32) throws(Errno) {
        var limit = rlimit(rlim_cur: rlim_t(seconds), rlim_max: rlim_t(most))
        guard setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit) == 0 else { throw .last }
    }

    /// Writes what standard output holds back and ends the process at once.
    public static func end(_ status: Int32) -> Never {
        swsgi_end(status)
    }
}

/// Starts a thread that runs `body` and ends; nobody waits for it.
///
/// `stack` is the bytes of its stack; 0: the system's default. When something in `body` ends the thread (pthread_exit), `lost` is
/// called on what is left of it.
public func startThread(
    stack: Int = 0,
    _ body: @escaping @Sendable () -> Void,
    lost: (@Sendable () -> Void)? = nil
) throws(Errno) {
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    if stack > 0 {
        let failure = pthread_attr_setstacksize(&attributes, stack)
        guard failure == 0 else { throw Errno(failure) }
    }
    let box = Unmanaged.passRetained(ThreadBox(body, lost))
    let result = pthread_create(
        &thread,
        &attributes,
        { argument in
            guard let argument else { return nil }
            let box = Unmanaged<ThreadBox>.fromOpaque(argument)
            if box.takeUnretainedValue().lost != nil { pthread_setspecific(lostKey, argument) }
            box.takeUnretainedValue().body()
            pthread_setspecific(lostKey, nil)
            box.release()
            return nil
        },
        box.toOpaque()
    )
    guard result == 0 else {
        box.release()
        throw Errno(result)
    }
    pthread_detach(thread)
}

/// What a thread runs.
private final class ThreadBox {
    let body: @Sendable () -> Void
    let lost: (@Sendable () -> Void)?

    init(_ body: @escaping @Sendable () -> Void, _ lost: (@Sendable () -> Void)?) {
        self.body = body
        self.lost = lost
    }
}

/// Its destructor runs where a thread ends before its body has returned: that clears the value.
private let lostKey: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { value in
        guard let value else { return }
        Unmanaged<ThreadBox>.fromOpaque(value).takeRetainedValue().lost?()
    }
    return key
}()
