/// Values on the command line, in the same forms as in the configuration file.
enum CommandValues {
    /// `host:port` or `[v6]:port`.
    static func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), port)
    }

    /// `250ms`, `10s`, `5m`, `1h`, in nanoseconds.
    static func duration(_ text: String) -> Int64? {
        for unit in Units.times where text.hasSuffix(unit.name) {
            guard let number = Int64(text.dropLast(unit.name.count)), number >= 0 else { continue }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit.nanoseconds)
            return overflow ? nil : product
        }
        return nil
    }
}
