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
            if head.names("application/openmetrics-text", in: "accept", bytes) { format = .openMetrics }
            isPacked = head.acceptsGzip(bytes)
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
