/// The secrets that a configuration's references lead to, to see when one was replaced. It shows none.
struct SecretValues: Sendable, CustomStringConvertible, CustomReflectable {
    private var values: [String: [String]] = [:]

    /// - Throws: `CommandFailure` if one cannot be read.
    init(_ configuration: Configuration, environment: [String: String]) throws(CommandFailure) {
        func read(_ references: [SecretReference?]) throws(CommandFailure) -> [String] {
            var secrets: [String] = []
            for reference in references.compactMap(\.self) { secrets.append(try reference.value(environment)) }
            return secrets
        }
        values["admin.token"] = try read([configuration.admin.token])
        values["shared.password"] = try read([configuration.shared?.password])
        values["shared.key"] = try read([configuration.shared?.key])
        for service in configuration.services {
            guard case .keys(let keys) = service.credentials else { continue }
            values["services.\(service.name).credentials"] = try read([keys.secretAccessKey, keys.sessionToken])
        }
        for caller in configuration.callers {
            values["callers.\(caller.name).keys"] = try read(caller.keys.map(\.secretAccessKey))
        }
    }

    /// The keys of secrets that are others, in order. A caller or a service that only one of the two has is not among them.
    func keysThatDiffer(from other: SecretValues) -> [String] {
        values.filter { key, value in other.values[key].map { $0 != value } ?? false }.keys.sorted()
    }

    var description: String { "\(values.count) secrets" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
