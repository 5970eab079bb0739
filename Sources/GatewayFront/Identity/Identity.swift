internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import Primitives

/// The caller of a request, and what else its `Authorization` field says; places in the request's bytes.
struct RequestIdentity {
    var caller: CallerID
    /// The scope of a verified signature, as `Call.signedScope`; -1 without one.
    var signedScope = -1
    /// The Region and service that the signature is for; empty if the gate does not need them.
    var scope = 0..<0
    /// The access key id of a signature that is passed on; empty for others.
    var principal = 0..<0
}

/// Identifies callers: by the client's certificate, by the request's signature, or by the rule for requests with neither.
///
/// Each event loop has its own.
struct Identity {
    private let gate: Gate
    private let front: Front
    private let hasKeys: Bool
    private var verifier: SignatureVerifier
    private var lists = SignedLists()
    private var unidentified: UnidentifiedRequests
    /// That of the first service. Each loop's own copy.
    private let region: [UInt8]
    /// The time as the loop's ticker has read it. That is exact enough: signatures are valid for minutes.
    private var now: WallInstant

    init(_ gate: Gate, _ front: Front) {
        self.gate = gate
        self.front = front
        hasKeys = !front.identities.keys.isEmpty
        verifier = SignatureVerifier(front.identities.keys)
        region = Array((gate.services.first?.settings.region ?? "").utf8)
        unidentified = UnidentifiedRequests(front.hosts)
        now = front.wallClock()
    }

    /// - Parameter content: the whole content, which the signature covers.
    /// - Throws: the answer to a request that is not admitted.
    mutating func identify(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>, target: Span<UInt8>
    ) throws(GatewayError) -> RequestIdentity {
        let scope = front.needsScope ? CredentialScope.scope(head, bytes) : 0..<0
        if front.hasPassthrough, let error = gate.foreignRegion(target, bytes.extracting(scope)) { throw error }
        if front.hasPassthrough, gate.isPassthrough(target: target, scope: bytes.extracting(scope)) {
            // The service verifies it. Its Host must be the service's own, or it is not sent.
            let certified = certified(head)
            let caller =
                if let certified { certified } else {
                    try anonymous(head, bytes, target, bytes.extracting(scope), isPassedOn: true)
                }
            return RequestIdentity(caller: caller, scope: scope, principal: CredentialScope.keyID(head, bytes))
        }
        if let caller = certified(head) {
            return RequestIdentity(caller: caller, scope: unverified(scope, head, bytes))
        }
        guard hasKeys, let authorization = head[.authorization] else {
            let caller = try anonymous(head, bytes, target, bytes.extracting(scope))
            return RequestIdentity(caller: caller, scope: unverified(scope, head, bytes))
        }
        do throws(SignatureFault) {
            return try signed(by: authorization, head, bytes, content)
        } catch {
            if case .foreignScope = error,
                let foreign = gate.foreignRegion(target, bytes.extracting(CredentialScope.scope(head, bytes)))
            {
                throw foreign
            }
            throw .signature(error)
        }
    }

    /// The caller of a connection's certificate; `nil` if it has none that is a caller's.
    private func certified(_ head: borrowing RequestHead) -> CallerID? {
        guard head.peer.identity >= 0 else { return nil }
        return front.identities.caller(ofCertificate: head.peer.identity)
    }

