internal import AWSProtocol
public import Primitives

extension Gate {
    /// Returns true if the service that a target belongs to gets its callers' signatures.
    public func isPassthrough(target: Span<UInt8>, region: Span<UInt8>) -> Bool {
        service(target, region)?.isPassthrough ?? false
    }

    /// Returns true if the operation that a target names is one that its service asks no signature for.
    public func isUnsigned(target: Span<UInt8>, region: Span<UInt8>) -> Bool {
        guard let service = service(target, region), let place = service.operation(target) else { return false }
        return service.catalog.operations[place].isUnsigned
    }

    /// Returns true if a signature for a scope is one for a target.
    ///
    /// - Parameter scope: the place of a service whose Region and name were signed for.
    public func isSigned(for target: Span<UInt8>, scope: Int) -> Bool {
        // With one service there is one scope.
        if services.count == 1 { return true }
        let signed = services[scope]
        if signed.owns(target) { return true }
        let owners = services.filter { $0.owns(target) }
        // A target of no service is refused as such.
        return owners.isEmpty
            || owners.contains {
                $0.settings.region == signed.settings.region && $0.catalog.signingName == signed.catalog.signingName
            }
    }

    /// The callers' names, by their ids.
    public var callerNames: [String] { callers.map(\.name) }

    /// A caller's name.
    public func callerName(_ caller: CallerID) -> String { callers[caller.index].name }

    /// Returns true if a caller's `Cache-Control: no-cache` is honoured.
    public func allowsNoCache(caller: CallerID) -> Bool { callers[caller.index].noCache }
}
