internal import CSWSGISystem
internal import Glibc

extension CurrentProcess {
    /// Makes a directory the root of everything that the process sees, for good.
    public static func enterRoot(_ path: String) throws(Errno) {
        _ = try check(swsgi_enter_root(path))
    }

    /// Changes the working directory.
    public static func enterDirectory(_ path: String) throws(Errno) {
        guard chdir(path) == 0 else { throw .last }
    }

    /// Lets nobody look into the process but root, and itself as far as files of /proc go that everybody may read.
    public static func hide() throws(Errno) {
        _ = try check(swsgi_set_dumpable(0))
    }

    /// Has core dumps written to `directory`, as large as the system lets them be; nil: none.
    public static func setCoreDumps(_ directory: String?) throws(Errno) {
        guard let directory else { return try forbidCoreDumps() }
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { throw .last }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { throw .last }
        swsgi_crash_dumps(directory)
    }

    private static func forbidCoreDumps() throws(Errno) {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else { throw .last }
    }

    /// When memory runs out, this process is to end before one with a lower number.
    ///
    /// A container may not allow it: then nothing changes.
    public static func preferForKilling(_ score: Int) {
        guard let file = try? Descriptor.open("/proc/self/oom_score_adj", O_WRONLY) else { return }
        var text = String(score)
        text.withUTF8 { _ = write(file.number, $0.baseAddress, $0.count) }
    }
}
