/// A sample of a metric, as a scrape shows it.
public struct MetricSample: Sendable, Equatable {
    /// The sample's own name: a histogram's ends with `_bucket`, `_sum` or `_count`.
    public let name: String
    public let labels: [(name: String, value: String)]
    public let value: Double

    /// The value of a label; "" if there is none.
    public subscript(label: String) -> String { labels.first { $0.name.utf8.elementsEqual(label.utf8) }?.value ?? "" }

    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.value == right.value && left.labels.elementsEqual(right.labels, by: ==)
    }

    public init(name: String, labels: [(name: String, value: String)] = [], value: Double) {
        (self.name, self.labels, self.value) = (name, labels, value)
    }

    /// Reads the samples of a text in the exposition format, as `MetricText` writes it. Other lines are left out.
    static func samples(of text: [UInt8]) -> [MetricSample] {
        text.split(separator: UInt8(ascii: "\n")).compactMap(sample)
    }

    private static func sample(_ line: ArraySlice<UInt8>) -> MetricSample? {
        guard line.first != UInt8(ascii: "#") else { return nil }
        var rest = line
        let name = rest.prefix { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: " ") }
        rest = rest.dropFirst(name.count)
        var labels: [(name: String, value: String)] = []
        if rest.first == UInt8(ascii: "{") {
            rest.removeFirst()
            while let label = takeLabel(&rest) { labels.append(label) }
            guard rest.popFirst() == UInt8(ascii: "}") else { return nil }
        }
        let number = rest.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: " ") }
        guard let value = Double(String(decoding: number, as: UTF8.self)) else { return nil }
        return MetricSample(name: String(decoding: name, as: UTF8.self), labels: labels, value: value)
    }

    /// Takes `name="value"` and the comma behind it; nil at the end of the labels.
    private static func takeLabel(_ rest: inout ArraySlice<UInt8>) -> (name: String, value: String)? {
        let name = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "}") }
        guard !name.isEmpty else { return nil }
        var text = rest.dropFirst(name.count)
        guard text.popFirst() == UInt8(ascii: "="), text.popFirst() == UInt8(ascii: "\"") else { return nil }
        var value: [UInt8] = []
        while let byte = text.popFirst(), byte != UInt8(ascii: "\"") {
            guard byte == UInt8(ascii: "\\"), let escaped = text.popFirst() else {
                value.append(byte)
                continue
            }
            value.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
        }
        if text.first == UInt8(ascii: ",") { text.removeFirst() }
        rest = text
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
}

extension Metrics {
    /// The samples of chosen metrics, as a scrape would show them now, by the metric's name. One that is not registered is missing.
    public func samples(of names: Set<String>) -> [String: [MetricSample]] {
        var samples: [String: [MetricSample]] = [:]
        for family in registered where names.contains(family.name) {
            var text = MetricText()
            family.render(into: &text)
            samples[family.name, default: []] += MetricSample.samples(of: text.bytes)
        }
        return samples
    }
}
