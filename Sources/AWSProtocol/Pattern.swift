internal import Locking
internal import _StringProcessing

/// A regular expression of a service model, matched against a whole value.
///
/// Most patterns of AWS models are a run of character classes, such as `^[a-zA-Z0-9]{22}$`. These are matched byte by byte,
/// without backtracking; the others by the standard library's engine, under a lock, because its `Regex` is not `Sendable`.
public struct Pattern: Sendable, Equatable {
    /// The pattern as the model writes it.
    public let text: String
    private let matcher: Matcher

    private enum Matcher: Sendable {
        case run(ClassRun)
        case general(GeneralExpression)
    }

    /// - Throws: `PatternError` if the text is not a regular expression.
    public init(_ text: String) throws(PatternError) {
        self.text = text
        if let run = try ClassRun(text) {
            matcher = .run(run)
        } else {
            matcher = .general(try GeneralExpression(text))
        }
    }

    /// Whether the whole of `value`, which is UTF-8, matches.
    public func matches(_ value: [UInt8]) -> Bool {
        switch matcher {
        case .run(let run): run.matches(value)
        case .general(let expression): expression.matches(value)
        }
    }

    public static func == (left: Pattern, right: Pattern) -> Bool { left.text == right.text }
}

/// A text that is not a regular expression.
public struct PatternError: Error, Sendable, Equatable {
    public let text: String
}

/// Any pattern, matched by the standard library.
final class GeneralExpression: Sendable {
    private struct Engine { let regex: Regex<AnyRegexOutput> }
    private let engine: Locked<Engine>

    init(_ text: String) throws(PatternError) {
        do {
            // Models count and match code points, not what a reader sees as one character.
            engine = Locked(Engine(regex: try Regex(text).matchingSemantics(.unicodeScalar)))
        } catch {
            throw PatternError(text: text)
        }
    }

    func matches(_ value: [UInt8]) -> Bool {
        let text = String(decoding: value, as: UTF8.self)
        return engine.withLock { engine in (try? engine.regex.wholeMatch(in: text)) ?? nil != nil }
    }
}
