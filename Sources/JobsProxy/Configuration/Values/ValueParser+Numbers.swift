internal import Gateway
internal import Primitives
internal import StrictYAML

extension ValueParser where Value == Int {
    static func whole(_ range: ClosedRange<Int>) -> ValueParser {
        ValueParser { scalar throws(Problem) in
            guard scalar.isPlain, isWhole(scalar.text) else {
                throw Problem("must be a whole number in plain digits, not \(scalar.text.quoted)")
            }
            guard let value = Int(scalar.text), range.contains(value) else {
                throw outside("\(range.lowerBound) and \(range.upperBound)", scalar)
            }
            return value
        }
    }

    /// Bytes: a whole number, alone or with its unit.
    static func size(from low: Int, to high: Int) -> ValueParser {
        ValueParser { scalar throws(Problem) in
            let units = [("", 1)] + Units.sizes.map { ($0.name, $0.bytes) }
            guard let (number, unit) = measure(scalar.text, units: units) else {
                throw Problem("must be a size such as 64KiB, 256MiB, 1GiB or plain bytes, not \(scalar.text.quoted)")
            }
            let (value, overflow) = Int(number)?.multipliedReportingOverflow(by: unit) ?? (0, true)
            guard !overflow, low <= value, value <= high else {
                throw outside("\(Units.spelled(bytes: low)) and \(Units.spelled(bytes: high))", scalar)
            }
            return value
        }
    }
}

extension ValueParser where Value == Int64 {
    /// Nanoseconds: a whole number with its unit, which is never left out.
    static func duration(from low: Int64, to high: Int64) -> ValueParser {
        ValueParser { scalar throws(Problem) in
            let text = scalar.text
            guard let (number, unit) = measure(text, units: Units.times.map { ($0.name, $0.nanoseconds) }) else {
                if text.utf8.count <= 10, text.utf8.allSatisfy(\.isDigit) {
                    throw Problem("needs its unit: \(text)ms, \(text)s, \(text)m or \(text)h")
                }
                throw Problem("must be a duration such as 250ms, 10s, 5m or 1h, not \(text.quoted)")
            }
            let (value, overflow) = Int64(number)?.multipliedReportingOverflow(by: unit) ?? (0, true)
            guard !overflow, low <= value, value <= high else {
                throw outside("\(Units.spelled(nanoseconds: low)) and \(Units.spelled(nanoseconds: high))", scalar)
            }
            return value
        }
    }
}

extension ValueParser where Value == TimeToLive {
    /// A duration, or the word for one that follows how often pages change.
    static var timeToLive: ValueParser {
        let duration = ValueParser<Int64>.duration(from: 0, to: 24 * .hour)
        return ValueParser { scalar throws(Problem) in
            if scalar.text == "auto" { return .adaptive(AdaptiveTTL()) }
            return .fixed(try duration.read(scalar))
        }
    }
}

extension ValueParser where Value == Double {
    /// A part of one, as a number or as per cent.
    static func share(_ range: ClosedRange<Double>) -> ValueParser {
        ValueParser { scalar throws(Problem) in
            let isPercent = scalar.text.utf8.last == UInt8(ascii: "%")
            let text = isPercent ? String(scalar.text.dropLast()) : scalar.text
            guard isDecimal(text), let value = Double(text) else {
                throw Problem("must be a part such as 0.05 or 5%, not \(scalar.text.quoted)")
            }
            let part = isPercent ? value / 100 : value
            guard range.contains(part) else {
                throw outside("\(spelled(range.lowerBound)) and \(spelled(range.upperBound))", scalar)
            }
            return part
        }
    }

    static func number(_ range: ClosedRange<Double>, saying limits: String? = nil) -> ValueParser {
        ValueParser { scalar throws(Problem) in
            guard scalar.isPlain, isDecimal(scalar.text), let value = Double(scalar.text) else {
                throw Problem("must be a number such as 2 or 0.5, not \(scalar.text.quoted)")
            }
            guard range.contains(value) else {
                throw outside(limits ?? "\(spelled(range.lowerBound)) and \(spelled(range.upperBound))", scalar)
            }
            return value
        }
    }

    /// Tokens a second, within the range that buckets count exactly.
    static var rate: ValueParser { number((1 / 86_400)...1e7, saying: "0.000011575 (one a day) and 10000000 a second") }
}

private func outside(_ limits: String, _ scalar: Tree.Scalar) -> Problem {
    Problem("must be between \(limits), not \(scalar.text.quoted)")
}

/// `0`, not `0.0`.
private func spelled(_ limit: Double) -> String { Int(exactly: limit).map { "\($0)" } ?? "\(limit)" }

/// Plain digits, perhaps with a minus sign so that the range can be told; no other notation of YAML's numbers, of which
/// `010`, `1_000` and `1:30` do not mean what they seem to.
private func isWhole(_ text: String) -> Bool {
    let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
    return digits.allSatisfy(\.isDigit) && !digits.isEmpty && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
}

/// A whole number, perhaps a fraction, perhaps a power of ten.
private func isDecimal(_ text: String) -> Bool {
    let parts = text.utf8.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 | 0x20 == UInt8(ascii: "e") }
    let power = parts.count == 2 ? parts[1].drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } : "0".utf8[...]
    let number = parts[0].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = number.count == 2 ? number[1] : "0".utf8[...]
    return isWhole(String(Substring(number[0]))) && !fraction.isEmpty && fraction.allSatisfy(\.isDigit)
        && !power.isEmpty
        && power.allSatisfy(\.isDigit)
}

/// The digits and the unit that follows them; `nil` for any other text.
private func measure<Unit>(_ text: String, units: [(name: String, size: Unit)]) -> (Substring, Unit)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = units.first { $0.name.utf8.elementsEqual(text[digits.endIndex...].utf8) }
    return isWhole(String(digits)) ? unit.map { (digits, $0.size) } : nil
}
