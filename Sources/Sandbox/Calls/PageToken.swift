internal import AWSProtocol
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

        fileprivate var words: [UInt64] {
            let status = status.flatMap { JobStatus.allCases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            return [UInt64(Operation.allCases.firstIndex(of: operation) ?? 0), UInt64(status), domain?.key ?? 0]
        }
    }

    /// The reason why a token is not accepted.
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
}

extension PageToken {
    /// The token as clients see it: six words and the code of their text, each in base 62.
    ///
    /// - Parameter key: of the code. It shows that a token was changed or made up, as the real service would notice. It is no
    ///   security, because the key follows from the sandbox's seed, which anyone may know.
    func spelled(_ key: HMACKey) -> String {
        let words =
            scope.words + [position.createdAt, issuedAt.seconds].map(UInt64.init(bitPattern:)) + [position.key]
        let text = words.flatMap(Identifier.spell)
        return String(decoding: text + Identifier.spell(key.word(text.span)), as: UTF8.self)
    }

    /// Reads a token that should be good for `scope` now.
    ///
    /// The empty text is a token like any other that was never issued. The model lets it pass (its length may be 0), and
    /// to take it for "no token" would answer the first page to a client that lost its place.
    init(_ text: String, for scope: Scope, key: HMACKey, now: WallInstant) throws(Fault) {
        let characters = Array(text.utf8)
        let width = Identifier.digits
        guard characters.count == 7 * width else { throw .unknown }
        let words = (0..<7).compactMap { Identifier.number(characters[$0 * width..<($0 + 1) * width]) }
        guard words.count == 7, words[6] == key.word(characters.span.extracting(..<(6 * width))) else {
            throw .unknown
        }
        guard words[0] == scope.words[0] else { throw .otherOperation }
        guard words[..<3].elementsEqual(scope.words) else { throw .otherArguments }
        self.scope = scope
        position = Position(createdAt: Int64(bitPattern: words[3]), key: words[5])
        issuedAt = WallInstant(seconds: Int64(bitPattern: words[4]))
        guard now - issuedAt < Self.lifetime else { throw .expired }
    }
}
