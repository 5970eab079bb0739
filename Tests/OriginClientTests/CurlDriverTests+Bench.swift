import Glibc
import TestSupport

@testable import OriginClient
import Primitives

/// A driver on the test's own thread, with every wait bounded.
final class CurlBench {
    let driver: CurlDriver
    /// What finished and has not been taken by `finish`.
    var finished: [FinishedAttempt] = []

    init(
        maxConnectionsInAll: Int = 64, idleLimit: Int64 = 50_000_000_000, names: NameLookups = .shared
    ) throws {
        driver = try CurlDriver(maxConnectionsInAll: maxConnectionsInAll, idleLimit: idleLimit, names: names)
    }

    /// Lets attempts progress until the condition holds; false if that takes longer than ten seconds.
    func pump(until condition: () -> Bool) -> Bool {
        let end = MonotonicInstant.now + 10_000_000_000
        while !condition() {
            guard MonotonicInstant.now < end else { return false }
            driver.wait(timeout: 20_000_000, finished: &finished)
        }
        return true
    }

    /// Waits for so many attempts; returns fewer after ten seconds.
    func finish(_ count: Int) -> [FinishedAttempt] {
        _ = pump { finished.count >= count }
        defer { finished = [] }
        return finished
    }

    /// One attempt from its start to its end.
    func attempt(_ request: AttemptRequest) throws -> Result<CurlReply, CurlError> {
        try driver.start(1, request)
        guard let attempt = finish(1).first else { throw NothingFinished() }
        return attempt.result
    }

    func send(_ request: AttemptRequest) throws -> CurlReply {
        try attempt(request).get()
    }

    /// The error that the attempt must end with.
    func failure(_ request: AttemptRequest) throws -> CurlError? {
        if case .failure(let error) = try attempt(request) { error } else { nil }
    }

    struct NothingFinished: Error {}
}

extension AttemptRequest {
    static let keptFields = KeptFields(["content-type", "date", "retry-after", "x-amzn-requestid"])

    /// `{}` to the origin, with four connections and ten seconds.
    static func to(_ origin: ScriptedOrigin) -> AttemptRequest {
        to(url: origin.url)
    }

    static func to(url: String) -> AttemptRequest {
        AttemptRequest(
            endpoint: Endpoint(
                url: url, http2: .auto, caBundle: nil, proxy: nil, maxConnections: 4, connectTimeout: 10_000_000_000,
                keptFields: keptFields),
            fields: [], body: Array("{}".utf8), timeout: 10_000_000_000, maxReplyBytes: 8 << 20)
    }
}

extension Endpoint {
    /// The same but for what is given.
    func with(
        url: String? = nil, http2: HTTP2Mode? = nil, caBundle: String? = nil, proxy: String? = nil,
        maxConnections: Int? = nil, connectTimeout: Int64? = nil, isForStreams: Bool? = nil
    ) -> Endpoint {
        Endpoint(
            url: url ?? self.url, http2: http2 ?? self.http2, caBundle: caBundle ?? self.caBundle,
            proxy: proxy ?? self.proxy, maxConnections: maxConnections ?? self.maxConnections,
            connectTimeout: connectTimeout ?? self.connectTimeout, keptFields: keptFields,
            isForStreams: isForStreams ?? self.isForStreams)
    }
}

/// How many file descriptors this process has open.
func openDescriptors() -> Int {
    (0..<4096).count { fcntl($0, F_GETFD) != -1 }
}

/// Whether the condition comes true within ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = MonotonicInstant.now + 10_000_000_000
    while !condition() {
        guard MonotonicInstant.now < end else { return false }
        sched_yield()
    }
    return true
}
