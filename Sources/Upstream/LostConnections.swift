/// Connections that were lost of late. Each is one failure, and its retries cost the budget once, however many attempts shared it.
struct LostConnections {
    /// More are not remembered: the attempts of a connection end within moments.
    static let maxCount = 64

    private var losses: [(connection: UInt64, isPaid: Bool)] = []

    /// Takes note that an attempt has failed because its connection ended.
    ///
    /// - Returns: true if it is the first that tells of this connection.
    mutating func add(_ connection: UInt64) -> Bool {
        if losses.contains(where: { $0.connection == connection }) { return false }
        if losses.count == Self.maxCount { losses.removeFirst() }
        losses.append((connection, isPaid: false))
        return true
    }

    func isPaid(_ connection: UInt64) -> Bool { losses.contains { $0.connection == connection && $0.isPaid } }

    /// The budget has paid for one of them, and so for all.
    mutating func pay(_ connection: UInt64) {
        if let place = losses.firstIndex(where: { $0.connection == connection }) { losses[place].isPaid = true }
    }
}
