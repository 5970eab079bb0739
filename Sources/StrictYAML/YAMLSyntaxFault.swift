internal import Yams

struct YAMLSyntaxFault {
    let line: Int
    let message: String

    init(_ error: any Error, in text: SourceText) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            line = mark.line
            let remedy = Self.remedies.first { problem.contains($0.problem) }
            let advice = Self.advice(at: mark, since: context?.mark, in: text) ?? remedy?.advice
            // Where an open bracket or an indentation began says more than where its end was missed.
            let start = context.flatMap { context in
                context.mark.line < mark.line ? " (\(context.text) that began in line \(context.mark.line))" : nil
            }
            let words = remedy?.words ?? problem + (start ?? "")
            message = "not YAML: \(words)\(advice.map { ": \($0)" } ?? "")"
        default:
            line = 1
            message = "cannot be read as YAML"
        }
    }

    /// Advice that libyaml cannot give: about the notations that `YAMLText` hides from it, and about tabs.
    private static func advice(at mark: Mark, since start: Mark?, in text: SourceText) -> String? {
        let lines = [mark.line, start?.line ?? mark.line, mark.line - 1].map(text.line)
        if lines.contains(where: { $0.prefix { $0 == " " || $0 == "\t" }.contains("\t") }) {
            return "indent with spaces, not with tabs"
        }
        let holdsIndicator = lines.contains { line in
            zip([" "] + line, line).contains { $0 == " " && YAMLText.indicator(at: $1) != nil }
        }
        return holdsIndicator
            ? "anchors (&), aliases (*), tags (!) and '?' keys are not read here; write the value itself" : nil
    }

    /// By a part of libyaml's message: the words to use instead, and the remedy.
    private static let remedies: [(problem: String, words: String?, advice: String)] = [
        ("nesting level", "nested too deep", "no key here needs that"),
        ("another document", "a second document begins", "remove the '---' line and what follows"),
        ("mapping values are not allowed", nil, "mend the indentation, or put a value that holds ': ' in quotes"),
        ("could not find expected ':'", nil, "write 'key: value', with a space after the colon"),
        ("did not find expected key", nil, "mend the indentation, or close the quotes"),
        ("did not find expected ',' or", nil, "close the bracket, and put a comma between values"),
        ("did not find expected '-' indicator", nil, "mend the indentation of the list"),
        ("cannot start any token", nil, "put the value in quotes"),
        ("unexpected end of stream", nil, "close the quotes"),
        ("unknown escape character", nil, "double the backslash, or use single quotes"),
    ]
}
