internal import ArgumentParser
internal import OriginClient
internal import StrictYAML

/// `jobs-proxy health`: asks a running gateway whether it is well.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks the gateway on this machine whether it runs, or is ready.",
        discussion: """
            Asks the operators' listener, prints one line and exits with 0 if it is well, else with 1, after two seconds at
            the most. Needs no token.

            Examples:
              jobs-proxy health
              jobs-proxy health --ready --config jobs-proxy.yaml
            """)

    @Option(help: ArgumentHelp("The configuration file, for the listener's address.", valueName: "FILE"))
    var config: String?

    @Flag(help: "Asks whether it is ready for calls, which it is not while it ends or has no credentials.")
    var ready = false

    func run() async throws {
        let answer: (isGood: Bool, line: String)
        do throws(CommandFailure) { answer = try ask() } catch { answer = (false, "\(error)") }
        print(answer.line)
        guard answer.isGood else { throw ExitCode.failure }
    }

    private func ask() throws(CommandFailure) -> (isGood: Bool, line: String) {
        var address = Configuration().admin.address
        if let config {
            // A fault elsewhere in the file is nothing to a gateway that runs.
            address = ConfigurationReader.read(try File.read(config), FaultCollector(file: config)).admin.address
        }
        let path = ready ? "readyz" : "healthz"
        if let socket = address.path {
            do throws(CommandFailure) {
                let seconds = Int(Self.timeout / .second)
                return answer(try UnixSocketRequest.status(path, at: socket, seconds: seconds), address)
            } catch {
                throw noAnswer(address, "\(error)")
            }
        }
        guard address.port != 0 else { throw CommandFailure("admin.address has port 0: the system has chosen another") }
        // A listener on all addresses has that of loopback.
        if address.host == "0.0.0.0" { address.host = "127.0.0.1" }
        if address.host == "::" { address.host = "::1" }
        let request = AttemptRequest(
            endpoint: Endpoint(url: "http://\(address)/\(path)", connectTimeout: Self.timeout), method: .get,
            fields: [], body: [], timeout: Self.timeout, maxReplyBytes: .mebibyte)
        do throws(CurlError) {
            return answer(try request.perform().status, address)
        } catch {
            throw noAnswer(address, "\(error)")
        }
    }

    private func answer(_ status: Int, _ address: Configuration.Address) -> (isGood: Bool, line: String) {
        let word = ready ? "ready" : "healthy"
        let line = "\(address) answers /\(ready ? "readyz" : "healthz") with \(status)"
        return status == 200 ? (true, "\(word): \(line)") : (false, "not \(word): \(line)")
    }

    private func noAnswer(_ address: Configuration.Address, _ cause: String) -> CommandFailure {
        CommandFailure("\(ready ? "not ready" : "not healthy"): \(address) does not answer: \(cause)")
    }

    /// Nanoseconds.
    private static let timeout = 2 * Int64.second
}
