internal import CProcess
internal import Credentials
internal import FoundationEssentials
internal import Glibc
internal import ServiceLifecycle

/// What the program asks of the operating system.
enum Process {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// Seconds since 1970-01-01T00:00:00Z.
    static let wallClock: @Sendable () -> Int64 = { Int64(time(nil)) }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    static var wallClockNanoseconds: Int64 { nanoseconds(CLOCK_REALTIME) }

    /// Monotonic nanoseconds, of the same clock as the event loops'.
    static var now: Int64 { nanoseconds(CLOCK_MONOTONIC) }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Lets the process have as many files open as it may, a write to a closed connection be an error, not an end, and memory of large
    /// answers go back to the system.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        cprocess_give_back_large_blocks()
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(7), &limit)
    }

    /// How many files the process may have open.
    static var maxOpenFiles: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether it is process 1, to which the children of processes that have ended are given.
    static var isFirst: Bool { getpid() == 1 }

    /// Lets SIGHUP mean nothing: a terminal that closes, or whoever expects that it reloads the configuration, ends no calls.
    static func ignoreHangUp() { signal(SIGHUP, SIG_IGN) }

    // MARK: Figures

    /// What `process_*` shows (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).
    struct Figures {
        var cpuSeconds = 0.0
        var residentBytes = 0.0
        var openFiles = 0.0
        var maxFiles = 0.0
    }

    static var figures: Figures {
        var figures = Figures()
        var usage = rusage()
        if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            figures.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        if let statm = try? File.read("/proc/self/statm") {
            let fields = String(decoding: statm, as: UTF8.self).split(separator: " ")
            figures.residentBytes =
                (fields.dropFirst().first.flatMap { Double($0) } ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
        }
        if let directory = unsafe opendir("/proc/self/fd") {
            // "." and ".." and the directory itself are in it too.
            var count = -3
            while unsafe readdir(directory) != nil { count += 1 }
            unsafe closedir(directory)
            figures.openFiles = Double(max(0, count))
        }
        figures.maxFiles = Double(maxOpenFiles)
        return figures
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// Does the duty of process 1: it waits for the processes that it is given when their own parents end.
struct OrphanReaper: Service {
    /// `nil` in any other process.
    init?() { guard Process.isFirst else { return nil } }

    func run() async {
        await cancelWhenGracefulShutdown {
            repeat { Children.reapOrphans() } while (try? await Task.sleep(for: .seconds(1))) != nil
        }
    }
}
