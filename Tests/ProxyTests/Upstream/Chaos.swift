import Gateway
import NIOTestSupport
import PageCache
import Synchronization
import TestSupport
import Testing

@testable import JobsProxy

/// A gateway that asks an origin in trouble about many domains at once. Each domain is a case of its own: what the origin does
/// to its first attempts is the case's, and what it does to the others is to answer with the domain's page.
struct Chaos {
    /// What is done to an attempt; the number is its stream's, 0 with HTTP/1.1.
    typealias Trouble = @Sendable (_ stream: UInt32) -> ScriptedOrigin.Step

    /// One case.
    struct Case: Sendable {
        /// What happens to its attempts, in their order; those after the last are answered well.
        let troubles: [Trouble]
        let operation: String
        let more: String

        static let page = "ListFraudsterRegistrationJobs"

        init(_ troubles: [Trouble], operation: String = page, more: String = "") {
            (self.troubles, self.operation, self.more) = (troubles, operation, more)
        }

        init(_ step: ScriptedOrigin.Step, times: Int = 1, operation: String = page, more: String = "") {
            self.init(Array(repeating: { _ in step }, count: times), operation: operation, more: more)
        }

        /// A write that has no token.
        static func unsafeWrite(_ troubles: [Trouble]) -> Case {
            Case(troubles, operation: "CreateWatchlist", more: ",\"Name\":\"n\"")
        }
    }

    /// What came of a case.
    struct Result: Sendable {
        let status: Int
        let text: String
        let fields: [String: String]
        /// The page that a good answer is.
        let page: String
        let attempts: Int

        var isPage: Bool { status == 200 && text == page }
    }

    /// No pauses to speak of, and neither budget nor breaker in the way.
    static let settings = """
        retry: {baseDelay: 1ms, maxDelay: 2ms, budget: {ratio: 1, reserve: 1000}}
        breaker: {failures: 1000}

        """
    /// What is fetched stays.
    static let keeping = "cache: {ttl: {default: 10m}}\n"
    /// What is fetched is stale with the next request, and served as long as nothing better can be had.
    static let stale = "cache: {ttl: {default: 1ms}, staleWhileRevalidate: 0s, staleIfError: 1m}\n"

    /// The domain of a case.
    static func domain(_ number: Int) -> String {
        let digits = "\(number)"
        return "chaos" + String(repeating: "0", count: 17 - digits.count) + digits
    }

    static func page(_ number: Int) -> String {
        "{\"JobSummaries\":[{\"DomainId\":\"\(domain(number))\",\"JobName\":\"\(String(repeating: "n", count: 40))\"}]}"
    }

    /// Runs all cases, so many at a time, and looks that nothing is left of them.
    ///
    /// - Parameters:
    ///   - cache: the `cache` section.
    ///   - rounds: how often each case is asked for; its result is what came of the last time.
    static func run(
        _ cases: [Case], width: Int = 32, over transport: Transport = .plain, cache: String = keeping, rounds: Int = 1
    ) async throws -> [Result] {
        let attempts = AttemptCounts(cases.count)
        let step: @Sendable (ScriptedOrigin.Request, UInt32) -> ScriptedOrigin.Step = { request, stream in
            guard let number = number(in: request.text), cases.indices.contains(number) else { return .close }
            let attempt = attempts.add(number)
            if attempt < cases[number].troubles.count { return cases[number].troubles[attempt](stream) }
            return stream == 0 ? .reply(body: page(number)) : .bytes(ScriptedFrame.reply(page(number), stream: stream))
        }
        let origin = try ScriptedOrigin(
            onAccept: { _ in
                transport.speaksHTTP2 ? .http2 { stream, request, _ in step(request, stream) } : nil
            },
            script: { request, _ in step(request, 0) })
        defer { origin.stop() }
        return try await transport.run(origin) { url, more in
            let yaml = TestGateway.service(url, timeouts: transport.timeouts, more: more) + settings + cache
            return try await run(cases, attempts, origin, yaml, width: width, rounds: rounds)
        }
    }

