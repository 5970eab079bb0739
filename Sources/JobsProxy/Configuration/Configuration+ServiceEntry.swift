internal import OriginClient

extension Configuration {
    /// One upstream: an AWS endpoint in one Region, with the operations of a catalog.
    struct ServiceEntry: Sendable, Equatable {
        var catalog = CatalogSource()
        /// Unique among the services. Left out, it is the catalog's name, or its file's name without the extension.
        var name = "voice-id"
        var endpoint = Endpoint.sandbox
        var region = "us-east-1"
        var signing = Signing.resign
        var credentials = Credentials.default
        var http2 = HTTP2Mode.auto
        /// Path of a PEM file with the certificates to trust; `nil`: those of the system.
        var caBundle: String?
        var proxy: Origin?
        var maxConnections = 32
        /// The most bytes that a reply's body may have; a larger one is an error.
        var maxReplyBytes = 16 * .mebibyte
        var timeouts = Timeouts()
        /// The share of a quota group's rate that is left unused.
        var headroom = 0.02
        var quotas: [String: Rate] = [:]
        /// Services with the same one use the same account, and so share the quotas.
        var quotaScope: String?

        /// Where a service's catalog comes from.
        struct CatalogSource: Sendable, Equatable {
            /// A built-in catalog's name, or the path of a catalog or a model.
            var name = "voice-id"
            /// The path of an overlay to lay on it.
            var overlay: String?

            /// Different for different sources: texts that merely look alike are equal to Swift.
            var bytes: [UInt8] { Array("\(name)\0\(overlay ?? "")".utf8) }
        }

        enum Endpoint: Sendable, Equatable {
            /// The stand-in inside this process.
            case sandbox
            case origin(Origin)
        }

        /// The signature that the service gets.
        enum Signing: String, Sendable, CaseIterable {
            /// The gateway's own.
            case resign
            /// The caller's, untouched.
            case passthrough
        }

        /// The credentials that the gateway signs with.
        enum Credentials: Sendable, Equatable {
            /// The default chain of the AWS SDKs.
            case `default`
            case keys(AccessKey)
        }

        /// connect ≤ attempt ≤ call.
        struct Timeouts: Sendable, Equatable {
            var connect: Int64 = 2 * .second
            var attempt: Int64 = 5 * .second
            var call: Int64 = 15 * .second
            /// Of an attempt, by the names of operations, instead of the catalog's and of `attempt`. A call has as long at least.
            var operation: [String: Int64] = [:]
        }
    }

    /// A key id and its secret; callers' have no session token.
    struct AccessKey: Sendable, Equatable {
        var accessKeyID = ""
        var secretAccessKey: SecretReference?
        var sessionToken: SecretReference?
    }

    /// A token bucket's size and speed.
    struct Rate: Sendable, Equatable {
        /// Tokens a second.
        var rate: Double
        /// Tokens that may be spent at once; at most as many as the rate brings in a year.
        var burst: Int
        /// True if the limit only counts the requests that it would refuse.
        var shadow = false

        /// As many tokens as one second brings, and at least one.
        static func burst(of rate: Double) -> Int {
            Int(exactly: max(rate, 1).rounded(.down)) ?? .max
        }
    }
}
