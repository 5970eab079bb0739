/// The SHA-256 digest of some bytes in base64 (RFC 4648, section 4), as a Content-Security-Policy names a script by
/// (https://www.w3.org/TR/CSP3/, section 2.3.1).
public func sha256InBase64(_ bytes: Span<UInt8>) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let digest = SHA256.hash(bytes).bytes
    var text: [UInt8] = []
    for start in stride(from: 0, to: digest.count, by: 3) {
        let group = digest[start..<min(start + 3, digest.count)]
        let bits = (0..<3).reduce(0) { $0 << 8 | Int($1 < group.count ? group[start + $1] : 0) }
        for place in 0..<4 {
            text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 0x3f] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
