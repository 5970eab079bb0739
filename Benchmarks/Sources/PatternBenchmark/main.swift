import AWSProtocol
import Glibc

// Matches values against patterns and measures each match: `Scripts/check-patterns` writes both, and says in which form.

let limit = CommandLine.arguments.dropFirst().first.flatMap(Double.init) ?? 1000
var input = StandardInput()
var figures = Figures()
while let pattern = input.text() {
    let values = (0..<(input.number() ?? 0)).compactMap { _ in input.bytes() }
    figures.measure(pattern, values)
}
figures.print()
exit(figures.slowest.first.map { $0.microseconds > limit } ?? true ? 1 : 0)
