internal import CPage

/// The operator's page: one HTML document that needs nothing from elsewhere. It holds no figures of the gateway, and is the same for
/// everybody.
public struct DashboardPage: Sendable {
    /// The text between the tags of its one `style` element, and of its one `script` element.
    public let style: [UInt8]
    public let script: [UInt8]
    private let markup: [UInt8]

    /// The page of this program.
    public init() {
        let parts = (0..<CPage_count()).map { place in
            // The bytes are constants of the program, as many as it says.
            unsafe Array(UnsafeBufferPointer(start: CPage_bytes(place), count: CPage_size(place)))
        }
        markup = parts.first ?? []
        style = Array(parts.dropFirst().first ?? [])
        script = Array(parts.dropFirst(2).joined(separator: [UInt8(ascii: "\n")]))
    }

    /// The whole document.
    ///
    /// - Parameter asksForToken: true if figures are shown only to those who have the token; the page then asks for it first.
    public func document(asksForToken: Bool) -> [UInt8] {
        markup
            .replacing("<style></style>".utf8, with: Array("<style>".utf8) + style + Array("</style>".utf8))
            .replacing("<script></script>".utf8, with: Array("<script>".utf8) + script + Array("</script>".utf8))
            .replacing(
                "data-token=\"none\"".utf8,
                with: asksForToken ? "data-token=\"asked\"".utf8 : "data-token=\"none\"".utf8)
    }
}
