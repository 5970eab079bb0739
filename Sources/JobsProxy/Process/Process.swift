internal import CProcess
internal import Credentials
internal import FoundationEssentials
internal import Glibc
internal import OriginClient
internal import Primitives
internal import ServiceLifecycle

/// The operating system's view of this process: environment, clocks, limits.
enum Process {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    static let wallClock = CredentialEnvironment.wallClock

    /// The wall clock in whole seconds, at a tenth of the cost.
    static let coarseWallClock: @Sendable () -> WallInstant = { WallInstant(seconds: Int64(time(nil))) }

    static var now: MonotonicInstant { .now }

    /// Raises the limit of open files to its maximum, makes a write to a closed connection an error instead of a signal, and lets the
    /// memory of large answers go back to the system.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        cprocess_give_back_large_blocks()
        guard var limit = fileLimit else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(fileResource, &limit)
    }

    static var maxOpenFiles: Int { fileLimit.map { Int(clamping: $0.rlim_cur) } ?? 1024 }

    /// What `maxOpenFiles` is after `prepare`.
    static var mostOpenFiles: Int { fileLimit.map { Int(clamping: $0.rlim_max) } ?? 1024 }

    /// `RLIMIT_NOFILE`, which Swift does not import.
    private static let fileResource = __rlimit_resource_t(7)

    private static var fileLimit: rlimit? {
        var limit = rlimit()
        return unsafe getrlimit(fileResource, &limit) == 0 ? limit : nil
    }

    /// True for process 1, which inherits the children of processes that end.
    static var isFirst: Bool { getpid() == 1 }

    /// The number at the end of the host's name, behind a hyphen: the pods of a Kubernetes StatefulSet are numbered so. `nil` if there is none.
    static var ordinal: Int? {
        let parts = ProcessInfo.processInfo.hostName.split(separator: "-")
        guard parts.count > 1, let digits = parts.last, digits.utf8.count <= 4,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(digits)
    }

    /// A text for this boot of the machine, its network namespace and an address there: no two processes can serve it at the same time, and a
    /// process that is started again has the same. `nil` where that is not so, because the system chooses the port or tells nothing.
    static func place(of address: Configuration.Address) -> String? {
        guard address.port != 0, let boot = try? File.read("/proc/sys/kernel/random/boot_id") else { return nil }
        var network = stat()
        guard unsafe stat("/proc/self/ns/net", &network) == 0 else { return nil }
        return "\(String(decoding: boot, as: UTF8.self)) \(network.st_ino) \(address)"
    }

    /// This process's place among replicas: its ordinal, or one that is drawn once.
    static func seat(among replicas: Int) -> Int { (ordinal ?? drawn) % max(1, replicas) }

    private static let drawn = Int.random(in: 0..<1_000_000)

    // The values of `process_*` (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics); 0 where the system
    // does not tell.

    static var cpuSeconds: Double {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    static var residentBytes: Double {
        guard let statm = try? File.read("/proc/self/statm") else { return 0 }
        let fields = String(decoding: statm, as: UTF8.self).split(separator: " ")
        return (fields.dropFirst().first.flatMap { Double($0) } ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static var openFiles: Double {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        // "." and ".." and the directory itself are in it too.
        var count = -3
        while unsafe readdir(directory) != nil { count += 1 }
        unsafe closedir(directory)
        return Double(max(0, count))
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// The duty of process 1: to wait for the processes that it inherits when their parents end.
struct OrphanReaper: Service {
    /// `nil` in any other process.
    init?() { guard Process.isFirst else { return nil } }

    func run() async {
        await cancelWhenGracefulShutdown {
            repeat { Children.reapOrphans() } while (try? await Task.sleep(for: .seconds(1))) != nil
        }
    }
}
