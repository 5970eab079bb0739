import Glibc
import Primitives
import Testing

@Suite("HTTP dates")
struct HTTPDateTests {
    @Test(
        "are written in the preferred form of RFC 9110, section 5.6.7",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1, "Thu, 01 Jan 1970 00:00:01 GMT"),
            (59, "Thu, 01 Jan 1970 00:00:59 GMT"),
            (3_599, "Thu, 01 Jan 1970 00:59:59 GMT"),
            (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
            (86_400, "Fri, 02 Jan 1970 00:00:00 GMT"),
            (68_169_600, "Tue, 29 Feb 1972 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (978_307_199, "Sun, 31 Dec 2000 23:59:59 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (13_574_563_200, "Tue, 29 Feb 2400 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func form(seconds: Int64, expected: String) { #expect(text(HTTPDate.format(seconds)) == expected) }

    @Test(
        "outside the years that the form can express are the nearest that it can",
        arguments: [
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (.min, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (253_402_300_800, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func extremes(seconds: Int64, expected: String) { #expect(text(HTTPDate.format(seconds)) == expected) }

    @Test(
        "are read",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun Nov  6 08:49:37 1994", nil),
            ("Sun, 06 Nov 1994 08:49:37 UTC", nil), ("Sun, 06 nov 1994 08:49:37 GMT", nil),
        ] as [(String, Int64?)])
    func reading(text: String, seconds: Int64?) { #expect(HTTPDate.seconds(text) == seconds) }

    @Test("agree with the C library's calendar, from the epoch to the end of the year 9999")
    func calendar() {
        // A prime number of seconds, about 116 days, so that all months, weekdays and times of day are met.
        for seconds in stride(from: Int64(0), through: 253_402_300_799, by: 9_999_991) {
            let ours = text(HTTPDate.format(seconds))
            if ours != reference(seconds) {
                Issue.record("\(seconds): \(ours) is not \(reference(seconds))")
                return
            }
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func reference(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let length = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return text(buffer.prefix(length).map { UInt8(bitPattern: $0) })
    }
}
