/// Why a text is not YAML, in words that say what to do.
struct YAMLSyntaxFault: Error {
    /// From 1.
    let line: Int
    let message: String

    init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    /// - Parameters:
    ///   - problem: libyaml's words.
    ///   - start: what the parser was reading, in libyaml's words, and the line where that begins.
    init(_ problem: String, line: Int, since start: (text: String, line: Int)? = nil, in text: SourceText) {
        self.line = line
        let remedy = Self.remedies.first { problem.contains($0.problem) }
        let advice = Self.advice(at: line, since: start?.line, in: text) ?? remedy?.advice
        // Where an open bracket or an indentation began says more than where its end was missed.
        let began = start.flatMap { start in
            start.line < line ? " (\(start.text) that began in line \(start.line))" : nil
        }
        let words = remedy?.words ?? problem + (began ?? "")
        message = "not YAML: \(words)\(advice.map { ": \($0)" } ?? "")"
    }

    /// Advice that libyaml cannot give.
    private static func advice(at line: Int, since start: Int?, in text: SourceText) -> String? {
        let lines = [line, start ?? line, line - 1].map(text.line)
        let hasTab = lines.contains { $0.prefix { $0 == " " || $0 == "\t" }.contains("\t") }
        return hasTab ? "indent with spaces, not with tabs" : nil
    }

    /// By a part of libyaml's message: the words to use instead, and the remedy.
    private static let remedies: [(problem: String, words: String?, advice: String)] = [
        ("nesting level", "nested too deep", "no key here needs that"),
        ("mapping values are not allowed", nil, "mend the indentation, or put a value that holds ': ' in quotes"),
        ("could not find expected ':'", nil, "write 'key: value', with a space after the colon"),
        ("did not find expected key", nil, "mend the indentation, or close the quotes"),
        ("did not find expected ',' or", nil, "close the bracket, and put a comma between values"),
        ("did not find expected '-' indicator", nil, "mend the indentation of the list"),
        ("did not find expected alphabetic or numeric", nil, YAMLTree.noIndicators),
        ("cannot start any token", nil, "put the value in quotes"),
        ("unexpected end of stream", nil, "close the quotes"),
        ("unknown escape character", nil, "double the backslash, or use single quotes"),
    ]
}
