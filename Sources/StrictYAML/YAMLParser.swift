internal import CYAML

/// A piece of a YAML text, as libyaml reads it.
struct YAMLEvent {
    enum Kind {
        case document
        case endOfDocument
        case scalar(String, isPlain: Bool)
        case alias
        case list
        case mapping
        /// The end of a list or of a mapping.
        case end
        case endOfText
    }

    let kind: Kind
    /// Where it begins, from 1.
    let line: Int
    /// Where it begins, in characters from the text's start.
    let place: Int
    /// True for a value with an anchor or a tag.
    let hasProperties: Bool
}

/// Reads a text event by event with libyaml, which follows no aliases.
///
/// Unsafe only in its pointers: libyaml keeps pointers to its own state and to the text, so both are memory that does not move, and
/// both are freed with the parser.
@safe
struct YAMLParser: ~Copyable {
    private let state: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter utf8: well-formed UTF-8.
    init(_ utf8: [UInt8]) throws(YAMLSyntaxFault) {
        let state = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(state) == 1 else {
            unsafe state.deallocate()
            throw YAMLSyntaxFault(line: 1, message: "there is no memory to read it")
        }
        unsafe self.state = state
        unsafe text = .allocate(capacity: max(1, utf8.count))
        _ = unsafe text.initialize(from: utf8)
        unsafe yaml_parser_set_encoding(state, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(state, text.baseAddress, utf8.count)
    }

    deinit {
        unsafe yaml_parser_delete(state)
        unsafe state.deallocate()
        unsafe text.deallocate()
    }

    /// The next event; `endOfText` again and again at the end.
    ///
    /// - Parameter source: the text, for the words of a fault.
    mutating func next(of source: SourceText) throws(YAMLSyntaxFault) -> YAMLEvent {
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(state, &event) == 1 else { throw fault(in: source) }
            defer { unsafe yaml_event_delete(&event) }
            if let read = unsafe YAMLEvent(event) { return read }
        }
    }

    private borrowing func fault(in source: SourceText) -> YAMLSyntaxFault {
        let problem = unsafe state.pointee.problem.map { unsafe String(cString: $0) } ?? "cannot be read"
        let line = unsafe Int(clamping: state.pointee.problem_mark.line) + 1
        guard let context = unsafe state.pointee.context else {
            return YAMLSyntaxFault(problem, line: line, in: source)
        }
        return unsafe YAMLSyntaxFault(
            problem, line: line,
            since: (String(cString: context), Int(clamping: state.pointee.context_mark.line) + 1), in: source)
    }
}

extension YAMLEvent {
    /// `nil` for the start of the text.
    fileprivate init?(_ event: yaml_event_t) {
        var hasProperties = false
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT: kind = .document
        case YAML_DOCUMENT_END_EVENT: kind = .endOfDocument
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            kind = unsafe .scalar(
                String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            hasProperties = unsafe scalar.anchor != nil || scalar.tag != nil
        case YAML_ALIAS_EVENT: kind = .alias
        case YAML_SEQUENCE_START_EVENT:
            kind = .list
            hasProperties = unsafe event.data.sequence_start.anchor != nil || event.data.sequence_start.tag != nil
        case YAML_MAPPING_START_EVENT:
            kind = .mapping
            hasProperties = unsafe event.data.mapping_start.anchor != nil || event.data.mapping_start.tag != nil
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .end
        case YAML_STREAM_START_EVENT: return nil
        default: kind = .endOfText
        }
        line = unsafe Int(clamping: event.start_mark.line) + 1
        place = unsafe Int(clamping: event.start_mark.index)
        self.hasProperties = hasProperties
    }
}