    /// The scope of a signature that is not verified: with one Region there may be nothing to choose, but another is still refused.
    private func unverified(_ place: Range<Int>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int> {
        guard !front.needsScope, let value = head[.authorization],
            !SignatureHeader.isPlainly(of: region, bytes, value)
        else { return place }
        return CredentialScope.scope(head, bytes)
    }

    /// Called about four times a second.
    mutating func tick() { now = front.wallClock() }

    /// The caller of a request without a signature that is verified here. One for an operation that its service asks no signature for is
    /// admitted in any case: nothing that is trusted here is used for it, so that it may name any host, as signed requests may.
    private mutating func anonymous(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ target: Span<UInt8>, _ scope: Span<UInt8>,
        isPassedOn: Bool = false
    ) throws(GatewayError) -> CallerID {
        guard front.identities.admitsAnonymous(isLoopback: head.peer.isLoopback && !head.isForwarded) else {
            guard head[.authorization] == nil else { throw .unknownKey }
            guard gate.isUnsigned(target: target, scope: scope) else { throw .unsigned }
            try unidentified.check(head, bytes, anyHost: true)
            return .anonymous
        }
        try unidentified.check(head, bytes, anyHost: isPassedOn)
        return .anonymous
    }

    /// Checks a request that is no call, and that needs no identity.
    ///
    /// - Throws: the answer to one that a web page may have caused.
    mutating func checkOpen(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) throws(GatewayError) {
        if certified(head) == nil { try unidentified.check(head, bytes) }
    }

    // MARK: Signatures

    private mutating func signed(
        by place: Range<Int>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>
    ) throws(SignatureFault) -> RequestIdentity {
        let authorization = bytes.extracting(place)
        let claim = try verifier.claim(authorization)
        let date = bytes.extracting(try Self.date(head, bytes))
        let moment = try verifier.check(claim, authorization, date: date, now: now)
        defer { verifier.canonical.shrink() }
        try canonicalize(authorization.extracting(claim.header.signedNames), head, bytes, content)
        let caller = try verifier.verify(claim, authorization, date: date, at: moment)
        guard front.needsScope else { return RequestIdentity(caller: caller, signedScope: moment.scope) }
        let scope = claim.header.scope
        return RequestIdentity(
            caller: caller, signedScope: moment.scope,
            scope: place.lowerBound + scope.lowerBound..<place.lowerBound + scope.upperBound)
    }

    /// The value of `X-Amz-Date`, else of `Date`.
    private static func date(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) throws(SignatureFault) -> Range<Int> {
        if let date = head[.xAmzDate] { return date }
        var date: Range<Int>?
        for field in head.fields where bytes.isText("date", at: field.name) {
            guard date == nil else { throw .malformed("Date is repeated") }
            date = field.value
        }
        guard let date else { throw .malformed("there is neither X-Amz-Date nor Date") }
        return date
    }

    /// Writes the canonical request, and checks that every field that must be signed is.
    private mutating func canonicalize(
        _ names: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>
    ) throws(SignatureFault) {
        let (path, query) = head.pathAndQuery(bytes)
        // Percent-encoding makes it up to four times as long, and no SDK sends one.
        guard query.count <= Self.maxQueryBytes else { throw .malformed("the query is too long to be signed") }
        let method = method
        verifier.canonical.begin(
            method: method.span, path: bytes.extracting(path), query: bytes.extracting(query))
        let list = lists.list(names)
        if !list.write(names, of: head, bytes, to: &verifier.canonical) { try writeFields(names, head, bytes) }
        if let missing = RequiredFields(head).subtracting(list.covered).first { throw .unsigned(missing) }
        verifier.canonical.end(signedNames: names, content: content)
    }

    private mutating func writeFields(
        _ names: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(SignatureFault) {
        var start = 0
        while start <= names.count {
            var end = start
            while end < names.count, names[end] != UInt8(ascii: ";") { end += 1 }
            let name = names.extracting(start..<end)
            start = end + 1
            verifier.canonical.beginField(name)
            var isFirst = true
            for field in head.fields where bytes.holds(anyCaseOf: name, at: field.name) {
                verifier.canonical.value(bytes.extracting(field.value), isFirst: isFirst)
                isFirst = false
            }
            verifier.canonical.endField()
            // A field that is signed and missing was removed on the way.
            if isFirst { throw .mismatch }
        }
    }

    private static let maxQueryBytes = 2048

    /// Calls are made with this method alone; see `Route`.
    private let method = Array("POST".utf8)
}

/// The parts of a credential scope before the signature is verified; empty without one.
enum CredentialScope {
    static func scope(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int> {
        header(head, bytes)?.scope ?? 0..<0
    }

    static func keyID(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int> {
        header(head, bytes)?.keyID ?? 0..<0
    }

    private static func header(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> SignatureHeader? {
        guard let value = head[.authorization] else { return nil }
        return try? SignatureHeader(bytes, value)
    }
}

final class SignedList {
    private let text: [UInt8]
    /// The fields of the list, with the places of their names in the text; `nil` if one of them is not a known field that occurs
    /// once in a request.
    private let fields: [(field: KnownField, name: Range<Int>)]?
    let covered: RequiredFields

    /// - Parameter names: in lower case, each once, as `SignatureHeader` has them.
    init(_ names: Span<UInt8>) {
        var fields: [(field: KnownField, name: Range<Int>)] = []
        var covered: RequiredFields = []
        var isKnown = true
        var start = 0
        while start <= names.count {
            var end = start
            while end < names.count, names[end] != UInt8(ascii: ";") { end += 1 }
            let name = start..<end
            start = end + 1
            if names.isText("date", at: name) { covered.insert(.date) }
            guard let field = KnownField.named(names, name), field.isSingleton else {
                isKnown = false
                continue
            }
            covered.insert(RequiredFields(field))
            fields.append((field, name))
        }
        text = names.indices.map { names[$0] }
        self.fields = isKnown ? fields : nil
        self.covered = covered
    }

    /// Returns true if it is this list.
    func matches(_ names: Span<UInt8>) -> Bool { names.hasBytes(text) }

    /// Writes the fields of a request.
    ///
    /// - Parameter names: the list, which `matches`.
    /// - Returns: false, and has written nothing, if a field is missing or not in canonical form.
    func write(
        _ names: Span<UInt8>, of head: borrowing RequestHead, _ bytes: Span<UInt8>, to canonical: inout CanonicalRequest
    ) -> Bool {
        guard let fields else { return false }
        // A colon and a line feed for each; the values are different parts of the head.
        let size = names.count + 2 * fields.count + (head.fields.last?.value.upperBound ?? 0)
        return canonical.fields(size: size) { output in
            for field in fields {
                guard let value = head[field.field], bytes.extracting(value).isCanonical else { return false }
                output.appendField(names.extracting(field.name), bytes.extracting(value))
            }
            return true
        }
    }
}

/// The most recent lists of signed names: clients that use one SDK have the same.
struct SignedLists {
    private static let places = 8
    /// SDKs sign fields whose names have about a hundred bytes in all; a longer list is read anew each time.
    private static let maxBytes = 512
    private var lists: [SignedList] = []
    private var next = 0

    mutating func list(_ names: Span<UInt8>) -> SignedList {
        for list in lists where list.matches(names) { return list }
        let list = SignedList(names)
        guard names.count <= Self.maxBytes else { return list }
        if lists.count < Self.places {
            lists.append(list)
        } else {
            lists[next] = list
            next = (next + 1) % Self.places
        }
        return list
    }
}

/// The fields of a request that its signature must cover: those that decide where it goes, when, and what it does. Other signed
/// fields are verified too; which they are differs between SDKs.
struct RequiredFields: OptionSet {
    let rawValue: UInt8

    static let host = RequiredFields(rawValue: 1)
    static let target = RequiredFields(rawValue: 2)
    static let securityToken = RequiredFields(rawValue: 4)
    static let amzDate = RequiredFields(rawValue: 8)
    static let date = RequiredFields(rawValue: 16)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ head: borrowing RequestHead) {
        self = [.host, head[.xAmzDate] == nil ? .date : .amzDate]
        if head[.xAmzTarget] != nil { insert(.target) }
        if head[.xAmzSecurityToken] != nil { insert(.securityToken) }
    }

    /// The field of `RequestHead` that this one is, if it is one.
    init(_ field: KnownField) {
        switch field {
        case .host: self = .host
        case .xAmzTarget: self = .target
        case .xAmzSecurityToken: self = .securityToken
        case .xAmzDate: self = .amzDate
        default: self = []
        }
    }

    /// The name of one of them.
    var first: String? {
        if contains(.host) { return "host" }
        if contains(.target) { return "x-amz-target" }
        if contains(.securityToken) { return "x-amz-security-token" }
        if contains(.amzDate) { return "x-amz-date" }
        return contains(.date) ? "date" : nil
    }
}
