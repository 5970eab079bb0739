internal import AWSProtocol
internal import PageCache
public import Primitives

/// A parsed request: everything about it that does not depend on the time or on the caller.
///
/// It never changes, so that equal requests can share one.
public final class Call: Sendable {
    /// The request to the service.
    ///
    /// A class, because it is handed on with every request and is one reference then.
    final class ServiceRequest: Sendable {
        let service: Service
        /// The operation's index in the catalog; nil if the catalog does not know it.
        let operation: Int?
        let target: String
        let body: [UInt8]
        let safety: Fetch.Safety
        let quotaGroup: Int
        /// The domain that it is about, empty if it is about none.
        let domain: [UInt8]
        /// The domain that its domain member names, empty if it has none, or has members that the catalog does not know: only
        /// this one is certain before the service has looked at the request.
        let namedDomain: [UInt8]
        let invalidates: [EpochScope]
        /// The value of `Content-Encoding`; nil if the body is in no coding.
        let contentEncoding: String?
        /// True if the service's model asks for no signature.
        let isUnsigned: Bool

        init(
            service: Service, operation: Int?, target: String, body: [UInt8], safety: Fetch.Safety, quotaGroup: Int,
            domain: [UInt8], namedDomain: [UInt8], invalidates: [EpochScope], contentEncoding: String? = nil,
            isUnsigned: Bool = false
        ) {
            self.service = service
            self.operation = operation
            self.target = target
            self.body = body
            self.safety = safety
            self.quotaGroup = quotaGroup
            self.domain = domain
            self.namedDomain = namedDomain
            self.invalidates = invalidates
            self.contentEncoding = contentEncoding
            self.isUnsigned = isUnsigned
        }
    }

    /// The page that it asks for, and the request that fetches it.
    final class PageQuery: Sendable {
        let request: ServiceRequest
        let key: PageKey
        let scope: EpochScope
        let lifetime: Page.Lifetime

        init(request: ServiceRequest, key: PageKey, scope: EpochScope, lifetime: Page.Lifetime) {
            self.request = request
            self.key = key
            self.scope = scope
            self.lifetime = lifetime
        }
    }

    /// The way that it is answered.
    enum Action: Sendable {
        case page(PageQuery)
        /// Send it on; its answer is not kept.
        case pass(ServiceRequest)
        /// It cannot be accepted.
        indirect case refuse(GatewayError)
    }

    /// The request to the service; nil if it cannot be accepted.
    var request: ServiceRequest? {
        switch action {
        case .page(let page): page.request
        case .pass(let request): request
        case .refuse: nil
        }
    }

    public let operation: OperationID
    public let service: Service?
    /// `Service.minorDigit`. Here, because counting references to the service would have event loops wait for each other.
    public let minorDigit: UInt8
    let action: Action

    init(operation: OperationID, service: Service?, action: Action) {
        self.operation = operation
        self.service = service
        minorDigit = service?.minorDigit ?? JSONVersion.awsJson1_0.minorDigit
        self.action = action
    }

    /// The number of its service if that gets its callers' signatures, and so their requests as they are.
    public var passthroughService: Int? {
        if case .refuse = action { return nil }
        return service.flatMap { $0.isPassthrough ? $0.index : nil }
    }

    /// True if it may be kept for equal requests: it only reads, so that it will be asked again.
    var isRepeatable: Bool {
        switch action {
        case .page: true
        case .pass(let request): request.safety == .read
        case .refuse: false
        }
    }
}

