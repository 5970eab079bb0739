internal import Glibc
internal import OriginClient
public import Primitives

/// The environment of the credential sources. All of it is passed in, so that sources do not depend on the process.
public struct Surroundings: Sendable, Discreet {
    /// The environment variables. An empty one counts as none.
    public var variables: [String: String]
    /// The directory of `~` and `.aws`; `nil` if there is none.
    public var homeDirectory: String?
    public var clock: @Sendable () -> WallInstant
    /// A monotonic clock, in nanoseconds.
    var uptime: @Sendable () -> Int64 = { CurlClock.now }

    /// The base of relative URIs of containers' endpoints.
    var containerEndpoint = "http://169.254.170.2"
    var patience = Patience()

    public init(
        variables: [String: String], homeDirectory: String?,
        clock: @escaping @Sendable () -> WallInstant = Self.wallClock
    ) {
        self.variables = variables
        self.homeDirectory = homeDirectory
        self.clock = clock
    }

    /// The system's wall clock.
    @Sendable public static func wallClock() -> WallInstant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallInstant(seconds: Int64(time.tv_sec)) + Int64(time.tv_nsec)
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

/// The timeouts of sources, in nanoseconds. The SDKs allow one second for the metadata service and two for a container's
/// endpoint.
struct Patience: Sendable {
    var metadata: Int64 = 1_000_000_000
    var container: Int64 = 2_000_000_000
    var tokenService: Int64 = 10_000_000_000
    var process: Int64 = 30_000_000_000
}

/// A type with secrets, whose description and mirror show only the type's name.
public protocol Discreet: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Discreet {
    public var description: String { "\(Self.self)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
