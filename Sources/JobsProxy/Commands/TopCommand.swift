internal import ArgumentParser
internal import Glibc

/// `jobs-proxy top`: shows what a running gateway does, in a terminal.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows what a running gateway does, in a terminal.",
        discussion: """
            It shows what the operator's page shows in a browser: answers, quotas, services, callers, the hottest pages and the
            last lines of the log, once a second, with the name of the metric beside each. q or Ctrl-C ends it.

            If the output is no terminal, or TERM is dumb, the figures are printed once, without colour. There is no colour with
            NO_COLOR in the environment either.

            Examples:
              jobs-proxy top
              jobs-proxy top --once
              ADMIN_TOKEN=… jobs-proxy top --url http://127.0.0.1:9090 --token-env ADMIN_TOKEN
            """)

    @Option(help: ArgumentHelp("The operator's listener, admin.address of the gateway.", valueName: "URL"))
    var url = "http://127.0.0.1:9090"

    @Option(help: ArgumentHelp("The environment variable that holds the admin token.", valueName: "NAME"))
    var tokenEnv: String?

    @Flag(help: "Prints the figures once, and ends.")
    var once = false

    func validate() throws {
        guard Self.address(url) != nil else {
            throw ValidationError("--url must be http://HOST:PORT, an IPv6 address in brackets")
        }
    }

    private static func address(_ url: String) -> Configuration.Address? {
        let rest = url.hasPrefix("http://") ? url.dropFirst(7) : url[...]
        return CommandValues.address(String(rest.hasSuffix("/") ? rest.dropLast() : rest))
    }

    func run() throws {
        guard let address = Self.address(url) else { return }
        let environment = Process.environment
        var token: String?
        if let tokenEnv {
            guard let value = environment[tokenEnv], !value.isEmpty else {
                throw CommandFailure("--token-env: there is no \(tokenEnv) in the environment")
            }
            token = value
        }
        // A dumb one has no escape sequences (terminfo(5)).
        let isTerminal = isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
        let hasColour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
        let signals = try EndSignals()
        let events = try EventReader(address, token: token)
        var figures = TopFigures(source: "\(address)")
        if once || !isTerminal {
            try printOnce(events, &figures, hasColour: hasColour)
        } else {
            signals.endInOrder()
            let terminal = Terminal()
            defer { terminal.restore() }
            try watch(events, &figures, terminal, signals, hasColour: hasColour)
        }
    }

    /// Two events, because rates need two.
    private func printOnce(_ events: EventReader, _ figures: inout TopFigures, hasColour: Bool) throws {
        while figures.count < 2 {
            guard let event = try events.next(orInput: false) else { continue }
            figures.add(event)
        }
        let width = Terminal.size?.columns ?? 120
        print(TopFrame(figures, width: max(80, width)).text(hasColour: hasColour))
    }

    private func watch(
        _ events: EventReader, _ figures: inout TopFigures, _ terminal: borrowing Terminal, _ signals: EndSignals,
        hasColour: Bool
    ) throws {
        while !signals.isRaised {
            if let event = try events.next(orInput: true) { figures.add(event) }
            if terminal.wantsEnd() { return }
            guard figures.count > 0 else { continue }
            let size = Terminal.size ?? (columns: 80, rows: 24)
            terminal.show(TopFrame(figures, width: size.columns).text(rows: size.rows, hasColour: hasColour))
        }
    }
}
