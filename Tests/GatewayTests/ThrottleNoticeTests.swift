import AWSProtocol
import Testing

@testable import Gateway

@Suite("What is said when a limit is used up")
struct ThrottleNoticeTests {
    @Test(
        "is worded ahead but for the time, whatever the limit is called",
        arguments: [
            ("caller one", 0, 1), ("caller \"a\\b\n\u{1}é\"", 1, 1), ("domain 0 ms.\"}", 1_000_000, 1),
            ("x", 1_000_001, 2),
            ("x", .max, 9_223_372_036_855), ("x", -5, 1),
        ] as [(String, Int64, Int64)])
    func words(limit: String, wait: Int64, milliseconds: Int64) throws {
        let notice = ThrottleNotice(.caller, limit, try builtInCatalog())
        let error = GatewayError(notice, wait: wait)
        #expect(error.error.message == "Rate exceeded: \(limit). Try again in \(milliseconds) ms.")
        #expect(error.status == 400 && error.error.status == 400)
        #expect(ThrottleNotice.milliseconds(error.retryAfter ?? 0) == milliseconds)
        #expect(notice.bodyStart + Array("\(milliseconds)".utf8) + notice.bodyEnd == error.error.body())
    }

    @Test("counts each limit in its place")
    func places() { #expect(ThrottleScope.allCases.map(\.index) == Array(ThrottleScope.allCases.indices)) }
}
