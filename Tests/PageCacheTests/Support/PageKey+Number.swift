import PageCache
import TestSupport

extension PageKey {
    /// A key with a hash of the test's choice, to force collisions and to be the same in every run.
    init(_ bytes: [UInt8], hash: UInt64) {
        self.init(bytes)
        // The module has no initialiser with a hash, and should not have one: it is written to the property's memory.
        guard let offset = MemoryLayout<PageKey>.offset(of: \.hash) else { return }
        withUnsafeMutableBytes(of: &self) { $0.storeBytes(of: hash, toByteOffset: offset, as: UInt64.self) }
    }

    /// The eight bytes of a number.
    static func bytes(of number: Int) -> [UInt8] { withUnsafeBytes(of: UInt64(number)) { Array($0) } }

    /// The key of a number, with a hash that does not depend on the process.
    init(number: Int) {
        var mixer = SeededGenerator(seed: UInt64(number))
        self.init(Self.bytes(of: number), hash: mixer.next())
    }
}
