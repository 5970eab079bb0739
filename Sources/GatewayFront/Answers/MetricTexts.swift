internal import AWSProtocol
internal import HTTPFront
internal import Primitives
internal import Telemetry

/// `/metrics` in each format and coding. Rendering and packing take no time of an event loop; see `SharedText`.
final class MetricTexts: Sendable {
    struct Form: Equatable {
        var format = MetricFormat.prometheus
        var isPacked = false

        init() {}

        /// That which a request's `Accept` and `Accept-Encoding` ask for.
        init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
            for field in head.fields {
                if bytes.isText("accept", at: field.name) {
                    if Self.accepts("application/openmetrics-text", bytes, field.value) { format = .openMetrics }
                } else if bytes.isText("accept-encoding", at: field.name) {
                    if Self.accepts("gzip", bytes, field.value) { isPacked = true }
                }
            }
        }

        /// Returns true if a list names a value with a weight that is not 0 (RFC 9110, section 12.4.2).
        private static func accepts(_ name: StaticString, _ bytes: Span<UInt8>, _ list: Range<Int>) -> Bool {
            let text = String(decoding: Array(copying: bytes.extracting(list)), as: UTF8.self).lowercased()
            return text.split(separator: ",").contains { item in
                let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
                let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
                return parts.first == "\(name)" && weight > 0
            }
        }

        fileprivate var place: Int { (format == .openMetrics ? 2 : 0) + (isPacked ? 1 : 0) }
    }

    private let texts: [SharedText]

    init(_ registry: Metrics, offload: @escaping SharedText.Offload) {
        texts = [(MetricFormat.prometheus, false), (.prometheus, true), (.openMetrics, false), (.openMetrics, true)].map
        {
            format, isPacked in
            SharedText(offload: offload) {
                let text = registry.render(format)
                return isPacked ? Gzip.packed(text.span) ?? [] : text
            }
        }
    }

    subscript(form: Form) -> SharedText { texts[form.place] }
}

extension AnswerRenderer {
    mutating func metrics(_ text: [UInt8], _ form: MetricTexts.Form, _ response: inout ResponseWriter) {
        response.start(.ok)
        response.field("Content-Type", form.format.contentType)
        if form.isPacked { response.line("Content-Encoding: gzip\r\n") }
        response.line("Vary: Accept, Accept-Encoding\r\n")
        response.finish(text)
    }
}
