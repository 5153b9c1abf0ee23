#if SWSGI_THREAD_SANITIZER
    internal import Glibc

    /// A value and the lock that guards it.
    ///
    /// The thread sanitizer knows the locks of pthread. That of Synchronization is handed from thread to thread by the kernel,
    /// which it does not see.
    public struct Lock<Value>: ~Copyable, @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

        /// A lock for a value that nothing else refers to.
        public init(_ value: sending Value) {
            pthread_mutex_init(mutex, nil)
            self.value.initialize(to: value)
        }

        /// Calls `body` while no other thread does.
        public borrowing func withLock<Result, Failure>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    }
#else
    public import Synchronization

    /// A value and the lock that guards it.
    public typealias Lock = Mutex
#endif
