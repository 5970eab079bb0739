import Dispatch
import Foundation
import Primitives
import TestSupport

@testable import Redis

typealias Reply = Result<RESPValue, RedisError>

/// The states and replies of clients, for which a test can wait.
final class Observer: @unchecked Sendable {
    // `@unchecked` because: the lists are reached only under `monitor`.
    private let monitor = Monitor()
    private var states: [RedisState] = []
    private var replies: [Reply] = []

    var allStates: [RedisState] { monitor.change { states } }
    var allReplies: [Reply] { monitor.change { replies } }

    @Sendable func note(_ state: RedisState) { monitor.change { states.append(state) } }
    @Sendable func note(_ reply: Reply) { monitor.change { replies.append(reply) } }

    /// Returns true when so many replies have come, and false after 10 seconds.
    func waitForReplies(_ count: Int) -> Bool { monitor.wait(seconds: 10) { replies.count >= count } }

    /// Returns true when the client has been up so often, and false after 10 seconds.
    func waitForUp(_ count: Int = 1, seconds: Int = 10) -> Bool {
        monitor.wait(seconds: seconds) { states.count(where: \.isUp) >= count }
    }

    /// Returns true when the client has been down so often, and false after 10 seconds.
    func waitForDown(_ count: Int = 1) -> Bool { monitor.wait(seconds: 10) { states.count { !$0.isUp } >= count } }
}

extension RedisSettings {
    /// Settings with short pauses.
    static func quick(
        _ urls: String..., master: String? = nil, username: String? = nil, password: String? = nil,
        tls: RedisTLS? = nil,
        change: (inout RedisSettings) -> Void = { _ in }
    ) throws -> RedisSettings {
        var settings = try RedisSettings(urls: urls, master: master, username: username, password: password, tls: tls)
        settings.pauses = 1_000_000...10_000_000
        change(&settings)
        return settings
    }
}

extension RedisClient {
    /// A client that is started.
    static func started(_ settings: RedisSettings, _ observer: Observer = Observer()) -> RedisClient {
        let client = RedisClient(settings, name: "test", group: nil, onChange: observer.note)
        client.start()
        return client
    }

    /// A client that is up.
    static func connected(_ settings: RedisSettings) throws -> RedisClient {
        let observer = Observer()
        let client = started(settings, observer)
        guard observer.waitForUp() else { throw client.lastError }
        return client
    }

    private var lastError: RedisError { if case .down(_, let reason) = state { reason } else { .timeout } }

    /// Sends a command, and waits for its reply.
    func call(_ words: String..., timeout: Int64 = 5_000_000_000) -> Reply {
        call(RedisCommand(words: words.map { Array($0.utf8) }), timeout: timeout)
    }

    func call(_ command: RedisCommand, timeout: Int64 = 5_000_000_000) -> Reply {
        awaited { send(command, timeout: timeout, $0) }
    }

    func run(_ script: RedisScript, keys: [String] = [], arguments: [String] = []) -> Reply {
        awaited {
            evaluate(
                script, keys: keys.map { Array($0.utf8) }, arguments: arguments.map { Array($0.utf8) },
                timeout: 5_000_000_000, $0)
        }
    }

    private func awaited(_ body: (@escaping @Sendable (Reply) -> Void) -> Void) -> Reply {
        let observer = Observer()
        body(observer.note)
        return observer.waitForReplies(1)
            ? observer.allReplies[0] : .failure(.server(RedisServerError("never completed".utf8)))
    }

    /// Waits until the last reason of a failure fulfils a condition; the states' changes are not told again.
    func waitForReason(_ condition: (RedisError) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: 10)
        while Date() < end {
            if case .down(_, let reason) = state, condition(reason) { return true }
            Thread.sleep(forTimeInterval: 0.001)
        }
        return false
    }
}

extension Result<RESPValue, RedisError> {
    var value: RESPValue? { try? get() }
    var text: String? { value?.text }
    var error: RedisError? {
        if case .failure(let error) = self { error } else { nil }
    }
    /// The code of the server's error.
    var code: String? {
        if case .failure(.server(let error)) = self { error.code } else { nil }
    }
}

/// How many descriptors this process has open.
func openDescriptors() -> Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1 }
