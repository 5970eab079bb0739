internal import AWSProtocol

/// A request's input, read once: what goes into the page's key and what is sent upstream come from the same reading.
public struct OperationInput: Sendable {
    /// Why an input is not accepted.
    public enum Fault: Error, Sendable, Equatable {
        /// The body is not JSON of the right types.
        case serialization(String)
        /// Members violate what the model says of them.
        case validation(String)
        /// The content is larger than is accepted once its coding is taken off.
        case tooLarge
    }

    /// The body in its one spelling: members in the order of their names, no white space, without those that are null or
    /// equal to their default. Requests that mean the same have the same bytes here; inside lists and structures, which no
    /// cached operation has, members keep their order.
    public let canonicalBody: [UInt8]
    /// The domain that the request is about; empty if it names none.
    public let domain: [UInt8]
    /// The status that a listing is filtered by.
    public let status: [UInt8]?
    /// The ARN that the request is about.
    public let resource: [UInt8]?
    /// True if there are members that the catalog does not know, or not as they are, which it leaves to the service: such a request
    /// goes upstream as it came, uncached.
    public let hasUnknownMembers: Bool
    /// True if members are not as the catalog knows them, so that even the subject of the request is not certain.
    public let isUncertain: Bool
    /// True if the member that makes repetition safe is there.
    public let hasIdempotencyToken: Bool

    /// The input of a request that the gateway does not read: it goes upstream as it came, uncached, and nothing is known of it.
    static let unread = OperationInput()

    private init() {
        canonicalBody = []
        domain = []
        status = nil
        resource = nil
        hasUnknownMembers = true
        isUncertain = true
        hasIdempotencyToken = false
    }

    /// Reads and checks content that may be in a coding.
    ///
    /// - Throws: `Fault`, with a message for the client.
    init(_ body: Span<UInt8>, in coding: ContentCoding?, of operation: Operation) throws(Fault) {
        guard let coding else {
            self = try OperationInput(body, of: operation)
            return
        }
        guard coding.isGzip else {
            self = .unread
            return
        }
        let content: [UInt8]
        do throws(Gzip.Fault) {
            content = try Gzip.unpacked(body, atMost: coding.maxBytes)
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge
            case .broken: throw .serialization("The request body is not gzip, as its Content-Encoding says.")
            // Some readers go on with what follows, and some stop.
            case .trailing:
                self = .unread
                return
            }
        }
        self = try OperationInput(content.span, of: operation)
    }

    /// Reads and checks a body. An empty one is an empty object: some clients send nothing where nothing is asked for. One that is nested
    /// too deep for the gateway's reader is not read, because documents may be of any depth.
    ///
    /// - Throws: `Fault`, with a message for the client.
    public init(_ body: Span<UInt8>, of operation: Operation) throws(Fault) {
        let members: [JSONMember]
        do throws(JSONError) {
            members = body.isEmpty ? [] : try JSONReader.members(of: body)
        } catch {
            guard error.reason != .tooDeep else {
                self = .unread
                return
            }
            throw .serialization(
                "The request body is not acceptable JSON: \(error.reason.rawValue) at byte \(error.offset).")
        }

        var values = [JSONToken?](repeating: nil, count: operation.input.count)
        var hasUnknownMembers = false
        var isUncertain = false
        for member in members {
            guard let place = Self.place(of: member.name, in: operation, body) else {
                hasUnknownMembers = true
                continue
            }
            if member.value.kind != .null || operation.input[place].kind == .document { values[place] = member.value }
        }

        var canonical: [UInt8] = []
        canonical.reserveCapacity(body.count + 2)
        canonical.append(UInt8(ascii: "{"))
        var violations: [String] = []
        var allowance = MatchAllowance()
        for (place, constraint) in operation.input.enumerated() {
            guard let token = values[place] else {
                violations += operation.isJudged ? constraint.missing() : []
                isUncertain = isUncertain || constraint.isRequired
                continue
            }
            guard constraint.accepts(token, in: body) else {
                guard !operation.isJudged else { throw Self.wrongType(constraint) }
                values[place] = nil
                isUncertain = true
                continue
            }
            let start = canonical.count
            if canonical.count > 1 { canonical.append(UInt8(ascii: ",")) }
            JSONText.appendString(operation.memberNames[place], to: &canonical)
            canonical.append(UInt8(ascii: ":"))
            switch constraint.kind {
            case .string:
                let value = token.string(in: body)
                violations += constraint.violations(string: value, &allowance)
                JSONText.appendString(value, to: &canonical)
            case .blob:
                let value = token.string(in: body)
                violations += constraint.violations(blob: value)
                JSONText.appendString(value, to: &canonical)
            case .integer:
                // `1.0` is 1 to one service, and an error to another.
                guard let value = token.integer(in: body) else {
                    canonical.removeSubrange(start...)
                    values[place] = nil
                    isUncertain = true
                    continue
                }
                violations += constraint.violations(integer: value)
                if value == operation.defaults[place] {
                    canonical.removeSubrange(start...)
                } else {
                    canonical += String(value).utf8
                }
            case .number where token.kind == .string, .timestamp where token.kind == .string:
                JSONText.appendString(token.string(in: body), to: &canonical)
            // In its own spelling: `1` and `1.0` are different pages.
            case .number, .timestamp, .boolean:
                for index in token.range { canonical.append(body[index]) }
            case .list, .structure, .document:
                let value = JSONValue(token, in: body)
                if operation.isJudged {
                    do throws(WrongTypeError) {
                        violations += try constraint.violations(of: value, &allowance)
                    } catch {
                        throw .serialization(error.message)
                    }
                }
                canonical += value.serialized()
            }
        }
        canonical.append(UInt8(ascii: "}"))
        guard violations.isEmpty else { throw .validation(InputConstraint.message(violations)) }

        canonicalBody = canonical
        self.hasUnknownMembers = hasUnknownMembers || isUncertain
        self.isUncertain = isUncertain
        domain = operation.domain.flatMap { values[$0] }?.string(in: body) ?? []
        status = operation.status.flatMap { values[$0] }?.string(in: body)
        resource = operation.resource.flatMap { values[$0] }?.string(in: body)
        hasIdempotencyToken = operation.idempotencyToken.flatMap { values[$0] } != nil
    }

    /// The domain whose pages this is one of: named by its id, or else by an ARN.
    var pageDomain: [UInt8] { domain.isEmpty ? resourceDomain : domain }

    /// The domain that the ARN ends with (`domain/ID`), empty if there is no ARN.
    var resourceDomain: [UInt8] {
        guard let resource else { return [] }
        return Array(resource[((resource.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...])
    }

    private static func place(of name: JSONToken, in operation: Operation, _ body: Span<UInt8>) -> Int? {
        for (place, candidate) in operation.memberNames.enumerated() where name.equals(candidate, in: body) {
            return place
        }
        return nil
    }

    private static func wrongType(_ constraint: InputConstraint) -> Fault {
        .serialization(WrongTypeError(path: constraint.member, kind: constraint.kind).message)
    }
}
