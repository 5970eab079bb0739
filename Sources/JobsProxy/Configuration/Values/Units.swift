/// Nanoseconds.
extension Int64 {
    static let millisecond: Int64 = 1_000_000
    static let second: Int64 = 1_000 * millisecond
    static let minute: Int64 = 60 * second
    static let hour: Int64 = 60 * minute
}

/// Bytes.
extension Int {
    static let kibibyte = 1_024
    static let mebibyte = 1_024 * kibibyte
    static let gibibyte = 1_024 * mebibyte
}

/// The spelling of times and sizes in the configuration file: a whole number and its unit, nothing between them.
enum Units {
    /// From the smallest to the largest.
    static let times: [(name: String, nanoseconds: Int64)] = [
        ("ms", .millisecond), ("s", .second), ("m", .minute), ("h", .hour),
    ]
    static let sizes: [(name: String, bytes: Int)] = [
        ("KiB", .kibibyte), ("MiB", .mebibyte), ("GiB", .gibibyte),
    ]

    /// `90000ms` as `90s`: in the largest unit that leaves a whole number.
    static func spelled(nanoseconds: Int64) -> String {
        let unit = times.last { nanoseconds != 0 && nanoseconds % $0.nanoseconds == 0 } ?? times[0]
        return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
    }

    static func spelled(bytes: Int) -> String {
        guard let unit = sizes.last(where: { bytes != 0 && bytes % $0.bytes == 0 }) else { return "\(bytes)" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