    private static func run(
        _ cases: [Case], _ attempts: AttemptCounts, _ origin: ScriptedOrigin, _ yaml: String, width: Int,
        rounds: Int
    ) async throws -> [Result] {
        try await TestGateway.run(yaml) { gateway in
            for _ in 1..<rounds { _ = try await ask(gateway, cases, width: width) }
            let replies = try await ask(gateway, cases, width: width)
            let figures = gateway.assembly.gate.cache.figures
            #expect(figures.flights == 0)
            #expect(figures.waiters == 0)
            let results = replies.enumerated().map { number, reply in
                Result(
                    status: reply.status, text: reply.text, fields: reply.fields, page: page(number),
                    attempts: attempts[number])
            }
            // Good pages are kept, and nothing else is.
            #expect(figures.pages <= zip(cases, results).count { $0.operation == Case.page && $1.status == 200 })
            #expect(origin.waitForOpenConnections(atMost: 32))
            return results
        }
    }

    private static func ask(_ gateway: TestGateway, _ cases: [Case], width: Int) async throws -> [HTTPReply] {
        try await withThrowingTaskGroup(of: [(Int, HTTPReply)].self) { group in
            for lane in 0..<min(width, cases.count) {
                group.addTask {
                    let client = try await gateway.client()
                    var replies: [(Int, HTTPReply)] = []
                    for number in stride(from: lane, to: cases.count, by: width) {
                        let body = "{\"DomainId\":\"\(domain(number))\"\(cases[number].more)}"
                        replies.append((number, try await client.post(cases[number].operation, body)))
                    }
                    try await client.close()
                    return replies
                }
            }
            let all = try await group.reduce(into: []) { $0 += $1 }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// The number of the case that a request is of.
    private static func number(in text: String) -> Int? {
        text.split(separator: "chaos").dropFirst().first.flatMap { Int($0.prefix(17)) }
    }
}

/// How many attempts each case has had.
private final class AttemptCounts: Sendable {
    private let counts: Mutex<[Int]>

    init(_ count: Int) { counts = Mutex(Array(repeating: 0, count: count)) }

    subscript(number: Int) -> Int { counts.withLock { $0[number] } }

    /// - Returns: how many there were before.
    func add(_ number: Int) -> Int {
        counts.withLock { counts in
            counts[number] += 1
            return counts[number] - 1
        }
    }
}

extension Chaos {
    /// How the origin is spoken to.
    enum Transport: Sendable {
        case plain
        /// HTTP/2 without asking.
        case priorKnowledge
        /// TLS without HTTP/2; with what the gateway is told of HTTP/2, and how connections end.
        case tls(http2: String, SecureFront.End)
        /// TLS, over which HTTP/2 is agreed on.
        case tlsWithHTTP2

        var speaksHTTP2: Bool {
            switch self {
            case .priorKnowledge, .tlsWithHTTP2: true
            case .plain, .tls: false
            }
        }

        var isTLS: Bool {
            switch self {
            case .tls, .tlsWithHTTP2: true
            case .plain, .priorKnowledge: false
            }
        }

        /// A handshake takes longer where many want one.
        var timeouts: String {
            isTLS ? "{connect: 600ms, attempt: 600ms, call: 5s}" : "{connect: 300ms, attempt: 300ms, call: 3s}"
        }

        /// - Parameter body: gets the URL, and further keys of the service.
        func run<Result>(
            _ origin: ScriptedOrigin, _ body: (_ url: String, _ more: String) async throws -> Result
        ) async throws -> Result {
            switch self {
            case .plain: return try await body(origin.url, "")
            case .priorKnowledge: return try await body(origin.url, ", http2: prior-knowledge")
            case .tls(let http2, let end): return try await run(origin, [], end, "http2: \(http2)", body)
            case .tlsWithHTTP2: return try await run(origin, ["h2"], .alert, "http2: auto", body)
            }
        }

        private func run<Result>(
            _ origin: ScriptedOrigin, _ protocols: [String], _ end: SecureFront.End, _ more: String,
            _ body: (_ url: String, _ more: String) async throws -> Result
        ) async throws -> Result {
            let certificate = try OriginCertificate()
            let front = try await SecureFront(origin: origin.port, certificate, protocols: protocols, end: end)
            let result: Result
            do {
                result = try await body(front.url, ", \(more), caBundle: \"\(certificate.certificate)\"")
            } catch {
                try await front.stop()
                throw error
            }
            try await front.stop()
            return result
        }
    }
}
