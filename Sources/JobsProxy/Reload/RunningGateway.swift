internal import Gateway
internal import GatewayFront
internal import Locking
internal import Primitives
internal import Telemetry

/// The parts of the gateway that a reload puts others in the place of. Each is immutable; what outlives them is shared by them.
final class RunningGateway: Sendable {
    struct Parts: Sendable {
        /// As the file says, but for what needs a restart.
        var configuration: Configuration
        var gate: Gate
        var front: Front
        var credentials: ServiceCredentials
        var readiness: Readiness
        var secrets: SecretValues
        var overrides = QuotaOverrides()
    }

    private let state: Locked<Parts>

    init(_ parts: Parts) { state = Locked(parts) }

    /// Those that are in use now.
    var parts: Parts { state.withLock { $0 } }

    func use(_ parts: Parts) { state.withLock { $0 = parts } }

    var configuration: Configuration { state.withLock { $0.configuration } }
}
