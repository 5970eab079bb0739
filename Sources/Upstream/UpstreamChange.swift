public import Gateway

/// What a reload changes of the way to the services. Endpoints and the numbers of connections are not among it.
public struct UpstreamChange: Sendable {
    /// The gate that gets the results from now on.
    public var gate: Gate
    /// For each of its services, in their order.
    public var settings: [UpstreamSettings]
    public var retry: RetryPolicy
    /// The places of the services whose credentials have another supply.
    public var newSupplies: Set<Int>

    public init(gate: Gate, settings: [UpstreamSettings], retry: RetryPolicy, newSupplies: Set<Int>) {
        self.gate = gate
        self.settings = settings
        self.retry = retry
        self.newSupplies = newSupplies
    }
}
