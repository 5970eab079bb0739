internal import CPCRE2

/// A regular expression that PCRE2 matches, in no more than a given number of steps.
///
/// Threads that match at the same time share no lock: the compiled expression does not change, and what a match needs beside it is
/// made for each call. PCRE2's compiler to machine code is not used: it does not count steps as the interpreter does.
///
/// `@unchecked Sendable` because: `code` is only read between `init` and `deinit`, which PCRE2 allows from many threads
/// (pcre2api(3), "Multithreading"). `@safe` because: it is made, lent to PCRE2 and freed here alone.
@safe final class LimitedExpression: @unchecked Sendable {
    private let code: OpaquePointer
    private let hasDot: Bool
    /// A match that remembers more places to go back to has no result.
    private static let heapKibibytes: UInt32 = 256

    /// Nil for an expression in notations that PCRE2 does not know.
    ///
    /// - Throws: `PatternError` if the text is a regular expression in no notation.
    init?(_ text: String) throws(PatternError) {
        guard let notation = PatternNotation(text) else { return nil }
        hasDot = notation.hasDot
        // A model's `$` means the end, not also the place before a last line feed.
        let options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C
        var fault: Int32 = 0
        var place = 0
        // Unsafe only in its pointers; the length is the buffer's.
        let code = unsafe notation.perl.withUnsafeBufferPointer { pattern in
            unsafe pcre2_compile_8(pattern.baseAddress, pattern.count, UInt32(options), &fault, &place, nil)
        }
        guard let code = unsafe code else {
            if Self.malformed.contains(fault) { throw PatternError(text: text) }
            return nil
        }
        unsafe self.code = code
    }

    deinit { unsafe pcre2_code_free_8(code) }

    /// Returns true if the whole of `value` matches, and nil if that cannot be told: where notations differ, or where `steps`, or the
    /// memory, do not suffice.
    func matches(_ value: [UInt8], steps: UInt32) -> Bool? {
        guard !hasDot || !Self.hasUncommonLineEnd(value) else { return nil }
        guard let limits = unsafe pcre2_match_context_create_8(nil) else { return nil }
        defer { unsafe pcre2_match_context_free_8(limits) }
        guard let result = unsafe pcre2_match_data_create_8(1, nil) else { return nil }
        defer { unsafe pcre2_match_data_free_8(result) }
        _ = unsafe pcre2_set_match_limit_8(limits, steps)
        _ = unsafe pcre2_set_heap_limit_8(limits, Self.heapKibibytes)
        // Unsafe only in its pointers; the length is the buffer's. PCRE2 itself refuses bytes that are not UTF-8.
        let outcome = unsafe value.withUnsafeBufferPointer { value in
            unsafe pcre2_match_8(code, value.baseAddress, value.count, 0, 0, result, limits)
        }
        return outcome >= 0 ? true : outcome == PCRE2_ERROR_NOMATCH ? false : nil
    }

    /// Whether there is an end of a line other than U+000A: U+000D, U+0085, U+2028 or U+2029, in UTF-8.
    private static func hasUncommonLineEnd(_ value: [UInt8]) -> Bool {
        var lastThree: UInt32 = 0
        for byte in value {
            lastThree = (lastThree << 8 | UInt32(byte)) & 0xff_ffff
            if byte == 0x0d || lastThree & 0xffff == 0xc285 || lastThree & ~1 == 0xe2_80a8 { return true }
        }
        return false
    }

    /// The faults that are so in every notation (pcre2.h): a backslash at the end, bounds or ranges in reverse order, missing or extra
    /// brackets, and nothing to repeat.
    private static let malformed: Set<Int32> = [
        PCRE2_ERROR_END_BACKSLASH, PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER, PCRE2_ERROR_MISSING_SQUARE_BRACKET,
        PCRE2_ERROR_CLASS_RANGE_ORDER, PCRE2_ERROR_QUANTIFIER_INVALID, PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS,
        PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS,
    ]
}
