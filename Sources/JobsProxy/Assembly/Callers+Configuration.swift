internal import AWSProtocol
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import Primitives

// Who may call, from the configuration's words to the front's.

extension CallerIdentities {
    /// - Parameters:
    ///   - ids: of the configuration's callers, in its order.
    ///   - old: those before a reload.
    init(
        _ configuration: Configuration, _ services: [Gateway.Service], ids: [CallerID], environment: [String: String],
        after old: CallerIdentities? = nil
    ) throws(CommandFailure) {
        var keys: [KeyRing.Key] = []
        var certificates: [PeerCertificate.Name: CallerID] = [:]
        for (id, caller) in zip(ids, configuration.callers) {
            for key in caller.keys {
                guard let secret = key.secretAccessKey else { continue }
                keys.append(
                    KeyRing.Key(id: key.accessKeyID, secret: try secret.value(environment), caller: id))
            }
            if let name = caller.certificate { certificates[name] = id }
        }
        self.init(
            keys: KeyRing(
                keys: keys,
                scopes: services.map {
                    SigningScope(region: $0.settings.region, service: $0.settings.catalog.signingName)
                }),
            anonymous: configuration.effectiveAnonymous, certificates: certificates, after: old)
    }
}

extension SecretReference {
    /// The secret.
    ///
    /// - Throws: `CommandFailure` if it cannot be read.
    func value(_ environment: [String: String]) throws(CommandFailure) -> String {
        do throws(Problem) { return try resolve(environment) } catch { throw CommandFailure("\(key): \(error.text)") }
    }
}
