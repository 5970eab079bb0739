import AWSProtocol
import Foundation
import Gateway
import Primitives

@testable import GatewayFront
@testable import HTTPFront

/// What must hold of the readers of dates and of `amz-sdk-request`, `Cache-Control` and a purge's query, whatever they are
/// given. The fuzzer and the tests ask this of every input.
enum FieldCheck {
    /// 2025-11-24T12:00:00Z.
    static let clock: Int64 = 1_763_985_600

    /// What is wrong; nothing if all is well.
    ///
    /// - Parameter input: a field's value; its first eight bytes are a time too.
    static func fault(_ input: [UInt8]) -> String? {
        ofRequest(input) ?? ofRead(input) ?? ofWritten(input)
    }

    // MARK: Fields of a request

    private static func ofRequest(_ value: [UInt8]) -> String? {
        // It would be more than one field.
        guard !value.contains(0x0a) else { return nil }
        let head =
            "POST /?\(String(decoding: value.filter { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self)) HTTP/1.1\r\nHost: a\r\n"
        let bytes =
            Array(head.utf8) + Array("amz-sdk-request: ".utf8) + value + Array("\r\nCache-Control: ".utf8) + value
            + Array("\r\nX: ttl=20251124T120007Z\r\n\r\n".utf8)
        var decoder = RequestDecoder()
        var read = RequestHead()
        guard case .request = decoder.next(bytes.span, head: &read, limits: HTTPLimits()) else { return nil }

        let (now, allowance) = (MonotonicInstant(nanoseconds: 1_000), Int64(2_000_000_000))
        let found = CacheDirectives(
            read, bytes.span, allowsNoCache: true, now: now,
            wallClock: { WallInstant(seconds: clock) })
        let deadline = found.deadline
        let wait = announced(value).map { $0 - clock }.flatMap { (1...86_400).contains($0) ? $0 : nil }
        guard deadline == wait.map({ now + $0 * 1_000_000_000 + allowance }) else {
            return "a deadline of \(String(describing: deadline)), not \(String(describing: wait)) s"
        }
        // By bytes: a mark that follows a comma makes another character of it.
        let directives = value.split(separator: UInt8(ascii: ",")).map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: CharacterSet(charactersIn: " \t")).lowercased()
        }
        guard found.noCache == directives.contains("no-cache"),
            found.onlyIfCached == directives.contains("only-if-cached")
        else { return "\(found) of \(directives)" }
        _ = try? AdminQuery.purge(read, bytes.span)
        return nil
    }

    /// The time after the first `ttl=`, by the C library.
    private static func announced(_ value: [UInt8]) -> Int64? {
        let text = value.map { $0 < 0x80 ? $0 : 0 }
        let lowered = text.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        let name = Array("ttl=".utf8)
        let starts = lowered.indices.filter { $0 + 20 <= lowered.count && lowered[$0...].starts(with: name) }
        return starts.first.flatMap { basic(Array(text[($0 + 4)..<($0 + 20)])) }
    }

    // MARK: Times

    /// Dates are read as the C library counts them.
    private static func ofRead(_ text: [UInt8]) -> String? {
        let read = AWSTime.basic(text.span)
        guard read == basic(text) else { return "\(String(describing: read)), not \(String(describing: basic(text)))" }
        if let seconds = HTTPDate.seconds(text.span) {
            guard text.count == 29,
                HTTPDate.seconds(String(decoding: HTTPDate.format(max(0, seconds)), as: UTF8.self)) == max(0, seconds)
            else { return "an HTTP date is not read as it is written" }
        }
        return nil
    }

    /// A time is written as the C library writes it, and read again as the same.
    private static func ofWritten(_ input: [UInt8]) -> String? {
        guard input.count >= 8 else { return nil }
        let number = input.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        // The whole range, and the nearer times, of which there are more.
        for seconds in [number, number % 253_402_300_800, number % 4_000_000_000] {
            let http = String(decoding: HTTPDate.format(seconds), as: UTF8.self)
            let bounded = min(max(seconds, 0), 253_402_300_799)
            guard http == written(bounded, "%a, %d %b %Y %H:%M:%S GMT") else { return "\(seconds) is \(http)" }
            guard HTTPDate.seconds(http) == bounded else { return "\(http) is not read as it was written" }
            let basic = AWSTime.basic(bounded)
            guard String(decoding: basic, as: UTF8.self) == written(bounded, "%Y%m%dT%H%M%SZ"),
                AWSTime.basic(basic.span) == bounded
            else { return "\(seconds) is \(basic)" }
        }
        return nil
    }

    /// `20251124T120000Z` by the C library.
    private static func basic(_ text: [UInt8]) -> Int64? {
        guard text.count == 16, text[8] == UInt8(ascii: "T"), text[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int32? {
            guard text[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int32(String(decoding: text[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), (1...12).contains(month),
            (1...31).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1900
        (parts.tm_mon, parts.tm_mday) = (month - 1, day)
        // A leap second counts as the one before it.
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, min(second, 59))
        let seconds = Int64(timegm(&parts))
        // The C library makes a date that is not there one of the next month.
        return parts.tm_mday == day ? seconds : nil
    }

    private static func written(_ seconds: Int64, _ format: String) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, format, &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
