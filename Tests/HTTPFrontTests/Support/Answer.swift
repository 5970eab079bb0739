/// One answer as a client reads it.
struct Answer: Sendable {
    var status: Int
    var fields: [(name: String, value: String)]
    var contentBytes: [UInt8] = []

    var content: String { text(contentBytes) }

    /// The values of a field, in order.
    subscript(name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// Takes the first answer out of what has been received; nothing if it is not complete.
    ///
    /// - Parameter toHead: whether the request was a HEAD, whose answer has no content whatever its length says.
    static func take(from received: inout [UInt8], toHead: Bool = false) throws -> Answer? {
        guard let end = headEnd(received) else { return nil }
        var lines = text(received.prefix(end - 4)).split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw TestClient.Failure.malformed(text(received))
        }
        var answer = Answer(status: status, fields: [])
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw TestClient.Failure.malformed(text(received)) }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            answer.fields.append((String(line[..<colon]), String(value)))
        }
        let length = toHead || status == 100 ? 0 : answer["Content-Length"].first.flatMap { Int($0) } ?? 0
        guard received.count >= end + length else { return nil }
        answer.contentBytes = Array(received[end..<end + length])
        received.removeFirst(end + length)
        return answer
    }

    private static func headEnd(_ received: [UInt8]) -> Int? {
        guard received.count >= 4 else { return nil }
        for end in 4...received.count where received[end - 4..<end].elementsEqual([0x0d, 0x0a, 0x0d, 0x0a]) {
            return end
        }
        return nil
    }
}
