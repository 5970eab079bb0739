import AWSProtocol
import Foundation

/// A JSON text in the reading of another reader.
enum FoundationReading {
    static func accepts(_ text: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
    }

    /// The difference to Foundation's reading; `nil` if there is none.
    static func difference(_ ours: JSONValue, _ text: [UInt8]) -> String? {
        let shown = String(decoding: text, as: UTF8.self)
        // A double cannot hold every number of the grammar, and a dictionary's names are equal by canonical equivalence. Such
        // texts are no disagreement about JSON.
        guard representable(ours) else { return nil }
        do {
            let theirs = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            return same(ours, theirs) ? nil : "read differently: \(shown)"
        } catch {
            return "accepted by ours alone: \(shown)"
        }
    }

    private static func representable(_ value: JSONValue) -> Bool {
        switch value {
        case .number(let text): Double(text)?.isFinite ?? false
        case .array(let elements): elements.allSatisfy(representable)
        case .object(let members):
            Set(members.map(\.name)).count == members.count && members.allSatisfy { representable($0.value) }
        default: true
        }
    }

    private static func same(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours {
        case .null: return theirs is NSNull
        case .bool(let value): return theirs as? Bool == value
        case .string(let text):
            guard let other = theirs as? String else { return false }
            return text.utf8.elementsEqual(other.utf8)
        case .number(let text):
            guard let number = theirs as? NSNumber, let value = Double(text) else { return false }
            if let integer = Int64(text) { return number.int64Value == integer }
            return abs(number.doubleValue - value) <= abs(value) * 1e-12
        case .array(let elements):
            guard let others = theirs as? [Any] else { return false }
            return elements.count == others.count && zip(elements, others).allSatisfy { same($0, $1) }
        case .object(let members):
            guard let others = theirs as? [String: Any] else { return false }
            return members.count == others.count
                && members.allSatisfy { member in others[member.name].map { same(member.value, $0) } ?? false }
        }
    }
}
