internal import HTTPFront

extension Configuration {
    /// Somebody who may call.
    struct Caller: Sendable, Equatable {
        /// Unique; the value of a metric label.
        var name = ""
        /// Several while one is replaced by the next.
        var keys: [Key] = []
        /// A name in their client certificate, by which they are known instead of by a key.
        var certificate: PeerCertificate.Name?
        /// Patterns of domain ids and of operations.
        var domains = ["*"]
        var operations = ["*"]
        /// Nothing chosen: `limits.caller`.
        var limit: Rate?
        /// The part in a quota that others want too, in proportion to theirs.
        var weight = 1.0
        /// Whether their `Cache-Control: no-cache` is granted.
        var noCache = false

        struct Key: Sendable, Equatable {
            var accessKeyID = ""
            var secretAccessKey: SecretReference?
        }
    }

    /// Who calls without a key or certificate, with what is not chosen decided.
    var effectiveAnonymous: Anonymous { anonymous ?? (callers.isEmpty ? .loopback : .deny) }
}
