#if SANITIZE_THREAD
    import Glibc
#else
    public import Synchronization
#endif

/// A value behind a lock. Lock, change the value, take out the next action, unlock, then act: no callback, no I/O and no
/// avoidable allocation under the lock.
///
/// The lock is `Synchronization.Mutex` in every build but the thread sanitizer's. On Linux the sanitizer does not know that
/// mutex and reports races inside it, so builds with `-DSANITIZE_THREAD` use a pthread mutex.
@safe public struct Locked<State: ~Copyable>: ~Copyable, @unchecked Sendable {
    // `@safe` and `@unchecked` because: the state is accessed only in `withLock`, which holds the mutex.

    #if SANITIZE_THREAD
        private let state: UnsafeMutablePointer<State>
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        /// Takes ownership of `state`.
        public init(_ state: consuming sending State) {
            unsafe self.state = .allocate(capacity: 1)
            unsafe self.state.initialize(to: state)
            unsafe mutex = .allocate(capacity: 1)
            unsafe mutex.initialize(to: pthread_mutex_t())
            unsafe pthread_mutex_init(mutex, nil)
        }

        deinit {
            unsafe pthread_mutex_destroy(mutex)
            unsafe mutex.deallocate()
            unsafe state.deinitialize(count: 1)
            unsafe state.deallocate()
        }

        /// Runs `body` alone with the state and returns what it returns.
        public borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending State) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            return try unsafe body(&state.pointee)
        }
    #else
        @usableFromInline let mutex: Mutex<State>

        /// Takes ownership of `state`.
        public init(_ state: consuming sending State) {
            mutex = Mutex(state)
        }

        /// Runs `body` alone with the state and returns what it returns.
        @inlinable
        public borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending State) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            try mutex.withLock(body)
        }
    #endif
}
