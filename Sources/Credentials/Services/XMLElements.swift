/// The texts of the elements of a small XML document by their paths, for the answers of AWS's older services.
///
/// Attributes, comments and processing instructions are ignored. Document type declarations are refused, so that only XML's five
/// predefined entities are expanded, and the text cannot grow.
struct XMLElements {
    /// A fault in the text, or a feature that is not supported.
    struct Fault: Error, Equatable {
        /// The index of the byte at which the fault was found.
        let offset: Int
    }

    static let maxDepth = 32

    private var texts: [String: String] = [:]
    private let bytes: [UInt8]
    private var position = 0

    /// - Throws: `Fault` if the bytes are not such a document.
    init(_ bytes: [UInt8]) throws(Fault) {
        self.bytes = bytes
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw Fault(offset: error.byteOffsets.lowerBound)
        }
        try read()
    }

    /// The text of the first element with this path, such as `Response/Result/Code`, without the texts of inner elements. Names
    /// have no prefixes.
    subscript(path: String) -> String? { texts[path] }

    private mutating func read() throws(Fault) {
        var open: [(name: [UInt8], path: String, text: [UInt8])] = []
        var hasRoot = false
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                try readText(onto: open.isEmpty ? nil : open.count - 1, of: &open)
                continue
            }
            if inside("<?", "?>") != nil || inside("<!--", "-->") != nil { continue }
            if let last = open.indices.last, let text = inside("<![CDATA[", "]]>") {
                open[last].text += text
            } else if take("</") {
                let name = try name()
                skipSpace()
                guard take(">"), let element = open.popLast(), element.name == name else { throw fault }
                if texts[element.path] == nil { texts[element.path] = String(decoding: element.text, as: UTF8.self) }
            } else {
                guard take("<"), open.count < Self.maxDepth, !(open.isEmpty && hasRoot) else { throw fault }
                hasRoot = true
                let name = try name()
                let local = String(decoding: name.split(separator: UInt8(ascii: ":")).last ?? [], as: UTF8.self)
                let path = open.last.map { "\($0.path)/\(local)" } ?? local
                if try skipAttributes() {
                    if texts[path] == nil { texts[path] = "" }
                } else {
                    open.append((name, path, []))
                }
            }
        }
        guard open.isEmpty, hasRoot else { throw fault }
    }

    private var fault: Fault { Fault(offset: position) }

    /// Reads text up to the next tag. Outside the root only white space is allowed.
    private mutating func readText(
        onto element: Int?, of open: inout [(name: [UInt8], path: String, text: [UInt8])]
    ) throws(Fault) {
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            guard let element else {
                guard isSpace(bytes[position]) else { throw fault }
                position += 1
                continue
            }
            if bytes[position] == UInt8(ascii: "&") {
                open[element].text += try reference()
            } else {
                open[element].text.append(bytes[position])
                position += 1
            }
        }
    }

    private mutating func reference() throws(Fault) -> [UInt8] {
        let start = position + 1
        guard let end = bytes[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { throw fault }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        let number =
            if name.hasPrefix("#x") { UInt32(name.dropFirst(2), radix: 16) } else if name.hasPrefix("#") {
                UInt32(name.dropFirst())
            } else { Self.entities[name]?.value }
        guard let number, let scalar = Unicode.Scalar(number), number != 0 else { throw fault }
        position = end + 1
        return Array(String(scalar).utf8)
    }

    private static let entities: [String: Unicode.Scalar] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'",
    ]

    private mutating func name() throws(Fault) -> [UInt8] {
        let name = bytes[position...].prefix { byte in
            !isSpace(byte) && !"<>/=&\"'!?".utf8.contains(byte)
        }
        guard !name.isEmpty, name.count <= 256 else { throw fault }
        position = name.endIndex
        return Array(name)
    }

    /// Skips the rest of a tag after the element's name.
    ///
    /// - Returns: true if the element is empty.
    private mutating func skipAttributes() throws(Fault) -> Bool {
        while true {
            skipSpace()
            if take("/>") { return true }
            if take(">") { return false }
            _ = try name()
            skipSpace()
            guard take("=") else { throw fault }
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'"),
                let end = bytes[(position + 1)...].firstIndex(of: bytes[position])
            else { throw fault }
            position = end + 1
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, isSpace(bytes[position]) { position += 1 }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    private mutating func take(_ text: StaticString) -> Bool {
        guard holds(text, at: position) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    private func holds(_ text: StaticString, at start: Int) -> Bool {
        guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount {
            // Unsafe because of the pointer; the offset is within the literal.
            guard unsafe bytes[start + offset] == text.utf8Start[offset] else { return false }
        }
        return true
    }

    /// Skips text that begins with `start` and ends with `end`, and returns what is between; `nil` if there is no such text here.
    private mutating func inside(_ start: StaticString, _ end: StaticString) -> ArraySlice<UInt8>? {
        guard holds(start, at: position) else { return nil }
        let first = position + start.utf8CodeUnitCount
        guard let last = bytes.indices.dropFirst(first).first(where: { holds(end, at: $0) }) else { return nil }
        position = last + end.utf8CodeUnitCount
        return bytes[first..<last]
    }
}
