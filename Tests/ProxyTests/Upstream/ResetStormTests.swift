import Foundation
import TestSupport
import Testing

@testable import JobsProxy

@Suite("A storm of resets", .timeLimit(.minutes(5)))
struct ResetStormTests {
    /// How many; another number for a longer run by hand.
    private static let count = ProcessInfo.processInfo.environment["RESETS"].flatMap { Int($0) } ?? 10_000

    @Test("at random points of replies: no wrong page, and nothing lost: no descriptor, no flight, nobody who waits")
    func storm() async throws {
        var generator = TestSupport.SeededGenerator(seed: 20)
        // Half as many calls beside, that nothing happens to: the breaker would open if half of all attempts failed.
        let cases = (0..<Self.count * 3 / 2).map { number in
            guard number % 3 > 0 else { return Chaos.Case([]) }
            let page = Chaos.page(number)
            let text = "HTTP/1.1 200 OK\r\nContent-Length: \(page.utf8.count)\r\n\r\n\(page)"
            let cut = Int.random(in: 0..<text.utf8.count, using: &generator)
            return Chaos.Case(.cut(after: cut, of: text, byReset: number % 4 > 0))
        }
        let before = openDescriptors()
        // Flights and waiters are looked at there.
        let results = try await Chaos.run(cases, width: 64)
        #expect(results.count { !$0.isPage } == 0)
        #expect(results.reduce(0) { $0 + $1.attempts - 1 } == Self.count)
        let isClosed = await eventually { openDescriptors() <= before + 8 }
        #expect(isClosed, "\(openDescriptors()) descriptors, \(before) before")
    }
}

/// How many file descriptors this process has open.
private func openDescriptors() -> Int { (0..<8192).count { fcntl(Int32($0), F_GETFD) != -1 } }
