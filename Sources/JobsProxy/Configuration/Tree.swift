/// A configuration file as values and lines: what is left of YAML once its notations are read.
struct Tree {
    let line: Int
    let content: Content

    enum Content {
        case scalar(Scalar)
        /// A hole is an item that could not be read, which has been noted.
        case list([Tree?])
        /// Each key once, in the order of the file.
        case mapping([Entry])
    }

    struct Scalar: Equatable {
        let text: String
        /// Not in quotes and not a block: only then may it be a number or null.
        let isPlain: Bool

        var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }
    }

    struct Entry {
        let key: String
        let line: Int
        /// Nothing if it could not be read, which has been noted.
        let value: Tree?
    }

    var isNull: Bool {
        if case .scalar(let scalar) = content { scalar.isNull } else { false }
    }

    /// For messages: what stands there.
    var kind: String {
        switch content {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "the single value \(scalar.text.quoted)"
        case .list: "a list"
        case .mapping: "a mapping of keys"
        }
    }
}

/// Where a value stands: `services[0].timeouts.connect`.
struct DottedPath: CustomStringConvertible {
    private(set) var description = ""

    static var root: DottedPath { DottedPath() }

    func key(_ key: String) -> DottedPath {
        let isWord = !key.isEmpty && key.utf8.count <= 64 && key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        let step = isWord ? key : key.quoted
        return DottedPath(description: description.isEmpty ? step : "\(description).\(step)")
    }

    func item(_ index: Int) -> DottedPath { DottedPath(description: "\(description)[\(index)]") }
}
