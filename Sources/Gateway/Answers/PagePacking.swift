internal import AWSProtocol
internal import PageCache

// Pages in gzip (RFC 1952) for clients that accept it. A page is packed once, when it comes.

extension Page {
    /// Shorter bodies fit into a packet or two; longer ones would hold up the thread that packs them: a mebibyte takes about 5 ms.
    private static let packedSizes = 1024...(1 << 20)

    /// The page with its body in gzip beside it; the page itself if that saves less than a tenth.
    func packing() -> Page {
        let body = body
        guard Self.packedSizes.contains(body.count), let packed = Gzip.packed(body.span, effort: .fast),
            packed.count <= body.count - body.count / 10
        else { return self }
        return withPacked(packed)
    }
}
