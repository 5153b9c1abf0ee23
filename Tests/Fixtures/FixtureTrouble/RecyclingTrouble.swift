import Glibc
import SWSGI

extension Trouble {
    /// What uses up a process.
    func use(_ path: String) -> Body? {
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        switch path {
        case "/pid": return started([String(getpid())])
        case "/spin": spin(milliseconds: query["ms"].flatMap { Int($0) } ?? 1000)
        case "/leak": leak(bytes: (query["mb"].flatMap { Int($0) } ?? 1) << 20)
        case "/hog": takeDescriptors()
        case "/abort-later": abortLater()
        default: return nil
        }
        return started(["ok\n"])
    }

    /// Uses processor time, not only time.
    private func spin(milliseconds: Int) {
        let end = clock() + milliseconds * Int(CLOCKS_PER_SEC) / 1000
        while clock() < end {}
    }

    /// In a thread of the application's own, when no request runs.
    private func abortLater() {
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { _ in
                usleep(300_000); abort()
            },
            nil
        )
    }

    /// All that there are, and there are few.
    private func takeDescriptors() {
        var limit = rlimit(rlim_cur: 64, rlim_max: 64)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        while open("/dev/null", O_RDONLY) >= 0 {}
    }

    private func leak(bytes: Int) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 4096)
        for offset in stride(from: 0, to: bytes, by: 4096) { memory[offset] = 1 }
    }
}
