internal import CCrypto
internal import Primitives

/// A Lua script, which the server finds by its SHA-1 once it has seen the source.
public struct RedisScript: Sendable {
    public let source: [UInt8]
    /// 40 lower-case hexadecimal digits, as `EVALSHA` takes them.
    public let digest: [UInt8]

    public init(_ source: String) {
        self.source = Array(source.utf8)
        var hash = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        // Unsafe only in its pointers: the count is the source's, and a hash of SHA-1 has 20 bytes.
        _ = unsafe SHA1(self.source, self.source.count, &hash)
        var digest: [UInt8] = []
        for byte in hash { digest.append(hexadecimal: byte) }
        self.digest = digest
    }

    func command(byDigest: Bool, keys: [[UInt8]], arguments: [[UInt8]]) -> RedisCommand {
        let head = [
            Array((byDigest ? "EVALSHA" : "EVAL").utf8), byDigest ? digest : source, Array("\(keys.count)".utf8),
        ]
        return RedisCommand(words: head + keys + arguments)
    }
}
