import Glibc

/// Numbers as four bytes, the lowest first; texts as their number of bytes and these.
struct StandardInput {
    private var buffer: [UInt8] = []
    private var place = 0

    mutating func text() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }

    mutating func bytes() -> [UInt8]? { number().flatMap { read(Int($0)) } }

    mutating func number() -> UInt32? {
        read(4).map { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    }

    /// Nil at the end.
    private mutating func read(_ count: Int) -> [UInt8]? {
        while buffer.count - place < count {
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            let got = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            guard got > 0 else { return nil }
            buffer = Array(buffer[place...]) + chunk[..<got]
            place = 0
        }
        defer { place += count }
        return Array(buffer[place..<(place + count)])
    }
}
