import Primitives
import Testing

@testable import AWSProtocol

@Suite("When a service wants to be asked again")
struct RetryAfterTests {
    private static let date = WallInstant(seconds: 784_111_777)

    @Test("it says in seconds, in milliseconds, or by a date, and the longest counts")
    func wait() {
        #expect(RetryAfter(standard: "2", amazon: nil, date: nil)?.wait == 2_000_000_000)
        #expect(RetryAfter(standard: nil, amazon: "1500", date: nil)?.wait == 1_500_000_000)
        #expect(RetryAfter(standard: "1", amazon: "1500", date: nil)?.wait == 1_500_000_000)
        #expect(RetryAfter(standard: "2", amazon: "1500", date: nil)?.wait == 2_000_000_000)
        #expect(RetryAfter(standard: "0", amazon: "0", date: nil)?.wait == 0)
        #expect(RetryAfter(standard: "999999999", amazon: nil, date: nil)?.wait == 999_999_999_000_000_000)
        let later = "Sun, 06 Nov 1994 08:50:37 GMT"
        #expect(RetryAfter(standard: later, amazon: nil, date: Self.date)?.wait == 60_000_000_000)
        #expect(RetryAfter(standard: later, amazon: nil, date: nil)?.wait == 0)
        #expect(
            RetryAfter(standard: "Fri, 31 Dec 9999 23:59:59 GMT", amazon: nil, date: WallInstant(seconds: 0))?.wait
                == 999_999_999_000_000_000
        )
        #expect(RetryAfter(standard: "Sun, 06 Nov 1994 08:48:37 GMT", amazon: nil, date: Self.date)?.wait == 0)
    }

    @Test(
        "what is neither says nothing",
        arguments: ["", " ", "-1", "+1", "1.5", "1 ", "1000000000", "soon", "١", "Sun, 06 Nov 1994 08:49:37 GMX"])
    func unreadable(_ text: String) {
        #expect(RetryAfter(standard: text, amazon: text, date: WallInstant(seconds: 0)) == nil)
        let other = RetryAfter(standard: text, amazon: "7", date: WallInstant(seconds: 0))
        #expect(other?.standard == nil)
        #expect(other?.amazon == "7")
        #expect(RetryAfter(standard: "7", amazon: text, date: WallInstant(seconds: 0))?.amazon == nil)
    }
}
