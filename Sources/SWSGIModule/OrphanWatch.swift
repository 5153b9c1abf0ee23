internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem

/// Ends a child of httpd whose parent has died without ending it, as by SIGKILL: httpd's own children would work on for ever,
/// and keep the port from the next start.
///
/// A thread that waits for nothing else. The port becomes free at once, for all children together: the first one that shuts the
/// listening sockets down does it for every process that has them. httpd's listener thread takes the failing accept for a
/// shortage and ends its process gracefully; what runs goes on until it has ended, or until the time is over.
enum OrphanWatch {
    /// How often the main thread is waked, which looks whether its process is to end only then; microseconds.
    private static let pause: UInt32 = 50_000
    private static let stack = 128 * 1024

    /// Watches process `pid`, the parent of this one; running requests have so many microseconds once it has died.
    static func begin(_ pid: Int32, limit: Int64) {
        // Too few descriptors, or a kernel without pidfd_open: then the child lives on, as httpd's children do.
        guard let watched = try? ProcessWatch.descriptor(of: pid) else {
            if getppid() != pid { exit(0) }
            return
        }
        let number = watched.release()
        // httpd lets signals into its main thread alone.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try? startThread(stack: stack) {
            var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            while poll(&polled, 1, -1) <= 0 {}
            leave(pid, limit: limit)
        }
    }

    private static func leave(_ pid: Int32, limit: Int64) {
        let end = Clock.monotonic.addingReportingOverflow(limit &* 1000).partialValue
        if let server = swsgi_main_server() {
            let text =
                "httpd's parent (pid \(pid)) has died: this child ends after its requests, within \(timeText(limit))"
            log(Problem(.parentDied, text), server)
        }
        for name in SnapshotDirectory.names(in: "/proc/self/fd") {
            if let number = Int32(name), Socket.listens(number) { shutdown(number, Int32(SHUT_RDWR)) }
        }
        let isThreaded = swsgi_child_facts_get().is_threaded != 0
        // What httpd's parent would send: prefork's child ends after its connection, and the others look what their threads say.
        if !isThreaded { kill(getpid(), SIGUSR1) }
        while Clock.monotonic < end {
            if isThreaded { kill(getpid(), SIGTERM) }
            usleep(pause)
        }
        _exit(0)
    }
}
