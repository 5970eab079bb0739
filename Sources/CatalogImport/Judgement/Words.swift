/// The words of a name in a model: `GetShardIterator`, `nextToken` and `S3URI` are of several.
struct Words: Equatable {
    /// In lower case.
    let all: [String]

    /// A word begins with a capital after another character, or with the last capital of several: `DBInstance` is `db instance`.
    init(_ name: String) {
        let scalars = Array(name.unicodeScalars)
        var words: [String] = []
        var word = ""
        func isUpper(_ place: Int) -> Bool { scalars.indices.contains(place) && scalars[place].properties.isUppercase }
        func isLower(_ place: Int) -> Bool { scalars.indices.contains(place) && scalars[place].properties.isLowercase }
        func end() {
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for (place, scalar) in scalars.enumerated() {
            guard scalar.properties.isAlphabetic || scalar.properties.numericType != nil else {
                end()
                continue
            }
            // The plural of capitals, as in `URLs`, begins no word.
            let isPlural = isLower(place + 1) && scalars[place + 1] == "s" && !isLower(place + 2)
            if isUpper(place), !isUpper(place - 1) || (isLower(place + 1) && !isPlural) { end() }
            word += scalar.properties.lowercaseMapping
        }
        end()
        all = words
    }

    /// Returns true if these words stand in it, one after the other.
    func hold(_ words: [String]) -> Bool {
        guard !words.isEmpty, all.count >= words.count else { return false }
        return (0...(all.count - words.count)).contains { all[$0..<($0 + words.count)].elementsEqual(words) }
    }
}
