internal import Primitives

/// Spans as an `ExportTraceServiceRequest` of the OpenTelemetry protocol, in JSON
/// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hexadecimal digits, 64-bit integers as texts, enumerations as
/// numbers.
public struct OTLPText {
    /// The media type of requests.
    public static let contentType = "application/json"

    private var bytes: [UInt8] = []

    /// - Parameters:
    ///   - service: the resource's `service.name`.
    ///   - instance: its `service.instance.id`; empty for none.
    public static func request(_ spans: [TraceSpan], service: String, version: String, instance: String = "") -> [UInt8]
    {
        var text = OTLPText()
        text.bytes.reserveCapacity(256 + spans.count * 1024)
        text.raw(#"{"resourceSpans":[{"resource":{"attributes":["#)
        text.attribute("service.name", .text(service))
        text.raw(",")
        text.attribute("service.version", .text(version))
        if !instance.isEmpty {
            text.raw(",")
            text.attribute("service.instance.id", .text(instance))
        }
        text.raw(#"]},"scopeSpans":[{"scope":{"name":"jobs-proxy","version":"#)
        text.string(version)
        text.raw(#"},"spans":["#)
        text.list(spans) { $0.span($1) }
        text.raw("]}]}]}")
        return text.bytes
    }

    private mutating func span(_ span: TraceSpan) {
        raw(#"{"traceId":""#)
        bytes += span.trace.bytes
        raw(#"","spanId":""#)
        bytes += span.id.bytes
        if let parent = span.parent {
            raw(#"","parentSpanId":""#)
            bytes += parent.bytes
        }
        raw("\"")
        if !span.state.isEmpty {
            raw(#","traceState":"#)
            string(String(decoding: span.state, as: UTF8.self))
        }
        raw(#","name":"#)
        string(span.name)
        raw(",\"kind\":\(span.kind.rawValue)")
        raw(",\"startTimeUnixNano\":\"\(max(0, span.start.nanoseconds))\"")
        raw(",\"endTimeUnixNano\":\"\(max(0, span.end.nanoseconds))\"")
        raw(#","attributes":["#)
        list(span.attributes) { $0.attribute($1.name, $1.value) }
        raw("]")
        if !span.links.isEmpty {
            raw(#","links":["#)
            list(span.links) { text, link in
                text.raw(#"{"traceId":""#)
                text.bytes += link.trace.bytes
                text.raw(#"","spanId":""#)
                text.bytes += link.span.bytes
                text.raw("\"}")
            }
            raw("]")
        }
        if let error = span.error {
            // STATUS_CODE_ERROR.
            raw(#","status":{"code":2,"message":"#)
            string(error)
            raw("}")
        }
        raw("}")
    }

    private mutating func attribute(_ name: String, _ value: TraceSpan.Value) {
        raw(#"{"key":"#)
        string(name)
        switch value {
        case .text(let text):
            raw(#","value":{"stringValue":"#)
            string(text)
        case .number(let number): raw(#","value":{"intValue":"\#(number)""#)
        }
        raw("}}")
    }

    private mutating func list<Element>(_ elements: [Element], _ write: (inout OTLPText, Element) -> Void) {
        for (index, element) in elements.enumerated() {
            if index > 0 { raw(",") }
            write(&self, element)
        }
    }

    private mutating func raw(_ text: String) { bytes += text.utf8 }

    /// A text of bounded length in quotation marks (RFC 8259, section 7).
    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var length = 0
        for scalar in text.unicodeScalars {
            length += 1
            guard length <= TraceSpan.maxTextLength else { break }
            switch scalar {
            case "\"": raw("\\\"")
            case "\\": raw("\\\\")
            case _ where scalar.value < 0x20:
                raw("\\u00")
                for digit in [scalar.value >> 4, scalar.value & 15] { raw(String(digit, radix: 16)) }
            default: raw(String(scalar))
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
