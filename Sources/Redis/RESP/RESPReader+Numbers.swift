internal import Primitives

extension RESPReader {
    static func number(_ digits: ArraySlice<UInt8>) throws(RESPFault) -> Int64 {
        let isNegative = digits.first == UInt8(ascii: "-")
        let digits = isNegative ? digits.dropFirst() : digits
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 && !isNegative else {
            throw .malformedNumber
        }
        var number: Int64 = 0
        for byte in digits {
            let digit = Int64(byte &- 0x30)
            guard byte.isDigit else { throw .malformedNumber }
            // Downwards, because the least number has no positive counterpart.
            let (product, overflows) = number.multipliedReportingOverflow(by: 10)
            let (difference, underflows) = product.subtractingReportingOverflow(digit)
            guard !overflows, !underflows else { throw .malformedNumber }
            number = difference
        }
        guard !isNegative else { return number }
        guard number != .min else { throw .malformedNumber }
        return -number
    }

    /// `nil` for -1, which stands for null. What exceeds the machine's integers exceeds every limit.
    static func length(_ digits: ArraySlice<UInt8>) throws(RESPFault) -> Int? {
        let number = try number(digits)
        guard number != -1 else { return nil }
        guard number >= 0 else { throw .negativeLength }
        return min(Int(clamping: number), .max / 2)
    }
}
