internal import Glibc
internal import OriginClient

/// What the sources see of the machine. All of it is handed in, so that nothing depends on the process.
public struct Surroundings: Sendable, Discreet {
    /// The environment. An empty variable counts as none.
    public var variables: [String: String]
    /// Where `~` and `.aws` are; nothing if there is no home.
    public var homeDirectory: String?
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var clock: @Sendable () -> Int64
    /// Nanoseconds since some moment before, by a clock that nobody sets.
    var uptime: @Sendable () -> Int64 = { CurlClock.now }

    /// Where relative addresses of containers' endpoints are.
    var containerEndpoint = "http://169.254.170.2"
    var patience = Patience()

    public init(
        variables: [String: String], homeDirectory: String?, clock: @escaping @Sendable () -> Int64 = Self.wallClock
    ) {
        self.variables = variables
        self.homeDirectory = homeDirectory
        self.clock = clock
    }

    /// The system's clock.
    @Sendable public static func wallClock() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    subscript(name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }

    /// A path with `~` for the home directory.
    func path(_ text: String) -> String {
        guard text == "~" || text.hasPrefix("~/"), let homeDirectory else { return text }
        return homeDirectory + text.dropFirst()
    }
}

/// How long sources are waited for, in nanoseconds. The SDKs give the metadata service one second and a container's endpoint
/// two.
struct Patience: Sendable {
    var metadata: Int64 = 1_000_000_000
    var container: Int64 = 2_000_000_000
    var tokenService: Int64 = 10_000_000_000
    var process: Int64 = 30_000_000_000
}
