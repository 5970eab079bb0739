/// A file as values and lines, whatever notation of YAML it uses.
public struct Tree {
    /// From 1.
    public let line: Int
    public let content: Content

    /// - Parameter line: where it begins, from 1.
    public init(line: Int, content: Content) {
        self.line = line
        self.content = content
    }

    /// The value.
    public enum Content {
        case scalar(Scalar)
        /// A hole is an item that could not be read, which has been noted.
        case list([Tree?])
        /// Each key once, in the order of the file.
        case mapping([Entry])
    }

    /// A single value.
    public struct Scalar: Equatable {
        public let text: String
        /// Not in quotes and not a block: only then may it be a number or null.
        public let isPlain: Bool

        /// A value in the spelling that the file has it in.
        public init(text: String, isPlain: Bool) {
            self.text = text
            self.isPlain = isPlain
        }

        /// Returns true if it stands for no value.
        public var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }
    }

    /// A key and its value.
    public struct Entry {
        public let key: String
        public let line: Int
        /// `nil` if it could not be read, which has been noted.
        public let value: Tree?
    }

    /// Returns true if no value stands there.
    public var isNull: Bool { if case .scalar(let scalar) = content { scalar.isNull } else { false } }

    /// The value, in the words of a message.
    public var kind: String {
        switch content {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "the single value \(scalar.text.quoted)"
        case .list: "a list"
        case .mapping: "a mapping of keys"
        }
    }
}

/// The place of a value: `services[0].timeouts.connect`.
public struct DottedPath: CustomStringConvertible {
    public private(set) var description = ""

    /// The whole file.
    public static var root: DottedPath { DottedPath() }

    /// A key in it.
    public func key(_ key: String) -> DottedPath {
        let isWord = !key.isEmpty && key.utf8.count <= 64 && key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        let step = isWord ? key : key.quoted
        return DottedPath(description: description.isEmpty ? step : "\(description).\(step)")
    }

    /// An item of its list, from 0.
    public func item(_ index: Int) -> DottedPath { DottedPath(description: "\(description)[\(index)]") }
}
