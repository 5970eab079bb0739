internal import Glibc
internal import OriginClient
internal import Primitives

/// Runs a program and returns its standard output, within a limit of time and size, without a shell.
///
/// The program gets the given environment, no input and none of the gateway's files. Its standard error is discarded, because
/// such a program may write secrets to it.
struct ChildProcess {
    /// The reason why there is no output.
    enum Fault: Error, Equatable {
        /// The value of errno.
        case notStarted(Int32)
        case timeout
        case tooMuchOutput
        case exited(Int32)
        case killed(signal: Int32)

        var message: String {
            switch self {
            case .notStarted(let code): unsafe "cannot be started: \(String(cString: strerror(code)))"
            case .timeout: "did not finish in time"
            case .tooMuchOutput: "wrote too much"
            case .exited(let code): "failed with exit code \(code)"
            case .killed(let signal): "was ended by signal \(signal)"
            }
        }
    }

    /// The time after which the process and its children are killed, in nanoseconds.
    let timeout: Int64
    let maxBytes: Int

    /// Waits for the program's end.
    ///
    /// - Parameter words: the program and its arguments. A program without a slash is searched in the gateway's own `PATH`.
    /// - Throws: `Fault` if the program does not exit with 0 within the limits.
    func output(of words: [String], environment: [String: String]) throws(Fault) -> [UInt8] {
        let deadline = MonotonicInstant.now + timeout
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .notStarted(errno) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        _ = fcntl(reading, F_SETFD, FD_CLOEXEC)
        _ = fcntl(writing, F_SETFD, FD_CLOEXEC)
        let process: pid_t
        do {
            defer { close(writing) }
            process = try Children.start { () throws(Fault) in
                try Self.spawn(words, environment, output: writing)
            }
        }
        defer { Children.forget(process) }
        let result = read(reading, until: deadline)
        guard case .success(let bytes) = result, let status = Self.status(of: process, by: deadline) else {
            // The whole group, so that its children are killed too.
            kill(-process, SIGKILL)
            // With a deadline: a process can be stuck in the kernel, on a file system that does not answer.
            _ = Self.status(of: process, by: .now + 1_000_000_000)
            if case .failure(let fault) = result { throw fault }
            throw .timeout
        }
        // The low seven bits are the signal, the next byte is the exit code (as in <sys/wait.h>).
        if status & 0x7f != 0 { throw .killed(signal: status & 0x7f) }
        guard status == 0 else { throw .exited(status >> 8 & 0xff) }
        return bytes
    }

    private func read(_ descriptor: Int32, until deadline: MonotonicInstant) -> Result<[UInt8], Fault> {
        var bytes: [UInt8] = []
        while true {
            let left = deadline - .now
            guard left > 0 else { return .failure(.timeout) }
            var watch = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = unsafe poll(&watch, 1, Int32(min(left / 1_000_000 + 1, 60_000)))
            guard count > 0 else { continue }
            switch SourceFile.readPiece(descriptor, 16 * 1024, onto: &bytes) {
            case .end: return .success(bytes)
            case .some: if bytes.count > maxBytes { return .failure(.tooMuchOutput) }
            case .fault(EINTR): continue
            case .fault: return .success(bytes)
            }
        }
    }

    /// The status of the ended process; `nil` if it still runs at the deadline; 0 if the system kept no record.
    private static func status(of process: pid_t, by deadline: MonotonicInstant) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = unsafe waitpid(process, &status, WNOHANG)
            if ended == process { return status }
            // SIGCHLD is ignored in this process, so that children leave no status.
            if ended < 0, errno == ECHILD { return 0 }
            guard .now < deadline else { return nil }
            // Its output has ended, so it exits soon. There is no event to wait for.
            usleep(1000)
        }
    }
}

// MARK: Starting

extension ChildProcess {
    private static func spawn(
        _ words: [String], _ environment: [String: String], output: Int32
    ) throws(Fault) -> pid_t {
        let variables = environment.map { "\($0.key)=\($0.value)" }
        // A C string would end at the zero byte, which would change the command.
        guard let program = words.first, !(words + variables).contains(where: { $0.utf8.contains(0) }) else {
            throw .notStarted(EINVAL)
        }
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { throw .notStarted(ENOMEM) }
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        guard unsafe posix_spawnattr_init(&attributes) == 0 else { throw .notStarted(ENOMEM) }
        defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
        var codes = [
            // First, because the pipe may have the number of one of the following descriptors.
            unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO),
            unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
            unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0),
        ]
        // Some of the gateway's descriptors have no FD_CLOEXEC, such as libcurl's.
        if let closeFrom = unsafe closeFrom { codes.append(unsafe closeFrom(&actions, 3)) }
        codes.append(setAttributes(&attributes))
        if let code = codes.first(where: { $0 != 0 }) { throw .notStarted(code) }

        let argumentsForC = unsafe words.map { unsafe strdup($0) }
        let variablesForC = unsafe variables.map { unsafe strdup($0) }
        defer { unsafe (argumentsForC + variablesForC).forEach { unsafe free($0) } }
        var process: pid_t = 0
        // Each list ends with a null pointer.
        let outcome = unsafe posix_spawnp(
            &process, program, &actions, &attributes, argumentsForC + [nil], variablesForC + [nil])
        guard outcome == 0 else { throw .notStarted(outcome) }
        return process
    }

    /// glibc's `posix_spawn_file_actions_addclosefrom_np`, which Swift does not import; `nil` before glibc 2.34.
    private static let closeFrom = unsafe dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        unsafe unsafeBitCast($0, to: (@convention(c) (UnsafeMutableRawPointer, Int32) -> Int32).self)
    }

    /// A new process group, no blocked signals, and the default action for SIGPIPE, which the gateway ignores.
    private static func setAttributes(_ attributes: inout posix_spawnattr_t) -> Int32 {
        var none = sigset_t()
        var pipeOnly = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigemptyset(&pipeOnly)
        unsafe sigaddset(&pipeOnly, SIGPIPE)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        let codes = [
            unsafe posix_spawnattr_setpgroup(&attributes, 0), unsafe posix_spawnattr_setsigmask(&attributes, &none),
            unsafe posix_spawnattr_setsigdefault(&attributes, &pipeOnly),
            unsafe posix_spawnattr_setflags(&attributes, Int16(flags)),
        ]
        return codes.first { $0 != 0 } ?? 0
    }
}
