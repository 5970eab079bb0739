/// A millisecond and a second in nanoseconds.
let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000
let microsecond: Int64 = 1000
