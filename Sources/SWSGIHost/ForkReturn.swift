internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem

/// Where code of an application comes back to the host: a process that it has forked there must not go on as the host.
enum ForkReturn {
    /// Ends the calling process if it is such a one; costs one load otherwise.
    ///
    /// `work` says where it came back from.
    static func end(from work: @autoclosure () -> String) {
        guard ForkedProcess.isOne else { return }
        let text = "process \(getpid()), forked in process \(getppid()), has returned from \(work()) and is ended"
        ForkedProcess.end(Problem(.forkReturned, text).description)
    }
}
