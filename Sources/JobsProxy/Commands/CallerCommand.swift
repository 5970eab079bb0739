internal import ArgumentParser

/// `jobs-proxy caller`: those who may call.
struct CallerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "caller",
        abstract: "Makes keys for callers.",
        subcommands: [CallerAddCommand.self])

    func run() throws { throw ValidationError.noCommand }
}

/// `jobs-proxy caller add`: a fresh key pair, and what to write into the configuration.
struct CallerAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Makes a key pair for a caller and prints it, with the lines for the configuration.",
        discussion: """
            Nothing is written or kept: the secret is shown this once. For a second key of a caller who has one
            already, add the line of the key to theirs.

            Examples:
              jobs-proxy caller add dashboard
              jobs-proxy caller add nightly-report --domains 'AbCd*' --operations 'List*' --operations 'Describe*'
            """)

    @Argument(help: ArgumentHelp("What the caller is called in metrics and logs.", valueName: "NAME"))
    var name: String

    @Option(help: ArgumentHelp("A pattern of domain ids that they may ask about; may be repeated.", valueName: "GLOB"))
    var domains: [String] = []

    @Option(help: ArgumentHelp("A pattern of operations that they may ask for; may be repeated.", valueName: "GLOB"))
    var operations: [String] = []

    func validate() throws {
        guard ValueParser<String>.isName(name), !["anonymous", "unknown"].contains(name) else {
            throw ValidationError(
                "NAME must be 1 to 64 letters, digits, '-', '_' or '.', and neither 'anonymous' nor 'unknown'")
        }
        for pattern in domains + operations where !ValueParser<String>.isWord(pattern, atMost: 128, with: "-_*?") {
            throw ValidationError("a pattern must be 1 to 128 letters, digits, '-', '_', '*' or '?'")
        }
    }

    func run() {
        let pair = KeyPair()
        // With the end of the key's id: a caller has two keys while one takes the other's place.
        let word = name.uppercased().map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
        let variable = (word.first?.isNumber == true ? "_" : "") + "\(word)_SECRET_\(pair.accessKeyID.suffix(4))"
        var lines = [
            "# The caller's environment:",
            "AWS_ACCESS_KEY_ID=\(pair.accessKeyID)",
            "AWS_SECRET_ACCESS_KEY=\(pair.secretAccessKey)",
            "",
            "# The gateway's environment:",
            "\(variable)=\(pair.secretAccessKey)",
            "",
            "# The gateway's configuration:",
            "callers:",
            "  - name: \(name)",
            "    keys:",
            "      - { accessKeyId: \(pair.accessKeyID), secretAccessKey: { env: \(variable) } }",
        ]
        for (key, patterns) in [("domains", domains), ("operations", operations)] where !patterns.isEmpty {
            lines.append("    \(key): [\(patterns.map { "\"\($0)\"" }.joined(separator: ", "))]")
        }
        print(lines.joined(separator: "\n"))
    }
}

/// A key id and a secret of the lengths that those of AWS have, drawn from the system's random numbers.
struct KeyPair {
    let accessKeyID: String
    let secretAccessKey: String

    init() {
        var random = SystemRandomNumberGenerator()
        // Letters and digits alone, so that no shell or file needs quotes: 40 of them are 238 bits.
        let capitals = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        // Not "AKIA", which would look like a key of AWS.
        accessKeyID = "GW" + Self.text(18, of: capitals, &random)
        secretAccessKey = Self.text(40, of: letters, &random)
    }

    private static func text(
        _ count: Int, of alphabet: [Character], _ random: inout SystemRandomNumberGenerator
    ) -> String {
        String((0..<count).compactMap { _ in alphabet.randomElement(using: &random) })
    }
}
