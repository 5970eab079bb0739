/// A millisecond and a second of the clock that the module is handed.
let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000
let microsecond: Int64 = 1000
