public import Primitives

/// A part of the work on a request, with its time. The names of attributes are OpenTelemetry's semantic conventions
/// (https://opentelemetry.io/docs/specs/semconv/).
public struct TraceSpan: Sendable, Equatable {
    /// The raw value is that of OTLP.
    public enum Kind: Int, Sendable {
        case inside = 1
        /// The answer to a client.
        case server = 2
        /// A request that is sent on.
        case client = 3
    }

    public enum Value: Sendable, Equatable {
        case text(String)
        case number(Int64)
    }

    /// Another span that this one has to do with, of the same trace or another.
    public struct Link: Sendable, Equatable {
        public let trace: TraceID
        public let span: SpanID

        public init(_ trace: TraceID, _ span: SpanID) { (self.trace, self.span) = (trace, span) }
    }

    public struct Attribute: Sendable, Equatable {
        public let name: String
        public let value: Value
    }

    public let trace: TraceID
    public let id: SpanID
    public let parent: SpanID?
    public let state: [UInt8]
    public let name: String
    public let kind: Kind
    public let start: WallInstant
    public let end: WallInstant
    public private(set) var attributes: [Attribute] = []
    public var links: [Link] = []
    /// Why it failed, in a few words; `nil` if it has not.
    public var error: String?

    /// The longest text of an attribute, in Unicode scalars.
    static let maxTextLength = 512

    public init(
        trace: TraceID, id: SpanID, parent: SpanID?, state: [UInt8] = [], name: String, kind: Kind, start: WallInstant,
        end: WallInstant
    ) {
        (self.trace, self.id, self.parent, self.state) = (trace, id, parent, state)
        (self.name, self.kind, self.start, self.end) = (name, kind, start, max(start, end))
    }

    /// Adds a text, unless it is empty.
    public mutating func add(_ name: String, _ text: String) {
        if !text.isEmpty { attributes.append(Attribute(name: name, value: .text(text))) }
    }

    public mutating func add(_ name: String, _ number: Int64) {
        attributes.append(Attribute(name: name, value: .number(number)))
    }
}

extension RequestTrace {
    /// A span below the request's.
    public func child(
        _ name: String, _ kind: TraceSpan.Kind = .inside, id: SpanID, start: WallInstant, end: WallInstant
    ) -> TraceSpan {
        TraceSpan(trace: trace, id: id, parent: span, state: state, name: name, kind: kind, start: start, end: end)
    }

    /// The request's own span.
    public func root(_ name: String, start: WallInstant, end: WallInstant) -> TraceSpan {
        TraceSpan(
            trace: trace, id: span, parent: parent, state: state, name: name, kind: .server, start: start, end: end)
    }
}
