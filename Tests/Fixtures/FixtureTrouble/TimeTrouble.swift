import Glibc
import SWSGI

// What takes too long, in the way that the path says.
extension Trouble {
    /// - `/spin?ms=N` computes;
    /// - `/hold?until=FILE` waits until that file exists;
    /// - `/deadlock` waits for a lock that its own thread holds;
    /// - `/obedient` works until it is cancelled;
    /// - `/trickle` sends a line now and then, for ever;
    /// - `/nonce?ms=N&nonce=X` answers X after a while, whatever has become of the request;
    /// - `/blocked` is like `/sleep`, with all signals blocked.
    func time(_ path: String) throws -> Body? {
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        let milliseconds = query["ms"].flatMap { UInt32($0) } ?? 100_000
        switch path {
        case "/spin": spin(milliseconds)
        case "/hold":
            let file = query["until"] ?? ""
            while access(file, F_OK) != 0 { usleep(5000) }
        case "/deadlock": lockTwice()
        case "/obedient":
            while !environ.isCancelled { usleep(10_000) }
            environ.errors.log(.info, "was obedient")
            try environ.checkCancellation()
        case "/trickle":
            let write = startResponse("200 OK", plain)
            while true {
                try write("drop\n")
                usleep(20_000)
            }
        case "/nonce":
            usleep(milliseconds * 1000)
            return started(Body(query["nonce"] ?? ""))
        case "/blocked":
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            usleep(milliseconds * 1000)
        default: return nil
        }
        return started(["ok\n"])
    }
}

/// A computation, in a function that a backtrace can name.
@inline(never)
func spin(_ milliseconds: UInt32) {
    let end = clock() + Int(milliseconds) * CLOCKS_PER_SEC / 1000
    while clock() < end {}
}

@inline(never)
private func lockTwice() {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_mutex_lock(mutex)
    pthread_mutex_lock(mutex)
}
