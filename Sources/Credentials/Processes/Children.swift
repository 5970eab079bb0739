internal import Glibc
internal import Locking

/// The processes that this one has started. They are told apart from adopted orphans: as process 1 of a container this process
/// becomes the parent of every process whose parent has ended, such as one that a `credential_process` leaves running.
public enum Children {
    private static let own = Locked<Set<pid_t>>([])

    /// Starts a process that its caller waits for. The caller must call `forget` afterwards.
    static func start<Failure: Error>(_ start: () throws(Failure) -> pid_t) throws(Failure) -> pid_t {
        // Under the lock, because the process may end before it is in the set.
        try own.withLock { own throws(Failure) in
            let process = try start()
            own.insert(process)
            return process
        }
    }

    /// The caller no longer waits for a process.
    static func forget(_ process: pid_t) { _ = own.withLock { $0.remove(process) } }

    /// Reaps orphans that have ended, so that no zombies remain. A child of this process that has just ended may hide them until
    /// the next call.
    public static func reapOrphans() {
        own.withLock { own in
            while true {
                var end = unsafe siginfo_t()
                // WNOWAIT leaves the status for the caller that waits for it.
                guard unsafe waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                let process = unsafe end._sifields._kill.si_pid
                guard process > 0, !own.contains(process), waitpid(process, nil, WNOHANG) > 0 else { return }
            }
        }
    }
}
