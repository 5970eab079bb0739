@testable import HTTPFront

/// What must hold of the request decoder whatever arrives: it decides the same however the bytes are cut, and llhttp
/// accepts what it accepts, with the same framing. The fuzzer and the tests ask this of every input.
enum DecoderCheck {
    /// What is wrong; nothing if all is well.
    ///
    /// - Parameter input: the bytes before the first line feed are the lengths of the pieces in which the rest arrives, in
    ///   turn; without any, the rest arrives byte by byte.
    static func fault(_ input: [UInt8]) -> String? {
        let (lengths, stream) = parts(of: input)
        let whole = Reading(stream, lengths: [max(stream.count, 1)])
        let pieces = Reading(stream, lengths: lengths)
        guard whole == pieces else { return "at once: \(whole); in pieces: \(pieces)" }
        return disagreement(whole, stream)
    }

    /// What the decoder makes of an input's stream.
    static func reading(_ input: [UInt8]) -> Reading {
        let stream = parts(of: input).stream
        return Reading(stream, lengths: [max(stream.count, 1)])
    }

    private static func parts(of input: [UInt8]) -> (lengths: [Int], stream: [UInt8]) {
        let lengths = input.prefix { $0 != 0x0a }
        let stream = Array(input.dropFirst(lengths.count + 1))
        return (lengths.isEmpty ? [1] : lengths.map { max(1, Int($0)) }, stream)
    }

    /// Where llhttp understands something else.
    private static func disagreement(_ reading: Reading, _ stream: [UInt8]) -> String? {
        var oracle = SecondOpinion()
        defer { oracle.close() }
        var position = 0
        do {
            for request in reading.requests {
                try oracle.read(stream[position..<request.place.lowerBound])
                guard !oracle.isInside else { return "an empty line is a request to llhttp" }
                let seen = oracle.requests.count
                try oracle.read(request.shown(of: stream).dropLast())
                guard oracle.requests.count == seen else { return "ends earlier for llhttp: \(request)" }
                try oracle.read(stream[request.place.suffix(1)])
                guard oracle.requests.count == seen + 1, let other = oracle.requests.last else {
                    return "does not end there for llhttp: \(request)"
                }
                if let difference = request.difference(other) { return difference }
                position = request.place.upperBound
                if request.offersUpgrade {
                    // llhttp takes what follows for another protocol; the gateway speaks none.
                    oracle.close()
                    oracle = SecondOpinion()
                }
            }
        } catch {
            return "refused by llhttp (\(error)), accepted: \(reading.requests)"
        }
        guard case .waiting = reading.end else { return nil }
        let seen = oracle.requests.count
        // It may refuse at once what the decoder looks at when there is more.
        try? oracle.read(stream[position...])
        return oracle.requests.count == seen ? nil : "still awaited, but complete for llhttp: \(oracle.requests)"
    }
}

// MARK: One reading

extension DecoderCheck {
    /// What the decoder made of a stream.
    struct Reading: Equatable {
        enum End: Equatable {
            /// The rest waits for more.
            case waiting
            case refused(Refusal)
            /// A request asked for the connection to be closed: what follows is not looked at.
            case closed
        }

        var requests: [Request] = []
        var end = End.waiting

        init(_ stream: [UInt8], lengths: [Int]) {
            var decoder = RequestDecoder()
            var head = RequestHead()
            var start = 0
            var arrived = 0
            var round = 0
            while arrived < stream.count {
                arrived = min(arrived + lengths[round % lengths.count], stream.count)
                round += 1
                looking: while start < arrived {
                    switch decoder.next(stream.span.extracting(start..<arrived), head: &head, limits: limits) {
                    case .incomplete, .sendContinue: break looking
                    case .emptyLine(let length): start += length
                    case .request(let length):
                        requests.append(Request(head, stream, at: start..<start + length))
                        start += length
                        guard head.keepsConnection else {
                            end = .closed
                            return
                        }
                    case .refused(let refusal):
                        end = .refused(refusal)
                        return
                    }
                }
            }
        }
    }

    /// Small, so that inputs that a fuzzer makes reach them.
    private static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxFields = 16
        limits.maxFieldBytes = 256
        limits.maxHeadBytes = 1024
        limits.maxBodyBytes = 512
        return limits
    }
}
