import Testing

@testable import HTTPFront

@Suite("The request decoder, under mutated requests")
struct DecoderMutationTests {
    @Test(
        "never fails, decides the same however they arrive, and lets nothing through that it should refuse",
        arguments: 0..<8)
    func mutations(seed: UInt64) {
        var mutator = Mutator(seed: seed)
        for _ in 0..<2_500 {
            let stream = mutator.next()
            let whole = decode(stream, step: max(stream.count, 1))
            let bytewise = decode(stream, step: 1)
            let inPieces = decode(stream, step: 7)
            if whole != bytewise || whole != inPieces {
                Issue.record("\(text(stream).debugDescription): \(whole), and in pieces: \(bytewise) or \(inPieces)")
                return
            }
            for request in whole.requests {
                if let fault = fault(in: request) {
                    Issue.record("\(fault): \(text(stream).debugDescription)")
                    return
                }
            }
        }
    }

    @Test("every unmutated request is accepted")
    func seeds() {
        for seed in Mutator.seeds {
            let decoded = decodeBothWays(seed)
            #expect(decoded.requests.count >= 1)
            #expect(decoded.end == .waiting(0))
        }
    }

    /// What is wrong with an accepted request, by a second reading of its head that shares nothing with the decoder.
    private func fault(in request: DecodedRequest) -> String? {
        var scalars = Array(bytes(request.head))
        guard scalars.suffix(4) == [0x0d, 0x0a, 0x0d, 0x0a] else { return "the head does not end in an empty line" }
        scalars.removeLast(4)
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < scalars.count {
            if scalars[index] == 0x0d, index + 1 < scalars.count, scalars[index + 1] == 0x0a {
                lines.append([])
                index += 1
            } else if (scalars[index] < 0x20 && scalars[index] != 0x09) || scalars[index] == 0x7f {
                return "the control character \(scalars[index])"
            } else {
                lines[lines.count - 1].append(scalars[index])
            }
            index += 1
        }
        guard text(lines[0]).hasSuffix(" HTTP/1.1") || text(lines[0]).hasSuffix(" HTTP/1.0") else {
            return "the version"
        }
        var names: [String: Int] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return "a line without a name" }
            guard !line[..<colon].contains(where: { $0 <= 0x20 || $0 >= 0x7f }) else { return "a name" }
            names[text(line[..<colon]).lowercased(), default: 0] += 1
        }
        let isOld = text(lines[0]).hasSuffix(" HTTP/1.0")
        guard names["host"] == 1 || isOld && names["host"] == nil else { return "\(names["host", default: 0]) hosts" }
        guard names["content-length", default: 0] + names["transfer-encoding", default: 0] < 2 else {
            return "two lengths"
        }
        guard lines.count - 1 == request.fields.count else { return "\(lines.count - 1) lines, other fields" }
        if names["content-length", default: 0] + names["transfer-encoding", default: 0] == 0, !request.content.isEmpty {
            return "content out of nothing"
        }
        return nil
    }
}
