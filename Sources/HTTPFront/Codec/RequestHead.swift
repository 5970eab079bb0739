internal import NIOCore
internal import Primitives

/// The head of a request, as ranges in the bytes that it was read from.
///
/// One value serves all requests of an event loop in turn, so that reading a head allocates no memory. It is valid only together with
/// the bytes that it was filled from.
public struct RequestHead {
    /// A header field's name and value, the value without surrounding white space.
    public struct Field: Sendable {
        public let name: Range<Int>
        public let value: Range<Int>
    }

    /// The methods that a route knows. Any other method is `.other`.
    public enum Method: Sendable {
        case get
        case head
        case post
        case connect
        case other
    }

    /// How the length of the content is declared.
    enum Framing: Equatable {
        case length(Int)
        case chunked
    }

    public internal(set) var method = Method.other
    /// The path of the request target and its query, `/` for an absolute-form target without a path.
    public internal(set) var path = 0..<0
    /// The authority of an absolute-form target (`http://host:port/path`); `nil` for other forms.
    public internal(set) var authority: Range<Int>?
    /// The header fields, in the order of the request.
    public internal(set) var fields: [Field] = []
    /// True if the client asks for the connection to be kept (RFC 9112, section 9.3).
    public internal(set) var keepsConnection = true
    /// True if the client waits for `100 Continue` before it sends the content.
    public internal(set) var expectsContinue = false

    /// The peer that the connection belongs to.
    public internal(set) var peer = Peer()

    var framing = Framing.length(0)
    var isHTTP11 = true
    /// The bytes of the head, with its empty line.
    var length = 0
    /// The last well-formed `Host`: most requests repeat it, and then it is compared instead of parsed.
    private var goodHost: [UInt8] = []
    /// The index of each known field among `fields`; -1 if the request lacks it.
    private var places = InlineArray<22, Int16>(repeating: -1)

    /// The known fields that the request has, one bit each.
    private var present: UInt32 = 0
    /// Those that it has more than once.
    private var repeated: UInt32 = 0

    /// An empty head, to be filled by the decoder.
    public init() { fields.reserveCapacity(32) }

    /// The value of a known field; `nil` if the request does not have it.
    public subscript(field: KnownField) -> Range<Int>? {
        let place = places[field.rawValue]
        return place < 0 ? nil : fields[Int(place)].value
    }

    /// Returns true if the request has one of these fields.
    @inline(__always)
    public func hasAny(_ first: KnownField, _ second: KnownField, _ third: KnownField? = nil) -> Bool {
        present & (first.bit | second.bit | (third?.bit ?? 0)) != 0
    }

    /// Returns true if the request has a field more than once.
    public func repeats(_ field: KnownField) -> Bool { repeated & field.bit != 0 }

    /// The path, and the query behind its question mark; an empty range if there is none.
    public func pathAndQuery(_ bytes: Span<UInt8>) -> (path: Range<Int>, query: Range<Int>) {
        let end = min(bytes.first(UInt8(ascii: "?"), from: path.lowerBound), path.upperBound)
        return (path.lowerBound..<end, min(end + 1, path.upperBound)..<path.upperBound)
    }

    mutating func isGood(host: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        if !goodHost.isEmpty, bytes.holds(goodHost, at: host) { return true }
        guard Self.isHost(bytes, host) else { return false }
        if host.count <= Self.keptHostBytes { goodHost = host.map { bytes[$0] } }
        return true
    }

    /// A longer host is parsed each time.
    private static let keptHostBytes = 256

    /// Forgets everything except the peer and the last host, and keeps the memory.
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
        repeated = 0
    }

    /// The peer becomes the client that a trusted proxy forwards the request for, if that is told.
    mutating func takeClient(_ bytes: Span<UInt8>, _ proxies: TrustedProxies) {
        guard self[.xForwardedFor] != nil else { return }
        let name = Array("x-forwarded-for".utf8)
        var values: [[UInt8]] = []
        for field in fields where bytes.holds(anyCaseOf: name.span, at: field.name) {
            values.append(field.value.map { bytes[$0] })
        }
        if let client = proxies.client(forwardedFor: values) { peer.become(client, isOnThisMachine: false) }
    }

    /// Adds a field.
    ///
    /// - Returns: `known` if it may occur once and the request has it already; the field is not added then.
    @inline(__always)
    mutating func append(_ field: Field, known: KnownField?) -> KnownField? {
        if let known {
            if places[known.rawValue] < 0 {
                places[known.rawValue] = Int16(clamping: fields.count)
                present |= known.bit
            } else if known.isSingleton {
                return known
            } else {
                repeated |= known.bit
            }
        }
        fields.append(field)
        return nil
    }
}

extension KnownField {
    fileprivate var bit: UInt32 { 1 << UInt32(truncatingIfNeeded: rawValue) }
}

/// The peer of a connection.
public struct Peer: Sendable, Equatable {
    /// True if the peer is on this machine.
    public var isLoopback = false
    /// The responder's identity for the client certificate; -1 without a certificate, or if it belongs to no known caller.
    public var identity: Int32 = -1
    /// Its address, for records.
    public var address = PeerAddress()
    /// The address of this machine that it has connected to.
    public var local = PeerAddress()
    /// True if it is a proxy whose word about its clients is taken.
    var isTrustedProxy = false

    init() {}

    /// A peer without a certificate. A Unix socket is on this machine too.
    init(_ address: SocketAddress?, at local: SocketAddress? = nil, proxies: TrustedProxies = TrustedProxies()) {
        if let text = local?.ipAddress, let address = IPAddress(text.utf8) {
            self.local = PeerAddress(address.unmapped)
        }
        isTrustedProxy = proxies.contains(address)
        if case .unixDomainSocket = address { isLoopback = true }
        if let text = address?.ipAddress, let address = IPAddress(text.utf8) {
            isLoopback = address.isLoopback
            self.address = PeerAddress(address)
        }
    }

    /// A proxy hands on the connection or the request of this client.
    ///
    /// - Parameter isOnThisMachine: false wherever the client itself may have written the address: a request that need not be identified comes from
    ///   this machine for certain.
    mutating func become(_ client: IPAddress, isOnThisMachine: Bool) {
        isLoopback = isOnThisMachine
        address = PeerAddress(client)
    }

    /// A proxy hands on the connection of a client that it does not tell: its address stays the proxy's, but it may be on any machine, and its
    /// word about others is not taken.
    mutating func becomeUnknown() {
        isLoopback = false
        isTrustedProxy = false
    }
}
