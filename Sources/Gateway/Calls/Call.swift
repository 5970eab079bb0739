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
        /// What a listing is filtered by; nil if it is not.
        let status: [UInt8]?
        /// The time limits of an attempt, nil for the service's, and of the call, which has as long at least; nanoseconds.
        let attemptTimeout: Int64?
        let callTimeout: Int64

        /// The word before the endpoint's host name; nil for none.
        var hostPrefix: String? { operation.flatMap { service.catalog.operations[$0].hostPrefix } }

        /// True if a good reply is passed on as it comes.
        var isStream: Bool { operation.map { service.catalog.operations[$0].isStream } ?? false }

        init(
            service: Service, operation: Int?, target: String, body: [UInt8], safety: Fetch.Safety, quotaGroup: Int,
            domain: [UInt8], namedDomain: [UInt8], invalidates: [EpochScope], contentEncoding: String? = nil,
            isUnsigned: Bool = false, status: [UInt8]? = nil
        ) {
            self.status = status
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
            attemptTimeout = operation.flatMap { service.catalog.operations[$0].timeout }
            callTimeout = max(service.settings.callTimeout, attemptTimeout ?? 0)
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
    /// The scope that a verified signature must be for: the index of the first service of its service's Region and signing name; -1 if
    /// it has no service.
    public let signedScope: Int
    let action: Action

    init(operation: OperationID, service: Service?, signedScope: Int = -1, action: Action) {
        self.operation = operation
        self.signedScope = signedScope
        self.service = service
        minorDigit = service?.minorDigit ?? JSONVersion.awsJson1_0.minorDigit
        self.action = action
    }

    /// The number of its service if that gets its callers' signatures, and so their requests as they are.
    public var passthroughService: Int? {
        if case .refuse = action { return nil }
        return service.flatMap { $0.isPassthrough ? $0.index : nil }
    }

    /// The word that its operation puts before the service's host; nil for none.
    public var hostPrefix: String? { request?.hostPrefix }

    /// The quota group's place in the catalog; nil for a call that cannot be accepted.
    public var quotaGroup: Int? { request?.quotaGroup }

    /// The domain that it names; empty if it names none.
    public var domain: [UInt8] { request?.namedDomain ?? [] }

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
    ///   - scope: the Region and service of the caller's credential scope (`us-east-1/voiceid`), or the Region alone; empty if they are
    ///     not known, or make no difference.
    ///   - principal: the access key id in it, for services whose requests keep their callers' signatures; else empty.
    ///   - body: the whole body, as it came.
    ///   - coding: that of the body; nil if it is in none.
    public func read(
        target: Span<UInt8>, scope: Span<UInt8>, principal: Span<UInt8> = Span(), body: Span<UInt8>,
        coding: ContentCoding? = nil
    ) -> Call {
        guard let candidate = candidate(target, scope) else {
            if let error = foreignRegion(target, scope) {
                return Call(operation: operation(target), service: owner(of: target), action: .refuse(error))
            }
            let message =
                target.isEmpty
                ? "The request has no X-Amz-Target header."
                : "X-Amz-Target names no operation of a service behind this gateway."
            return Call(operation: otherOperation, service: services.first, action: .refuse(.unknownOperation(message)))
        }
        let service = services[candidate.service]
        let (label, signedScope) = (candidate.operation, signedScopes[candidate.service])
        guard let place = candidate.place else {
            // Outside the catalog: forwarded as it came, as a write that must not be repeated, and that may change anything. Only an
            // empty body is written as the empty object that it stands for, unless its caller has signed it.
            let isObject = body.isEmpty && !service.isPassthrough && coding == nil
            let request = Call.ServiceRequest(
                service: service, operation: nil, target: String(decoding: Array(copying: target), as: UTF8.self),
                body: isObject ? Array("{}".utf8) : Array(copying: body), safety: .unsafeWrite,
                quotaGroup: service.catalog.defaultGroup,
                domain: [], namedDomain: [], invalidates: [service.everything], contentEncoding: coding?.field)
            return Call(operation: label, service: service, signedScope: signedScope, action: .pass(request))
        }
        do throws(OperationInput.Fault) {
            let input = try OperationInput(body, in: coding, of: service.catalog.operations[place])
            return Call(
                operation: label, service: service, signedScope: signedScope,
                action: action(place, input, principal, body, coding, service))
        } catch {
            return Call(
                operation: label, service: service, signedScope: signedScope,
                action: .refuse(.invalidInput(error, service.catalog)))
        }
    }

    func action(
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
            }, contentEncoding: coding?.field, isUnsigned: operation.isUnsigned,
            status: input.status)
        guard operation.kind.isCached, !operation.isStream, !input.hasUnknownMembers, coding == nil,
            service.sharesAnswers(with: principal)
        else {
            return .pass(request)
        }
        return .page(
            Call.PageQuery(
                request: request, key: PageKey(KeyParts.key(service, Array(copying: principal), operation, input)),
                scope: service.scope(domain: domain),
                lifetime: policy.lifetime(of: operation, service, status: input.status)))
    }

    private static func safety(_ operation: Operation, _ input: OperationInput) -> Fetch.Safety {
        if operation.kind != .write { return .read }
        return input.hasIdempotencyToken ? .idempotentWrite : .unsafeWrite
    }
}
