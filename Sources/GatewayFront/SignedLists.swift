internal import AWSProtocol
internal import HTTPFront

/// A list of signed names, understood.
final class SignedList {
    private let text: [UInt8]
    /// The fields that are meant, with the places of their names in the text; nothing if there are others than those whose places
    /// in a request are known and that it has once.
    private let fields: [(field: KnownField, name: Range<Int>)]?
    /// Which of the fields that have to be signed are in it.
    let covered: RequiredFields

    /// - Parameter names: in lower case, each once, as `SignatureHeader` has them.
    init(_ names: Span<UInt8>) {
        var fields: [(field: KnownField, name: Range<Int>)] = []
        var covered: RequiredFields = []
        var isKnown = true
        var start = 0
        while start <= names.count {
            var end = start
            while end < names.count, names[end] != UInt8(ascii: ";") { end += 1 }
            let name = start..<end
            start = end + 1
            if names.isText("date", at: name) { covered.insert(.date) }
            guard let field = KnownField(named: name, in: names), field.isSingleton else {
                isKnown = false
                continue
            }
            covered.insert(RequiredFields(field))
            fields.append((field, name))
        }
        text = names.indices.map { names[$0] }
        self.fields = isKnown ? fields : nil
        self.covered = covered
    }

    /// Whether it is this list.
    func matches(_ names: Span<UInt8>) -> Bool { names.hasBytes(text) }

    /// Writes the fields of a request.
    ///
    /// - Parameter names: what `matches` was asked about.
    /// - Returns: false, with nothing written, if they are not all of the usual kind.
    func write(
        _ names: Span<UInt8>, of head: borrowing RequestHead, _ bytes: Span<UInt8>, to canonical: inout CanonicalRequest
    ) -> Bool {
        guard let fields else { return false }
        // A colon and a line feed for each; the values are different parts of the head.
        let size = names.count + 2 * fields.count + (head.fields.last?.value.upperBound ?? 0)
        return canonical.fields(size: size) { output in
            for field in fields {
                guard let value = head[field.field], bytes.extracting(value).isCanonical else { return false }
                output.appendField(names.extracting(field.name), bytes.extracting(value))
            }
            return true
        }
    }
}

/// Remembers the lists of signed names of late: clients of a kind all have the same.
struct SignedLists {
    private static let places = 8
    /// SDKs sign fields whose names have about a hundred bytes in all; a longer list is read anew each time.
    private static let maxBytes = 512
    private var lists: [SignedList] = []
    private var next = 0

    /// A list, understood.
    mutating func list(_ names: Span<UInt8>) -> SignedList {
        for list in lists where list.matches(names) { return list }
        let list = SignedList(names)
        guard names.count <= Self.maxBytes else { return list }
        if lists.count < Self.places {
            lists.append(list)
        } else {
            lists[next] = list
            next = (next + 1) % Self.places
        }
        return list
    }
}

/// The fields of a request that its signature has to cover: what decides where it goes, when, and what it does. What else is
/// signed is checked, and SDKs differ in what that is.
struct RequiredFields: OptionSet {
    let rawValue: UInt8

    static let host = RequiredFields(rawValue: 1)
    static let target = RequiredFields(rawValue: 2)
    static let securityToken = RequiredFields(rawValue: 4)
    static let amzDate = RequiredFields(rawValue: 8)
    static let date = RequiredFields(rawValue: 16)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Those of a request.
    init(_ head: borrowing RequestHead) {
        self = [.host, head[.xAmzDate] == nil ? .date : .amzDate]
        if head[.xAmzTarget] != nil { insert(.target) }
        if head[.xAmzSecurityToken] != nil { insert(.securityToken) }
    }

    /// The field of `RequestHead` that this one is, if it is one.
    init(_ field: KnownField) {
        switch field {
        case .host: self = .host
        case .xAmzTarget: self = .target
        case .xAmzSecurityToken: self = .securityToken
        case .xAmzDate: self = .amzDate
        default: self = []
        }
    }

    /// The name of one of them.
    var first: String? {
        if contains(.host) { return "host" }
        if contains(.target) { return "x-amz-target" }
        if contains(.securityToken) { return "x-amz-security-token" }
        if contains(.amzDate) { return "x-amz-date" }
        return contains(.date) ? "date" : nil
    }
}
