import Testing

@testable import AWSProtocol

/// Foundation must accept every text that our reader accepts, with the same meaning: a disagreement allows cache poisoning.
@Suite("Our JSON reader agrees with Foundation's")
struct JSONDifferentialTests {
    @Test("Generated texts are accepted, with an equal tree", arguments: [1, 2, 3, 4] as [UInt64])
    func generated(_ seed: UInt64) {
        var maker = JSONMaker(seed: seed)
        for _ in 0..<500 {
            let text = maker.text()
            let ours = tree(text)
            #expect(ours != nil, "refused: \(String(decoding: text, as: UTF8.self))")
            if let ours, let difference = FoundationReading.difference(ours, text) { Issue.record("\(difference)") }
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
            if let difference = FoundationReading.difference(ours, text) { Issue.record("\(difference)") }
        }
        #expect(accepted > 100, "the mutations leave too little to compare: \(accepted)")
    }

    @Test("No bytes end the process, and what is accepted agrees", arguments: [21, 22, 23, 24] as [UInt64])
    func random(_ seed: UInt64) {
        var maker = JSONMaker(seed: seed)
        for round in 0..<2500 {
            let text = round.isMultiple(of: 2) ? maker.bytes() : maker.noise()
            _ = try? JSONReader.members(of: text.span)
            if let ours = tree(text), let difference = FoundationReading.difference(ours, text) {
                Issue.record("\(difference)")
            }
        }
    }
}
