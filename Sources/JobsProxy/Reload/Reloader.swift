internal import Gateway
internal import GatewayFront
internal import Locking
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Primitives
internal import ServiceLifecycle
internal import Synchronization
internal import Telemetry

/// Takes orders to read the configuration anew and to change rates for a while, and carries them out one after the other, never on an event
/// loop. Orders to reload that come while one is carried out are one order together, which begins after it.
///
/// A reload waits → (none is loading) loading, on a thread of its own → (its files are read) loaded → applied. A file system may hang, so nothing
/// else waits for the thread: neither orders about rates and their ends, nor the end of the process.
final class Reloader: ServiceLifecycle.Service {
    /// What has caused a reload; the raw value is for the log.
    enum Cause: String {
        case signal, request, watch
    }

    private typealias Order = (cause: Cause, completions: [AdminOrders.Completion])

    private struct Pending {
        var reload: Order?
        /// The order whose files are being read, or were.
        var loading: Order?
        var loaded: Result<Configuration, CommandFailure>?
        var overrides: [(query: [(name: String, value: String)], completion: AdminOrders.Completion)] = []
        var hasEnded = false
    }

    private let source: ReloadSource?
    private let apply: Locked<GatewayReload?> = Locked(nil)
    private let pending = Locked(Pending())
    private let watched = Locked(FileWatch())
    private let isLooking = Atomic<Bool>(false)
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let results: ReloadResults
    private let logger: Logger
    private let group: any EventLoopGroup
    /// Reads files, which takes as long as the file system does.
    private let pool = NIOThreadPool(numberOfThreads: 1)

    /// The most orders that wait: each holds a connection.
    private static let maxOrders = 64
    /// When an override has not ended although its time is over, it is tried again after this time. Nanoseconds.
    static let retryPause = 10 * Int64.second

    /// - Parameter source: `nil` if there is no file.
    init(_ source: ReloadSource?, _ registry: Metrics, group: any EventLoopGroup, logger: Logger) {
        (self.source, self.group, self.logger) = (source, group, logger)
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        results = ReloadResults(registry)
    }

    /// From now on orders are carried out by `reload`.
    func begin(_ reload: GatewayReload) {
        note()
        apply.withLock { $0 = reload }
    }

    // MARK: Orders

    var orders: AdminOrders {
        AdminOrders(
            reload: { [weak self] completion in self?.reload(.request, completion) },
            override: { [weak self] query, completion in self?.override(query, completion) })
    }

    func reload(_ cause: Cause, _ completion: AdminOrders.Completion? = nil) {
        guard source != nil else {
            logger.notice("there is nothing to reload: the gateway runs without a configuration file")
            completion?(.init(isDone: false, text: "there is nothing to reload: the gateway runs without a file\n"))
            return
        }
        order(completion) { pending in
            pending.reload = (cause, (pending.reload?.completions ?? []) + [completion].compactMap(\.self))
        }
    }

    private func override(_ query: [(name: String, value: String)], _ completion: @escaping AdminOrders.Completion) {
        order(completion) { $0.overrides.append((query, completion)) }
    }

    private func order(_ completion: AdminOrders.Completion?, _ add: (inout Pending) -> Void) {
        let refusal = pending.withLock { pending -> String? in
            if pending.hasEnded { return "the gateway is ending\n" }
            let waiting = pending.overrides.count + (pending.reload?.completions.count ?? 0)
            guard waiting < Self.maxOrders || completion == nil else { return "too many orders wait: try again\n" }
            add(&pending)
            return nil
        }
        if let refusal { completion?(.init(isDone: false, text: refusal)) } else { wake.yield() }
    }

    // MARK: Life

