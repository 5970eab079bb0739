import StrictYAML
import Upstream

@testable import JobsProxy

/// What must hold of the configuration reader whatever the file: it ends in a configuration, or in faults that a terminal
/// can show. The fuzzer and the tests ask this of every input.
enum ConfigurationCheck {
    /// What is wrong; nothing if all is well.
    static func fault(_ bytes: [UInt8]) -> String? {
        switch ConfigurationReader.read(bytes, file: "c.yaml") {
        case .success(let configuration): ofConfiguration(configuration)
        case .failure(let faults): ofFaults(faults, bytes)
        }
    }

    /// What nothing downstream looks at again.
    private static func ofConfiguration(_ configuration: Configuration) -> String? {
        let http = configuration.http
        guard !configuration.services.isEmpty else { return "no services" }
        guard Set(configuration.services.map(\.name)).count == configuration.services.count else {
            return "equal names"
        }
        guard http.maxFields >= 1, http.maxFieldBytes >= 64, http.maxHeadBytes >= 64, http.maxBodyBytes >= 64 else {
            return "limits of \(http)"
        }
        for time in [http.headTimeout, http.bodyTimeout, http.idleTimeout, configuration.breaker.openFor] {
            guard (Int64.millisecond...Int64.hour).contains(time) else { return "a time of \(time)" }
        }
        for service in configuration.services {
            let times = service.timeouts
            guard 0 < times.connect, times.connect <= times.attempt, times.attempt <= times.call else {
                return "\(times)"
            }
            for rate in service.quotas.values where !(rate.rate > 0 && rate.rate <= 1e7 && rate.burst >= 1) {
                return "a quota of \(rate)"
            }
        }
        guard configuration.retry.baseDelay <= configuration.retry.maxDelay else { return "\(configuration.retry)" }
        return nil
    }

    /// A fault is one line of text, at a line of the file or just past its end; they come by line.
    private static func ofFaults(_ faults: FileFaults, _ bytes: [UInt8]) -> String? {
        guard !faults.faults.isEmpty else { return "neither configuration nor faults" }
        let lines = bytes.count { $0 == 0x0a || $0 == 0x0d } + 2
        for fault in faults.faults {
            guard (1...lines).contains(fault.line) else { return "line \(fault.line) of \(lines)" }
            guard fault.description.unicodeScalars.allSatisfy({ !isControl($0) }) else {
                return "a control character in \(fault.description.debugDescription)"
            }
        }
        guard faults.faults.map(\.line) == faults.faults.map(\.line).sorted() else { return "not by line" }
        return nil
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || [0x2028, 0x2029].contains(scalar.value)
    }
}

extension ConfigurationReader {
    /// The configuration in a file, or the faults of its text.
    ///
    /// - Parameter file: its name, for the faults.
    static func read(_ bytes: [UInt8], file: String) -> Result<Configuration, FileFaults> {
        let faults = FaultCollector(file: file)
        let configuration = read(bytes, faults)
        return faults.sorted.map(Result.failure) ?? .success(configuration)
    }
}
