internal import AWSProtocol
public import Primitives

extension Gate {
    /// Whether the service that a target belongs to gets its callers' signatures.
    public func isPassthrough(target: Span<UInt8>, region: Span<UInt8>) -> Bool {
        service(target, region)?.isPassthrough ?? false
    }

    /// Whether a signature for a scope is one for a target.
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

    /// The error for a caller who may not ask for an operation.
    func denial(_ caller: Caller, _ operation: OperationID, _ target: Span<UInt8>) -> GatewayError? {
        if operation != otherOperation {
            if caller.permits(operation: operation) { return nil }
            return .notAuthorized(caller.name, operation: operationNames[operation.index], domain: nil)
        }
        let name = Self.operationName(Array(copying: target))
        return caller.permits(operationNamed: name)
            ? nil : .notAuthorized(caller.name, operation: String(decoding: name, as: UTF8.self), domain: nil)
    }

    /// The error for a caller who may not ask about the domain of a request. It is decided before anything is looked up, so
    /// that the answer does not depend on what is cached of others' domains.
    func denial(_ caller: CallerID, _ call: Call) -> GatewayError? {
        let caller = callers[caller.index]
        guard !caller.permitsAllDomains, let order = call.order, !caller.permits(domain: order.namedDomain)
        else { return nil }
        let name = String(decoding: Self.operationName(Array(order.target.utf8)), as: UTF8.self)
        return .notAuthorized(caller.name, operation: name, domain: String(decoding: order.namedDomain, as: UTF8.self))
    }

    /// What stands behind the last dot of a target.
    private static func operationName(_ target: [UInt8]) -> [UInt8] {
        Array(target[((target.lastIndex(of: UInt8(ascii: ".")) ?? -1) + 1)...])
    }
}
