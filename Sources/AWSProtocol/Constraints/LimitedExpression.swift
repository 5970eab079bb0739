internal import CPCRE2

/// A regular expression that PCRE2 matches within a limit of steps.
///
/// Threads that match at the same time share no lock: the compiled expression is immutable, and each match has its own data.
/// PCRE2's JIT compiler is not used, because it does not count steps as the interpreter does.
///
/// `@unchecked Sendable` because: `code` is only read between `init` and `deinit`, which PCRE2 allows from many threads
/// (pcre2api(3), "Multithreading"). `@safe` because: only this class creates, passes and frees it.
@safe final class LimitedExpression: @unchecked Sendable {
    private let code: OpaquePointer
    private let hasDot: Bool
    /// The maximum memory of a match for backtracking. A match that needs more has no result.
    private static let heapKibibytes: UInt32 = 256

    /// `nil` for an expression in a notation that PCRE2 does not support.
    ///
    /// - Throws: `PatternError` if the text is malformed in every notation.
    init?(_ text: String) throws(PatternError) {
        guard let notation = PatternNotation(text) else { return nil }
        hasDot = notation.hasDot
        // A model's `$` is the end of the text only, not also the position before a last line feed.
        let options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C
        var fault: Int32 = 0
        var place = 0
        // Unsafe because of the pointers; the length is the buffer's.
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

    /// Returns true if the whole of `value` matches; `nil` if that is unknown, because notations differ or because `steps` or the
    /// memory do not suffice.
    func matches(_ value: [UInt8], steps: UInt32) -> Bool? {
        guard !hasDot || !Self.hasUncommonLineEnd(value) else { return nil }
        guard let limits = unsafe pcre2_match_context_create_8(nil) else { return nil }
        defer { unsafe pcre2_match_context_free_8(limits) }
        guard let result = unsafe pcre2_match_data_create_8(1, nil) else { return nil }
        defer { unsafe pcre2_match_data_free_8(result) }
        _ = unsafe pcre2_set_match_limit_8(limits, steps)
        _ = unsafe pcre2_set_heap_limit_8(limits, Self.heapKibibytes)
        // Unsafe because of the pointers; the length is the buffer's. PCRE2 refuses bytes that are not UTF-8.
        let outcome = unsafe value.withUnsafeBufferPointer { value in
            unsafe pcre2_match_8(code, value.baseAddress, value.count, 0, 0, result, limits)
        }
        return outcome >= 0 ? true : outcome == PCRE2_ERROR_NOMATCH ? false : nil
    }

    /// Returns true if there is a line terminator other than U+000A: U+000D, U+0085, U+2028 or U+2029, in UTF-8.
    private static func hasUncommonLineEnd(_ value: [UInt8]) -> Bool {
        var lastThree: UInt32 = 0
        for byte in value {
            lastThree = (lastThree << 8 | UInt32(byte)) & 0xff_ffff
            if byte == 0x0d || lastThree & 0xffff == 0xc285 || lastThree & ~1 == 0xe2_80a8 { return true }
        }
        return false
    }

    /// The errors of pcre2.h that are errors in every notation: a backslash at the end, bounds or ranges in reverse order, missing or
    /// extra brackets, a quantifier without an operand.
    private static let malformed: Set<Int32> = [
        PCRE2_ERROR_END_BACKSLASH, PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER, PCRE2_ERROR_MISSING_SQUARE_BRACKET,
        PCRE2_ERROR_CLASS_RANGE_ORDER, PCRE2_ERROR_QUANTIFIER_INVALID, PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS,
        PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS,
    ]
}
