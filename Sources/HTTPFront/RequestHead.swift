/// The head of a request, as places in the bytes that it was read from.
///
/// One value is used again and again for all requests of an event loop, so that reading a head allocates nothing. It means
/// something only together with the bytes that it was filled from.
public struct RequestHead {
    /// A header field's name and value, the value without surrounding white space.
    public struct Field: Sendable {
        public let name: Range<Int>
        public let value: Range<Int>
    }

    /// The methods that any route knows; all others are told apart by nobody.
    public enum Method: Sendable {
        case get
        case head
        case post
        case connect
        case other
    }

    /// How long the content is said to be.
    enum Framing: Equatable {
        case length(Int)
        case chunked
    }

    public internal(set) var method = Method.other
    /// The path of the request target and its query, `/` for an absolute-form target without a path.
    public internal(set) var path = 0..<0
    /// The authority of an absolute-form target (`http://host:port/path`), or nothing.
    public internal(set) var authority: Range<Int>?
    /// The header fields, in the order of the request.
    public internal(set) var fields: [Field] = []
    /// Whether the client asks for the connection to be kept (RFC 9112, section 9.3).
    public internal(set) var keepsConnection = true
    /// Whether the client waits for `100 Continue` before it sends the content.
    public internal(set) var expectsContinue = false

    /// Whose request it is, as far as the connection knows.
    public internal(set) var peer = Peer()

    var framing = Framing.length(0)
    var isHTTP11 = true
    /// The bytes of the head, with its empty line.
    var length = 0
    /// The last `Host` that was found to be well-formed: most requests have the same.
    private var goodHost: [UInt8] = []
    /// Where each known field is among the fields, -1 for those that are not there; there are at most 20.
    private var places = InlineArray<20, Int16>(repeating: -1)

    /// Which known fields there are, a bit for each.
    private var present: UInt32 = 0

    /// An empty head, to be filled by the decoder.
    public init() { fields.reserveCapacity(32) }

    /// The value of a known field, or nothing if the request does not have it.
    public subscript(field: KnownField) -> Range<Int>? {
        let place = places[field.rawValue]
        return place < 0 ? nil : fields[Int(place)].value
    }

    /// Returns true if the request has one of these fields.
    @inline(__always)
    public func hasAny(_ first: KnownField, _ second: KnownField, _ third: KnownField? = nil) -> Bool {
        present & (first.bit | second.bit | (third?.bit ?? 0)) != 0
    }

    /// Whether a value of `Host` is well-formed.
    mutating func isGood(host: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        if !goodHost.isEmpty, bytes.holds(goodHost, at: host) { return true }
        guard Self.isHost(bytes, host) else { return false }
        if host.count <= Self.keptHostBytes { goodHost = host.map { bytes[$0] } }
        return true
    }

    /// Longer names are rare.
    private static let keptHostBytes = 256

    /// Forgets everything but the peer and the host, and keeps the memory.
    mutating func reset() {
        method = .other
        path = 0..<0
        authority = nil
        fields.removeAll(keepingCapacity: true)
        keepsConnection = true
        expectsContinue = false
        framing = .length(0)
        isHTTP11 = true
        length = 0
        places = InlineArray(repeating: -1)
        present = 0
    }

    /// Adds a field; a singleton that is there already is refused.
    @inline(__always)
    mutating func append(_ field: Field, known: KnownField?) throws(Refusal) {
        if let known {
            if places[known.rawValue] < 0 {
                places[known.rawValue] = Int16(clamping: fields.count)
                present |= known.bit
            } else if known.isSingleton {
                throw known.repetition
            }
        }
        fields.append(field)
    }
}

extension KnownField {
    fileprivate var bit: UInt32 { 1 << UInt32(truncatingIfNeeded: rawValue) }

    fileprivate var repetition: Refusal {
        switch self {
        case .host: .host
        case .contentLength: .contentLength
        case .transferEncoding: .transferEncoding
        default: .repeatedField
        }
    }
}
