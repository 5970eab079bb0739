internal import Primitives

/// Finds the word that a misspelt one probably means.
public enum Spelling {
    /// The word nearest to a misspelt one: `max_fields` and `maxFeilds` both mean `maxFields`; `nil` if none is near.
    public static func nearest(to word: String, among words: [String]) -> String? {
        let word = folded(word)
        guard word.count <= 64 else { return nil }
        let limit = max(1, word.count / 3)
        // Words of very different lengths are not near, and there may be thousands.
        let near = words.map { (word: $0, text: folded($0)) }.filter { abs($0.text.count - word.count) <= limit }
        let ranked = near.map { (word: $0.word, distance: distance($0.text, word)) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= limit ? best.word : nil
    }

    /// The problem with a name that means nothing: the end of a sentence, with what may have been meant. `nil` for one that is known, by
    /// its bytes: text that only looks the same names nothing.
    ///
    /// - Parameters:
    ///   - what: what it is no name of, with its verb: "is no quota group of the catalog".
    ///   - advice: what to say of the known names if none of them is near.
    public static func problem(
        _ what: String, _ name: String, among known: [String],
        otherwise advice: ([String]) -> String = { "there are \($0.joined(separator: ", "))" }
    ) -> String? {
        if known.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { return nil }
        return "\(what); \(nearest(to: name, among: known).map { "did you mean \($0)?" } ?? advice(known))"
    }

    private static func folded(_ word: String) -> [UInt8] {
        word.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") }.map(\.lowercased)
    }

    /// Bytes to insert, delete, replace, or swap with their neighbour (optimal string alignment).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