extension Gate {
    /// Reads a request.
    ///
    /// - Parameters:
    ///   - target: the value of `X-Amz-Target`, empty if it is missing.
    ///   - region: the Region in the caller's credential scope, empty if there is none.
    ///   - principal: the access key id in it, for services whose requests keep their callers' signatures; else empty.
    ///   - body: the whole body, as it came.
    ///   - coding: that of the body; nil if it is in none.
    public func read(
        target: Span<UInt8>, region: Span<UInt8>, principal: Span<UInt8> = Span(), body: Span<UInt8>,
        coding: ContentCoding? = nil
    ) -> Call {
        guard let service = service(target, region) else {
            if let error = foreignRegion(target, region) {
                return Call(operation: operation(target), service: owner(of: target), action: .refuse(error))
            }
            let message =
                target.isEmpty
                ? "The request has no X-Amz-Target header."
                : "X-Amz-Target names no operation of a service behind this gateway."
            return Call(operation: otherOperation, service: services.first, action: .refuse(.unknownOperation(message)))
        }
        guard let place = service.operation(target) else {
            // Outside the catalog: forwarded as it came, as a write that must not be repeated, and that may change anything. Only an empty body is written as the
            // empty object that it stands for, unless its caller has signed it.
            let isObject = body.isEmpty && !service.isPassthrough && coding == nil
            let request = Call.ServiceRequest(
                service: service, operation: nil, target: String(decoding: Array(copying: target), as: UTF8.self),
                body: isObject ? Array("{}".utf8) : Array(copying: body), safety: .unsafeWrite,
                quotaGroup: service.catalog.defaultGroup,
                domain: [], namedDomain: [], invalidates: [service.everything], contentEncoding: coding?.field)
            return Call(operation: otherOperation, service: service, action: .pass(request))
        }
        let label = labels[service.index][place]
        do throws(OperationInput.Fault) {
            let input = try OperationInput(body, in: coding, of: service.catalog.operations[place])
            return Call(
                operation: label, service: service, action: action(place, input, principal, body, coding, service))
        } catch {
            return Call(operation: label, service: service, action: .refuse(.invalidInput(error, service.catalog)))
        }
    }

    private func action(
        _ place: Int, _ input: OperationInput, _ principal: Span<UInt8>, _ body: Span<UInt8>, _ coding: ContentCoding?,
        _ service: Service
    ) -> Call.Action {
        let operation = service.catalog.operations[place]
        let domain = input.pageDomain
        let goesAsItCame = input.hasUnknownMembers || service.isPassthrough || coding != nil
        let request = Call.ServiceRequest(
            service: service, operation: place, target: "\(service.catalog.targetPrefix).\(operation.name)",
            body: goesAsItCame ? Array(copying: body) : input.canonicalBody,
            safety: Self.safety(operation, input), quotaGroup: operation.quotaGroup, domain: domain,
            namedDomain: input.hasUnknownMembers ? [] : input.domain,
            invalidates: operation.invalidates.map { invalidation in
                switch invalidation {
                case _ where input.isUncertain: service.everything
                case .domain: service.scope(domain: input.domain)
                case .resource: service.scope(domain: input.resourceDomain)
                case .service: service.scope(domain: [])
                case .all: service.everything
                }
            }, contentEncoding: coding?.field, isUnsigned: operation.isUnsigned)
        guard operation.kind.isCached, !input.hasUnknownMembers, coding == nil, service.sharesAnswers(with: principal)
        else {
            return .pass(request)
        }
        return .page(
            Call.PageQuery(
                request: request, key: PageKey(KeyParts.key(service, Array(copying: principal), operation, input)),
                scope: service.scope(domain: domain),
                lifetime: policy.lifetime(of: operation, status: input.status)))
    }

    /// The first service that the target belongs to, of the caller's Region if that is known.
    func service(_ target: Span<UInt8>, _ region: Span<UInt8>) -> Service? {
        services.first { $0.owns(target) && (region.isEmpty || $0.isIn(region)) }
    }

    /// The error for a target whose services are all in other Regions than the caller signed for.
    ///
    /// - Parameter region: empty if it is not known, or is the only one.
    public func foreignRegion(_ target: Span<UInt8>, _ region: Span<UInt8>) -> GatewayError? {
        guard !region.isEmpty, service(target, region) == nil else { return nil }
        var regions: [String] = []
        for service in services where service.owns(target) && !regions.contains(service.settings.region) {
            regions.append(service.settings.region)
        }
        return regions.isEmpty ? nil : .foreignRegion(configured: regions)
    }

    private static func safety(_ operation: Operation, _ input: OperationInput) -> Fetch.Safety {
        if operation.kind != .write { return .read }
        return input.hasIdempotencyToken ? .idempotentWrite : .unsafeWrite
    }
}
