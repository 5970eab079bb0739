internal import Primitives

/// The content of a `NextToken`: the list that it continues, the last element before it, and when it was issued.
struct PageToken: Sendable, Equatable {
    /// A token lives for 24 hours, in nanoseconds, as the service's documentation says of each pagination token
    /// (https://docs.aws.amazon.com/voiceid/latest/APIReference/API_ListFraudsterRegistrationJobs.html).
    static let lifetime: Int64 = 86_400_000_000_000

    /// The arguments that a token is valid for: those of the request that got it, except the page size.
    struct Scope: Sendable, Equatable {
        var operation: Operation
        var domain: Identifier?
        var status: JobStatus?
    }

    /// Why a token is not accepted.
    enum Fault: Error, Sendable, Equatable {
        /// It was not issued here, or was changed.
        case unknown
        case otherOperation
        case otherArguments
        case expired
    }

    var scope: Scope
    /// The last element of the page that it was issued with.
    var position: Position
    /// In whole seconds.
    var issuedAt: WallInstant

    // MARK: Spelling

    /// The token as clients see it: what it says and a checksum of that.
    func spelled(_ checksum: SipHash) -> String {
        var bytes = [scope.operation.code << 3 | (scope.status?.code ?? 0), scope.domain == nil ? 0 : 1]
        for word in [scope.domain?.key ?? 0, UInt64(bitPattern: position.createdAt), position.key] {
            Self.append(word, to: &bytes)
        }
        Self.append(UInt64(bitPattern: issuedAt.seconds), to: &bytes)
        Self.append(checksum.hash(bytes), to: &bytes)
        return Base64URL.encode(bytes)
    }

    /// Reads a token that should be good for `scope` now.
    ///
    /// The empty text is a token like any other that was never issued. The model lets it pass (its length may be 0), and
    /// to take it for "no token" would answer the first page to a client that lost its place.
    init(_ text: String, for scope: Scope, checksum: SipHash, now: WallInstant) throws(Fault) {
        guard let bytes = Base64URL.decode(text.utf8), bytes.count == Self.count else { throw .unknown }
        guard checksum.hash(Array(bytes.dropLast(8))) == Self.word(bytes, at: Self.count - 8) else { throw .unknown }
        guard bytes[0] >> 3 == scope.operation.code else { throw .otherOperation }
        guard bytes[0] & 7 == scope.status?.code ?? 0, bytes[1] == (scope.domain == nil ? 0 : 1),
            Self.word(bytes, at: 2) == scope.domain?.key ?? 0
        else { throw .otherArguments }
        self.scope = scope
        position = Position(
            createdAt: Int64(bitPattern: Self.word(bytes, at: 10)), key: Self.word(bytes, at: 18))
        issuedAt = WallInstant(seconds: Int64(bitPattern: Self.word(bytes, at: 26)))
        guard now - issuedAt < Self.lifetime else { throw .expired }
    }

    init(scope: Scope, position: Position, issuedAt: WallInstant) {
        self.scope = scope
        self.position = position
        self.issuedAt = issuedAt
    }

    // MARK: Bytes

    /// Two bytes, then domain, time, key, issue and checksum.
    private static let count = 42

    private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    private static func word(_ bytes: [UInt8], at start: Int) -> UInt64 {
        bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
