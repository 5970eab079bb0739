import Foundation
import NIOPosix
import Primitives

@testable import HTTPFront

/// What a responder was told, in order, for tests that wait for it.
final class Journal: @unchecked Sendable {
    // `@unchecked` because: `entries` is reached only while the condition is locked.

    enum Event: Equatable, Sendable {
        case request(path: String, content: String, waiter: Waiter)
        case refused(Refusal)
        case abandoned(Waiter)
        case dropped(Refusal)
        case identified(PeerCertificate)
        case answered(count: Int)
        case tick
    }

    private let condition = NSCondition()
    private var entries: [Event] = []

    func add(_ event: Event) {
        condition.withLock {
            entries.append(event)
            condition.broadcast()
        }
    }

    var events: [Event] { condition.withLock { entries } }

    /// Forgets everything.
    func clear() { condition.withLock { entries = [] } }

    var paths: [String] { events.compactMap { if case .request(let path, _, _) = $0 { path } else { nil } } }

    var abandoned: [Waiter] { events.compactMap { if case .abandoned(let waiter) = $0 { waiter } else { nil } } }

    var dropped: [Refusal] { events.compactMap { if case .dropped(let refusal) = $0 { refusal } else { nil } } }

    var identified: [PeerCertificate] {
        events.compactMap { if case .identified(let certificate) = $0 { certificate } else { nil } }
    }

    var answered: Int { events.reduce(0) { if case .answered(let count) = $1 { $0 + count } else { $0 } } }

    /// Waits until an event makes `holds` true, at most `Waiting.limit`.
    func wait(_ what: String, until holds: @escaping @Sendable () -> Bool) async throws {
        try await Waiting.pool.runIfActive { [self] in
            let end = Date(timeIntervalSinceNow: Waiting.limit)
            condition.lock()
            defer { condition.unlock() }
            while true {
                condition.unlock()
                let isOver = holds()
                condition.lock()
                if isOver { return }
                // Ticks come four times a second, so what no event announces is seen too.
                let count = entries.count
                while entries.count == count {
                    guard condition.wait(until: end) else { throw Waiting.Expired(what: what) }
                }
            }
        }
    }

    /// Waits for `count` ticks from now on, a quarter of a second each.
    func wait(ticks count: Int) async throws {
        let start = ticks
        try await wait("\(count) ticks") { self.ticks >= start + count }
    }

    /// The waiter of the request for `path`, as soon as it is there.
    func waiter(_ path: String) async throws -> Waiter {
        try await wait("the request for \(path)") { self.paths.contains(path) }
        for case .request(path, _, let waiter) in events { return waiter }
        throw Waiting.Expired(what: path)
    }

    private var ticks: Int { events.count { $0 == .tick } }
}

/// How tests wait: on threads of their own, so that none of them holds up another, and never for ever.
enum Waiting {
    /// Seconds.
    static let limit = 20.0

    static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 32)
        pool.start()
        return pool
    }()

    struct Expired: Error {
        var what: String
    }
}
