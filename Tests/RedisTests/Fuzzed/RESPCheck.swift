@testable import Redis

/// What must hold of the reader of replies whatever a server sends. The fuzzer and the tests ask this of every input.
enum RESPCheck {
    /// So small that short inputs exceed them.
    static let limits = RESPReader.Limits(depth: 3, line: 24, bulk: 32, reply: 96)

    struct Reading: Equatable {
        var replies: [RESPValue] = []
        var fault: RESPFault?
        var isBetweenReplies = true

        init(_ pieces: [ArraySlice<UInt8>], limits: RESPReader.Limits = RESPCheck.limits) {
            var reader = RESPReader(limits)
            do throws(RESPFault) {
                for piece in pieces {
                    let bytes = Array(piece)
                    var position = 0
                    while let reply = try reader.read(bytes.span, &position) { replies.append(reply) }
                }
            } catch {
                fault = error
            }
            isBetweenReplies = reader.isBetweenReplies
        }
    }

    /// The fault; `nil` if all holds.
    ///
    /// - Parameter input: one byte that says where the bytes are cut, then the bytes.
    static func fault(_ input: [UInt8]) -> String? {
        guard let first = input.first else { return nil }
        let bytes = input.dropFirst()
        let cut = bytes.startIndex + (bytes.isEmpty ? 0 : Int(first) % bytes.count)
        let whole = Reading([bytes])
        guard whole == Reading([bytes[..<cut], bytes[cut...]]) else { return "other replies when cut at \(cut)" }
        guard whole == Reading(bytes.indices.map { bytes[$0...$0] }) else { return "other replies byte by byte" }
        var second = SecondReader(bytes: Array(bytes), limits: limits)
        let (replies, isFaulty) = second.readAll()
        guard replies == whole.replies else { return "a simpler reader finds \(replies), not \(whole.replies)" }
        guard isFaulty == (whole.fault != nil) else {
            return "a simpler reader finds a fault: \(isFaulty), not \(String(describing: whole.fault))"
        }
        return nil
    }
}

/// A reader of replies that has all bytes, and reads them by recursion.
struct SecondReader {
    private enum Stop: Error {
        case incomplete, faulty
    }

    let bytes: [UInt8]
    let limits: RESPReader.Limits
    private var position = 0
    private var start = 0

    init(bytes: [UInt8], limits: RESPReader.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The replies, and whether a fault follows them.
    mutating func readAll() -> ([RESPValue], isFaulty: Bool) {
        var replies: [RESPValue] = []
        do throws(Stop) {
            while true {
                start = position
                replies.append(try value(depth: 0))
            }
        } catch {
            return (replies, error == .faulty)
        }
    }

    private mutating func value(depth: Int) throws(Stop) -> RESPValue {
        let line = try line()
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line[line.startIndex] {
        case UInt8(ascii: "+"): return .simple(Array(line.dropFirst()))
        case UInt8(ascii: "-"): return .error(RedisServerError(line.dropFirst()))
        case UInt8(ascii: ":"): return .integer(try number(text))
        case UInt8(ascii: "$"):
            let length = try number(text)
            if length == -1 { return .null }
            guard length >= 0, length <= Int64(limits.bulk) else { throw .faulty }
            let end = position + Int(length)
            guard end + 2 - start <= limits.reply else { throw .faulty }
            guard bytes.count > end else { throw .incomplete }
            guard bytes[end] == 13 else { throw .faulty }
            guard bytes.count > end + 1 else { throw .incomplete }
            guard bytes[end + 1] == 10 else { throw .faulty }
            defer { position = end + 2 }
            return .bulk(Array(bytes[position..<end]))
        default:
            let length = try number(text)
            if length == -1 { return .null }
            guard length >= 0, length <= Int64((limits.reply - (position - start)) / 3) else { throw .faulty }
            guard length == 0 || depth < limits.depth else { throw .faulty }
            var elements: [RESPValue] = []
            for _ in 0..<length { elements.append(try value(depth: depth + 1)) }
            return .array(elements)
        }
    }

    private mutating func line() throws(Stop) -> ArraySlice<UInt8> {
        let rest = bytes[position...]
        guard let type = rest.first else { throw .incomplete }
        guard "+-:$*".utf8.contains(type) else { throw .faulty }
        let end = rest.firstIndex { $0 == 13 || $0 == 10 } ?? bytes.count
        guard end - position <= limits.line, end - start <= limits.reply else { throw .faulty }
        guard end < bytes.count else { throw .incomplete }
        guard bytes[end] == 13, end + 1 - start <= limits.reply else { throw .faulty }
        guard end + 1 < bytes.count else { throw .incomplete }
        guard bytes[end + 1] == 10, end + 2 - start <= limits.reply else { throw .faulty }
        defer { position = end + 2 }
        return rest[..<end]
    }

    private func number(_ text: String) throws(Stop) -> Int64 {
        guard let number = Int64(text), "\(number)" == text else { throw .faulty }
        return number
    }
}
