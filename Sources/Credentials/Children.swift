internal import Glibc
internal import Locking

/// The processes that this one has started and waits for, apart from those that it was given: as process 1 of a container it
/// becomes the parent of every process whose own has ended, such as what a `credential_process` leaves running.
public enum Children {
    private static let own = Locked<Set<pid_t>>([])

    /// Starts a process that somebody will wait for, up to `forget`.
    static func start<Failure: Error>(_ start: () throws(Failure) -> pid_t) throws(Failure) -> pid_t {
        // Under the lock, because the process may have ended before its number is known here.
        try own.withLock { own throws(Failure) in
            let process = try start()
            own.insert(process)
            return process
        }
    }

    /// A process was waited for, or is not waited for any more.
    static func forget(_ process: pid_t) { _ = own.withLock { $0.remove(process) } }

    /// Takes note of the ends of processes that this one was given, so that nothing is left of them. One of its own that has
    /// just ended may hide others until the next time.
    public static func reapOrphans() {
        own.withLock { own in
            while true {
                var end = unsafe siginfo_t()
                // Only looked at: whoever waits for it is to find it still.
                guard unsafe waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                let process = unsafe end._sifields._kill.si_pid
                guard process > 0, !own.contains(process), waitpid(process, nil, WNOHANG) > 0 else { return }
            }
        }
    }
}
