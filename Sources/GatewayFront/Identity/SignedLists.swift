internal import AWSProtocol
internal import HTTPFront

/// A parsed list of signed names.
final class SignedList {
    private let text: [UInt8]
    /// The fields of the list, with the places of their names in the text; `nil` if one of them is not a known field that occurs
    /// once in a request.
    private let fields: [(field: KnownField, name: Range<Int>)]?
    /// Those of the required fields that are in it.
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
            guard let field = KnownField.named(names, name), field.isSingleton else {
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

    /// Returns true if it is this list.
    func matches(_ names: Span<UInt8>) -> Bool { names.hasBytes(text) }

    /// Writes the fields of a request.
    ///
    /// - Parameter names: the list, which `matches`.
    /// - Returns: false, and has written nothing, if a field is missing or not in canonical form.
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

/// The most recent lists of signed names: clients that use one SDK have the same.
struct SignedLists {
    private static let places = 8
    /// SDKs sign fields whose names have about a hundred bytes in all; a longer list is read anew each time.
    private static let maxBytes = 512
    private var lists: [SignedList] = []
    private var next = 0

    /// The parsed form of a list.
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

/// The fields of a request that its signature must cover: those that decide where it goes, when, and what it does. Other signed
/// fields are verified too; which they are differs between SDKs.
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
