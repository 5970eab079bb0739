import Primitives
import Testing

@testable import AWSProtocol

@Suite("The difference of two clocks")
struct ClockOffsetTests {
    @Test(
        "is what a reply's date says, nothing up to a minute, and not believed beyond a day",
        arguments: [
            (0, 0), (60, 0), (-60, 0), (61, 61), (-61, -61), (86_400, 86_400), (-86_400, -86_400), (86_401, nil),
            (-86_401, nil), (.max, nil), (.min, nil),
        ] as [(Int64, Int64?)])
    func offset(_ difference: Int64, _ offset: Int64?) {
        #expect(AWSTime.clockOffset(date: WallInstant(seconds: difference), now: WallInstant(seconds: 0)) == offset)
        let now = WallInstant(seconds: 1_700_000_000)
        let (date, overflow) = now.seconds.addingReportingOverflow(difference)
        if !overflow { #expect(AWSTime.clockOffset(date: WallInstant(seconds: date), now: now) == offset) }
    }

    @Test("of years that HTTP can write is not believed")
    func years() {
        for text in ["Thu, 01 Jan 2099 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]
        {
            #expect(
                AWSTime.clockOffset(
                    date: WallInstant(seconds: HTTPDate.seconds(text) ?? 0), now: WallInstant(seconds: 1_700_000_000))
                    == nil)
        }
    }
}
