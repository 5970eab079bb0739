public import Primitives

/// The IP address of a client, without memory of its own: every request carries one.
public struct PeerAddress: Sendable, Equatable {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    /// 0 if it is not known.
    private var count: UInt8 = 0

    /// An address that is not known, or none, as of a Unix socket.
    public init() {}

    public init(_ address: IPAddress) {
        count = UInt8(truncatingIfNeeded: address.bytes.count)
        for (place, byte) in address.bytes.enumerated() {
            if place < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
    }

    /// In the form of RFC 5952, or decimal octets; empty if it is not known.
    public var text: String {
        let places = count == 4 ? 4..<8 : 0..<8
        let bytes =
            (places.map { UInt8(truncatingIfNeeded: high >> UInt64(8 * (7 - $0))) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> UInt64(8 * (7 - $0))) }).prefix(Int(count))
        return IPAddress(bytes: Array(bytes))?.text ?? ""
    }
}
