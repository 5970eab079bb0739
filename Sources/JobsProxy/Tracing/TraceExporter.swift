internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import OriginClient
internal import ServiceLifecycle
internal import Synchronization
internal import Tracing

/// Sends spans to a collector of OpenTelemetry, in batches, on a thread of its own. No call waits for it: a collector that is slow or gone
/// fills the buffer, and what finds no room there is dropped and counted. A batch that is not taken is not sent again.
final class TraceExporter: Service {
    let spans: SpanBuffer
    private let endpoint: Endpoint
    private let service: String
    private let instance: String
    private let logger: Logger
    /// Its end wakes the thread for the last time.
    private let wakeUps: Int32
    /// Ends when the thread has ended.
    private let completion: Int32
    private let isEnding = Atomic(false)

    /// The spans of a request to the collector: with a kilobyte each, it stays below the 4 MiB that collectors accept.
    static let batch = 512
    /// How long spans are collected, in milliseconds.
    private static let interval: Int32 = 1000
    /// How long the collector has for a batch, and at the end of the process, in nanoseconds.
    private static let (timeout, lastTimeout): (Int64, Int64) = (5_000_000_000, 500_000_000)

    /// Starts the thread.
    ///
    /// - Throws: `CommandFailure` if there is no thread or no descriptor to be had.
    init(_ tracing: Configuration.Tracing, _ logger: Logger) throws(CommandFailure) {
        spans = SpanBuffer()
        endpoint = Endpoint(url: tracing.endpoint, caBundle: tracing.caBundle, connectTimeout: 2_000_000_000)
        service = tracing.serviceName
        instance = "\(ProcessInfo.processInfo.hostName):\(getpid())"
        self.logger = logger
        let (wakeUpsEnd, wakeUps) = try LogWriter.pair()
        let (completion, completionEnd) = try LogWriter.pair()
        (self.wakeUps, self.completion) = (wakeUps, completion)
        do {
            try spawnThread { [self] in
                work(wakeUpsEnd)
                close(completionEnd)
            }
        } catch {
            throw CommandFailure("the thread that exports traces cannot be started: \(error)")
        }
    }

    func run() async {
        try? await gracefulShutdown()
        finish()
    }

    /// Sends what is left and ends the thread; waits no longer than a second for the collector.
    func finish() {
        isEnding.store(true, ordering: .releasing)
        shutdown(wakeUps, Int32(SHUT_WR))
        var ended = pollfd(fd: completion, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&ended, 1, 1000)
    }

    /// The body of the thread.
    private func work(_ wakeUps: Int32) {
        var isFailing = false
        var end = pollfd(fd: wakeUps, events: Int16(POLLIN), revents: 0)
        while true {
            let isLast = isEnding.load(ordering: .acquiring)
            let batch = spans.take(Self.batch)
            if !batch.isEmpty {
                let failure = send(batch, timeout: isLast ? Self.lastTimeout : Self.timeout)
                report(failure, &isFailing)
            }
            if isLast, batch.count < Self.batch || isFailing { return }
            if batch.count < Self.batch, !isLast { _ = unsafe poll(&end, 1, Self.interval) }
        }
    }

    /// - Returns: why the collector has not taken it; `nil` if it has.
    private func send(_ batch: [TraceSpan], timeout: Int64) -> String? {
        let body = OTLPText.request(batch, service: service, version: buildVersion, instance: instance)
        let request = AttemptRequest(
            endpoint: endpoint, fields: [("Content-Type", OTLPText.contentType), ("User-Agent", "jobs-proxy")],
            body: body, timeout: timeout, maxReplyBytes: 1 << 20)
        let failure: String?
        do throws(CurlError) {
            let status = try request.perform().status
            failure = (200..<300).contains(status) ? nil : "it has answered with status \(status)"
        } catch {
            failure = error.words ?? error.description
        }
        spans.add(batch.count, failure == nil ? .exported : .failed)
        return failure
    }

    private func report(_ failure: String?, _ isFailing: inout Bool) {
        defer { isFailing = failure != nil }
        switch (failure, isFailing) {
        case (let failure?, false):
            logger.warning("traces are not taken by their collector", metadata: ["cause": "\(failure)"])
        case (nil, true): logger.notice("traces are taken by their collector again")
        default: break
        }
    }
}
