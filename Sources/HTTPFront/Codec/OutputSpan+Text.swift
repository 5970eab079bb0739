extension OutputSpan where Element == UInt8 {
    /// Appends a literal. The caller provides the room; the part that does not fit is left out.
    @inline(__always)
    public mutating func text(_ literal: StaticString) {
        // Unsafe only in its pointers: a literal's is valid for ever, and no more is copied than there is room for.
        unsafe withUnsafeMutableBufferPointer { output, count in
            assert(literal.utf8CodeUnitCount <= output.count - count, "no room for \(literal)")
            let length = min(literal.utf8CodeUnitCount, output.count - count)
            guard length > 0, let base = output.baseAddress else { return }
            unsafe (base + count).update(from: literal.utf8Start, count: length)
            count += length
        }
    }

    /// Appends bytes. The caller provides the room; the part that does not fit is left out.
    @inline(__always)
    mutating func append(copying bytes: Span<UInt8>) {
        // Unsafe only in its pointers: no more is copied than there is room for.
        unsafe withUnsafeMutableBufferPointer { output, count in
            unsafe bytes.extracting(first: output.count - count).withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(output)[count...])
                    .copyMemory(from: bytes)
                count += bytes.count
            }
        }
    }

    /// Appends a decimal number. The caller provides the room; a number that does not fit is left out.
    public mutating func number(_ value: Int64) {
        let magnitude = value.magnitude
        var length = value < 0 ? 2 : 1
        var rest = magnitude / 10
        while rest > 0 {
            length += 1
            rest /= 10
        }
        assert(freeCapacity >= length, "no room for \(value)")
        guard freeCapacity >= length else { return }
        // Unsafe only in its pointer: there is room for as many bytes.
        unsafe withUnsafeMutableBufferPointer { output, count in
            if value < 0 { unsafe output[count] = UInt8(ascii: "-") }
            var place = count + length
            count = place
            rest = magnitude
            repeat {
                place -= 1
                unsafe output[place] = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
                rest /= 10
            } while rest > 0
        }
    }
}