    func run() async {
        pool.start()
        let ticker = group.next().scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [weak self] _ in
            self?.look()
        }
        // Not waited for at the end: to apply a file, other files are read.
        Task { for await _ in wakeUps { await carryOut() } }
        try? await gracefulShutdown()
        wake.finish()
        ticker.cancel()
        let left = pending.withLock { pending in
            pending.hasEnded = true
            defer { (pending.reload, pending.loading, pending.overrides) = (nil, nil, []) }
            let orders = [pending.reload, pending.loading].compactMap { $0?.completions }.flatMap(\.self)
            return orders + pending.overrides.map(\.completion)
        }
        for completion in left { completion(.init(isDone: false, text: "the gateway is ending\n")) }
        pool.shutdownGracefully { _ in }
    }

    private func carryOut() async {
        guard let apply = apply.withLock({ $0 }) else { return }
        let next = endOverrides(apply.running.parts.overrides, now: Process.now) { rest throws(CommandFailure) in
            try apply.apply(rest)
        }
        wakeUp(at: next)
        let overrides = pending.withLock { pending in
            defer { pending.overrides = [] }
            return pending.overrides
        }
        for (query, completion) in overrides { completion(carryOut(query, apply)) }
        let loaded = pending.withLock { pending -> (order: Order, file: Result<Configuration, CommandFailure>)? in
            guard let order = pending.loading, let file = pending.loaded else { return nil }
            (pending.loading, pending.loaded) = (nil, nil)
            return (order, file)
        }
        if let loaded {
            let answer = await use(loaded.file, loaded.order.cause, apply)
            for completion in loaded.order.completions { completion(answer) }
        }
        load()
    }

    // MARK: Reload

    /// Has the files read for the order that waits, unless one is being read for.
    private func load() {
        let begins = pending.withLock { pending in
            guard pending.loading == nil, let order = pending.reload else { return false }
            (pending.loading, pending.reload) = (order, nil)
            return true
        }
        guard begins, let source else { return }
        source.notify(true)
        pool.submit { [self] state in
            guard case .active = state else { return }
            note()
            let file = Result { () throws(CommandFailure) in try source.load() }
            pending.withLock { $0.loaded = file }
            wake.yield()
        }
    }

    private func use(
        _ file: Result<Configuration, CommandFailure>, _ cause: Cause, _ apply: GatewayReload
    ) async -> AdminOrders.Answer {
        defer { source?.notify(false) }
        do {
            let difference = try await apply.apply(try file.get())
            source?.use(apply.running.configuration.log)
            results.count(isGood: true)
            log(difference, cause)
            return .init(isDone: true, text: difference.json)
        } catch {
            results.count(isGood: false)
            let faults = "\(error)"
            logger.error(
                "the configuration stays as it was: the file has faults",
                metadata: ["cause": "\(cause.rawValue)", "faults": "\(faults)"])
            return .init(isDone: false, text: faults + "\n")
        }
    }

    private func log(_ difference: ConfigurationDifference, _ cause: Cause) {
        logger.notice(
            "the configuration was read anew",
            metadata: [
                "cause": "\(cause.rawValue)", "changed": "\(difference.changed.map(\.key).joined(separator: " "))",
            ])
        guard !difference.needsRestart.isEmpty else { return }
        logger.warning(
            "the configuration has changes that need a restart",
            metadata: ["keys": "\(difference.needsRestart.map(\.key).joined(separator: " "))"])
    }

    // MARK: Overrides

    private func carryOut(
        _ query: [(name: String, value: String)], _ apply: GatewayReload
    ) -> AdminOrders.Answer {
        do {
            let parts = apply.running.parts
            let order = try OverrideQuery(query)
            let target = try order.target(parts.configuration, parts.gate.services)
            var overrides = parts.overrides
            var members: [String] = []
            if let rate = order.rate {
                let service = parts.configuration.services[target.service]
                let group = parts.gate.services[target.service].catalog.quotaGroups[target.group]
                let configured = service.quotas[group.name]?.rate ?? group.rate
                guard rate.rate <= configured || order.mayBeAbove else {
                    throw Problem(
                        "'rate': is above the configured \(configured) a second: add above=true if the service allows it"
                    )
                }
                let now = Process.now
                overrides.set(rate, for: target.names, until: now + order.time)
                members = ["\"rate\":\(rate.rate)", "\"burst\":\(rate.burst)", "\"seconds\":\(order.time / .second)"]
            } else {
                overrides.end(target.names)
                members = ["\"seconds\":0"]
            }
            try apply.apply(overrides)
            wakeUp(at: overrides.nextEnd)
            logger.notice(
                "the rate of a quota group was set by an operator",
                metadata: [
                    "service": "\(target.names.service)", "group": "\(target.names.group)",
                    "rate": "\(order.rate.map { "\($0.rate)" } ?? "as configured")",
                    "for": "\(Units.spelled(nanoseconds: order.time))",
                ])
            let names = ["\"service\":\"\(target.names.service)\"", "\"group\":\"\(target.names.group)\""]
            return .init(isDone: true, text: "{\((names + members).joined(separator: ","))}\n")
        } catch {
            return .init(isDone: false, text: ((error as? Problem)?.text ?? "\(error)") + "\n")
        }
    }

    /// Ends the overrides whose time is over.
    ///
    /// - Parameter use: puts the others in force alone.
    /// - Returns: when the next ones end, or it is to be tried again; `nil` if there is nothing to be done.
    func endOverrides(
        _ overrides: QuotaOverrides, now: MonotonicInstant, _ use: (QuotaOverrides) throws(CommandFailure) -> Void
    ) -> MonotonicInstant? {
        var rest = overrides
        let ended = rest.expire(now: now)
        // For those to come a wake-up is on its way.
        guard !ended.isEmpty else { return nil }
        do throws(CommandFailure) { try use(rest) } catch {
            logger.error(
                "overrides are over, but the configured rates are not back: it is tried again",
                metadata: ["cause": "\(error)"])
            return now + Self.retryPause
        }
        for group in ended {
            logger.notice(
                "the rate of a quota group is the configured one again",
                metadata: ["service": "\(group.service)", "group": "\(group.group)"])
        }
        return rest.nextEnd
    }

    private func wakeUp(at time: MonotonicInstant?) {
        guard let time else { return }
        let delay = TimeAmount.nanoseconds(max(0, time - Process.now))
        group.next().scheduleTask(in: delay) { [wake] in wake.yield() }
    }

    // MARK: Watching

    /// The files are about to be read. From now on those are watched that the file names as it is, even if it has faults: the one may be that
    /// a secret is not there yet.
    private func note() {
        guard let path = source?.path else { return }
        // The file's own comes first, so that a later change is noticed.
        let own = FileStamp(path)
        var stamps = Self.stamps(source?.secretFiles ?? [])
        stamps.updateValue(own, forKey: path)
        watched.withLock { $0.note(stamps) }
    }

    private func look() {
        guard let apply = apply.withLock({ $0 }), apply.running.configuration.reload == .watch,
            // One look at a time: a file system may hang.
            !isLooking.exchange(true, ordering: .acquiring)
        else { return }
        pool.submit { [self] state in
            defer { isLooking.store(false, ordering: .releasing) }
            guard case .active = state else { return }
            let stamps = Self.stamps(watched.withLock { $0.files })
            if watched.withLock({ $0.look(stamps) }) { reload(.watch) }
        }
    }

    private static func stamps(_ files: [String]) -> [String: FileStamp?] {
        var stamps: [String: FileStamp?] = [:]
        for file in files { stamps.updateValue(FileStamp(file), forKey: file) }
        return stamps
    }
}

extension ConfigurationDifference {
    /// The answer to an order to reload.
    var json: String {
        func list(_ changes: [Change]) -> String { changes.map { "\"\($0.key)\"" }.joined(separator: ",") }
        return "{\"applied\":true,\"changed\":[\(list(changed))],\"needsRestart\":[\(list(needsRestart))]}\n"
    }
}
