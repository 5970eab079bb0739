internal import AWSProtocol
public import Primitives

extension Gate {
    /// The service and operation that a target means. Services with one target prefix are told apart by the Region and service that
    /// were signed for, then by their operations; the first of those that are left is meant. The Region must be theirs. The signed
    /// service need not: callers without a verified signature may sign for any.
    ///
    /// - Parameter scope: see `read`.
    func candidate(_ target: Span<UInt8>, _ scope: Span<UInt8>) -> TargetTable.Candidate? {
        let places = targets.places(of: target)
        guard !places.isEmpty else { return nil }
        if scope.isEmpty { return targets[places.lowerBound] }
        var slash = 0
        while slash < scope.count, scope[slash] != UInt8(ascii: "/") { slash += 1 }
        let region = scope.extracting(0..<slash)
        let name = scope.extracting(min(slash + 1, scope.count)..<scope.count)
        var first: TargetTable.Candidate?
        for place in places {
            let candidate = targets[place]
            guard services[candidate.service].isIn(region) else { continue }
            if services[candidate.service].isSigned(as: name) { return candidate }
            first = first ?? candidate
        }
        return first
    }

    /// Returns true if the operation that a target names is one that its service asks no signature for.
    ///
    /// - Parameter scope: see `read`.
    public func isUnsigned(target: Span<UInt8>, scope: Span<UInt8>) -> Bool {
        guard let candidate = candidate(target, scope), let place = candidate.place else { return false }
        return services[candidate.service].catalog.operations[place].isUnsigned
    }

    /// The service that is meant by a target, or may be.
    public func owner(of target: Span<UInt8>, scope: Span<UInt8> = Span()) -> Service? {
        if services.count == 1 { return services[0] }
        guard let candidate = candidate(target, scope) ?? candidate(target, Span()) else { return services.first }
        return services[candidate.service]
    }

    public func operation(_ target: Span<UInt8>, scope: Span<UInt8> = Span()) -> OperationID {
        (candidate(target, scope) ?? candidate(target, Span()))?.operation ?? otherOperation
    }

    /// The error for a target whose services are all in other Regions than the caller signed for.
    ///
    /// - Parameter scope: see `read`.
    public func foreignRegion(_ target: Span<UInt8>, _ scope: Span<UInt8>) -> GatewayError? {
        guard !scope.isEmpty, candidate(target, scope) == nil else { return nil }
        var regions: [String] = []
        for place in targets.places(of: target) {
            let region = services[targets[place].service].settings.region
            if !regions.contains(region) { regions.append(region) }
        }
        return regions.isEmpty ? nil : .foreignRegion(configured: regions)
    }

    /// Returns true if the service that a target belongs to gets its callers' signatures.
    public func isPassthrough(target: Span<UInt8>, scope: Span<UInt8>) -> Bool {
        candidate(target, scope).map { services[$0.service].isPassthrough } ?? false
    }

    /// True if a target alone does not tell which service is meant.
    public var needsScope: Bool { targets.hasSharedPrefix || Set(services.map(\.settings.region)).count > 1 }

    /// The words that operations put before the names of their services' hosts, each once.
    public var hostPrefixes: [String] {
        Set(services.flatMap { $0.catalog.operations.compactMap(\.hostPrefix) }).sorted()
    }

    /// The callers' names, by their ids.
    public var callerNames: [String] { callers.map(\.name) }

    /// The callers' settings, by their ids.
    public var callerSettings: [CallerSettings] { callers.map(\.settings) }

    /// A caller's name.
    public func callerName(_ caller: CallerID) -> String { callers[caller.index].name }

    /// Returns true if a caller's `Cache-Control: no-cache` is honoured.
    public func allowsNoCache(caller: CallerID) -> Bool { callers[caller.index].noCache }
}
