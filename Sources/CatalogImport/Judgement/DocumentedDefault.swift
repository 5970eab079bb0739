/// The default that a page size's documentation states.
enum DocumentedDefault {
    /// The number of "The default is 100", "defaults to 100" or "Default: 100"; nil without one, or with several that differ.
    static func pageSize(_ documentation: String) -> Int64? {
        let words = text(ofHTML: documentation).split { $0.isWhitespace || ",;()".contains($0) }.map { $0.lowercased() }
        var found: Set<Int64> = []
        for (place, word) in words.enumerated() where ["default", "default:", "defaults"].contains(word) {
            // The number follows within a few words that say no more than that it is one.
            for next in words[(place + 1)...].prefix(7) {
                if let number = number(next) {
                    found.insert(number)
                    break
                }
                guard links.contains(next) else { break }
            }
        }
        return found.count == 1 ? found.first : nil
    }

    private static let links: Set<String> = [
        "is", "to", "of", "value", "value:", "number", "page", "size", "limit", "maximum", "the", "set", "are",
        "results", "returned",
    ]

    private static func number(_ word: String) -> Int64? {
        let text = word.hasSuffix(".") ? String(word.dropLast()) : word
        return text.isEmpty || !text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            ? nil : Int64(text)
    }

    /// The text without HTML, and without the commas of thousands.
    static func text(ofHTML documentation: String) -> String {
        var text = ""
        var isInTag = false
        for scalar in documentation.unicodeScalars {
            if scalar == "<" { isInTag = true }
            if !isInTag { text.unicodeScalars.append(scalar) }
            if scalar == ">" {
                isInTag = false
                text += " "
            }
        }
        return withoutThousands(text)
    }

    private static func withoutThousands(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        func isDigit(_ place: Int) -> Bool { scalars.indices.contains(place) && ("0"..."9").contains(scalars[place]) }
        var result = String.UnicodeScalarView()
        for (place, scalar) in scalars.enumerated() {
            if scalar == ",", isDigit(place - 1), isDigit(place + 1) { continue }
            result.append(scalar)
        }
        return String(result)
    }
}
