internal import Glibc

extension CurrentProcess {
    /// What the system limits for each process.
    public enum Limit: Sendable {
        /// Memory that holds data.
        case data
        /// Memory of every kind.
        case addressSpace

        fileprivate var resource: __rlimit_resource_t {
            switch self {
            case .data: __rlimit_resource_t(RLIMIT_DATA.rawValue)
            case .addressSpace: __rlimit_resource_t(RLIMIT_AS.rawValue)
            }
        }
    }

    /// Limits the process for good, as far as it is not limited further already; 0: no limit of ours.
    public static func limit(_ kind: Limit, _ bytes: Int64) throws(Errno) {
        guard bytes > 0 else { return }
        var limit = rlimit()
        guard getrlimit(kind.resource, &limit) == 0 else { throw .last }
        limit.rlim_max = min(limit.rlim_max, rlim_t(bytes))
        limit.rlim_cur = min(limit.rlim_cur, limit.rlim_max)
        guard setrlimit(kind.resource, &limit) == 0 else { throw .last }
    }

    /// The limits of open files: the one that holds, and the one up to which it may be raised.
    public static var descriptorLimits: (soft: UInt64, hard: UInt64) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return (1024, 1024) }
        return (UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
    }
}
