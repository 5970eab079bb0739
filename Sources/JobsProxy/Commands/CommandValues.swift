internal import StrictYAML

/// Values on the command line, in the same forms as in the configuration file; `nil` for any other text.
enum CommandValues {
    /// `host:port` or `[v6]:port`.
    static func address(_ text: String) -> Configuration.Address? { read(text, .address) }

    /// `250ms`, `10s`, `5m`, `1h`, in nanoseconds.
    static func duration(_ text: String) -> Int64? { read(text, .duration(from: 0, to: .max)) }

    private static func read<Value>(_ text: String, _ parser: ValueParser<Value>) -> Value? {
        try? parser.read(Tree.Scalar(text: text, isPlain: true))
    }
}
