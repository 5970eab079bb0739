import Foundation
import Testing

@testable import AWSProtocol

/// Whatever our reader accepts, Foundation's must accept with the same meaning: a disagreement is a way into the cache.
@Suite("Our JSON reader agrees with Foundation's")
struct JSONDifferentialTests {
    @Test("Generated texts are accepted, with an equal tree", arguments: [1, 2, 3, 4] as [UInt64])
    func generated(_ seed: UInt64) {
        var maker = JSONMaker(seed: seed)
        for _ in 0..<500 {
            let text = maker.text()
            let ours = tree(text)
            #expect(ours != nil, "refused: \(String(decoding: text, as: UTF8.self))")
            if let ours, let difference = Self.difference(ours, text) { Issue.record("\(difference)") }
        }
    }

    @Test("Spoilt texts that are still accepted have an equal tree", arguments: [11, 12, 13, 14] as [UInt64])
    func spoilt(_ seed: UInt64) {
        var maker = JSONMaker(seed: seed)
        var accepted = 0
        for _ in 0..<1500 {
            let text = maker.spoiled(maker.text())
            guard let ours = tree(text) else { continue }
            accepted += 1
            if let difference = Self.difference(ours, text) { Issue.record("\(difference)") }
        }
        #expect(accepted > 100, "the mutations leave too little to compare: \(accepted)")
    }

    @Test("No bytes end the process, and what is accepted agrees", arguments: [21, 22, 23, 24] as [UInt64])
    func random(_ seed: UInt64) {
        var maker = JSONMaker(seed: seed)
        for round in 0..<2500 {
            let text = round.isMultiple(of: 2) ? maker.bytes() : maker.noise()
            _ = try? JSONReader.members(of: text.span)
            if let ours = tree(text), let difference = Self.difference(ours, text) { Issue.record("\(difference)") }
        }
    }

    /// What Foundation understands differently; nothing if it agrees.
    private static func difference(_ ours: JSONValue, _ text: [UInt8]) -> String? {
        let shown = String(decoding: text, as: UTF8.self)
        // A double cannot hold every number that the grammar allows; such texts are no disagreement about JSON.
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
        case .object(let members): members.allSatisfy { representable($0.value) }
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
