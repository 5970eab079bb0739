internal import AWSProtocol
internal import PageCache
internal import Primitives

extension Page {
    /// Returns true if a reply is the same page as this one, in all bytes or in all but the token that continues the listing, where each
    /// answer has a new one.
    func isSame(_ body: [UInt8], _ operation: Operation?) -> Bool {
        if self.body == body { return true }
        guard let token = operation?.freshToken, let old = Self.rest(of: self.body, without: token.member),
            let new = Self.rest(of: body, without: token.member)
        else { return false }
        return old.0 == new.0 && old.1 == new.1
    }

    /// Returns true if the bytes of this page may stand for a newer one that is the same: a token in them must be good for as long as the
    /// page is served, and for as long again, because callers continue with it later.
    func mayStand(until end: MonotonicInstant, _ operation: Operation?) -> Bool {
        guard let token = operation?.freshToken else { return true }
        return end - bodyFetchedAt <= token.life / 2
    }

    /// The parts of a body before and after the value of a member; nil if it has none.
    private static func rest(of body: [UInt8], without member: [UInt8]) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        guard let members = try? JSONReader.members(of: body.span),
            let value = members.first(where: { $0.name.equals(member, in: body.span) })?.value, value.kind == .string
        else { return nil }
        return (body[..<value.range.lowerBound], body[value.range.upperBound...])
    }
}
