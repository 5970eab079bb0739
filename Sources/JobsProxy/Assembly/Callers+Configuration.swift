internal import AWSProtocol
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import Primitives

// Who may call, from the configuration's words to the front's.

extension Callers {
    /// The gate numbers callers from 0, the one without a name; those of the configuration follow in its order.
    init(
        _ configuration: Configuration, _ services: [Gateway.Service], environment: [String: String]
    ) throws(CommandFailure) {
        var keys: [KeyRing.Key] = []
        var certificates: [PeerCertificate.Name: CallerID] = [:]
        for (number, caller) in zip(1..., configuration.callers) {
            for key in caller.keys {
                guard let secret = key.secretAccessKey else { continue }
                keys.append(
                    KeyRing.Key(id: key.accessKeyID, secret: try secret.value(environment), owner: number))
            }
            if let name = caller.certificate { certificates[name] = CallerID(number) }
        }
        let anonymous: Anonymous =
            switch configuration.effectiveAnonymous {
            case .deny: .deny
            case .loopback: .loopback
            case .allow: .allow
            }
        self.init(
            keys: KeyRing(
                keys: keys,
                scopes: services.map {
                    SigningScope(region: $0.settings.region, service: $0.settings.catalog.signingName)
                }),
            anonymous: anonymous, certificates: certificates)
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
