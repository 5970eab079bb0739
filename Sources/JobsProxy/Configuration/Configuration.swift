internal import GatewayFront
internal import HTTPFront
internal import Telemetry
internal import Upstream

/// The gateway's configuration. Each value here is the default of the key of the same name in the configuration
/// file; `Config/jobs-proxy.yaml` explains them all.
///
/// Times are nanoseconds, sizes bytes, rates per second. A value that came out of `ConfigurationReader` lies within the
/// ranges that `ConfigurationReader+Keys.swift` lists, so nothing downstream has to check it again.
struct Configuration: Sendable, Equatable {
    var listen = ClientListener()
    var admin = AdminListener()
    var http = HTTP()
    /// In the order of the file: of several that share a catalog, the first serves calls that name no Region. Never
    /// empty.
    var services = [ServiceEntry()]
    var retry = RetryPolicy()
    var breaker = Breaker()
    var cache = Cache()
    var limits = Limits()
    /// Gateways that share one account's quota.
    var replicas = 1
    /// What gateways share through Redis; `nil` if nothing.
    var shared: Shared?
    var callers: [Caller] = []
    /// The rule for callers without a gateway key; `nil`: `loopback` without callers, `deny` with them.
    var anonymous: CallerIdentities.Anonymous?
    var drain = Drain()
    /// What has the file read anew, beside an order on the operator's listener.
    var reload = ReloadTrigger.signal
    var log = Log()
    /// `nil`: no trace is recorded or begun.
    var tracing: Tracing?
    /// How the file says it.
    var wording = Wording()
}

extension Configuration {
    /// What tells a file that means its defaults from one that was half written. It is no part of what a configuration means: all are equal.
    struct Wording: Sendable, Equatable {
        /// True for a file without keys.
        var isEmpty = false
        /// True if `callers` is a list, perhaps an empty one.
        var listsCallers = false

        static func == (first: Self, second: Self) -> Bool { true }
    }

    struct ClientListener: Sendable, Equatable {
        var address = Address(host: "127.0.0.1", port: 8080)
        var tls: TLS?
        /// Names and addresses, beside its own, that requests without key or token may name as their host: in lower case, without
        /// brackets.
        var hosts: [String] = []
        var trustedProxies: [Proxy] = []
        /// True if its clients are trusted without verification: services with `signing: passthrough` share pages then.
        var trusted = false
        /// True if `/metrics` is there, for who may reach it.
        var metrics = true
    }

    struct AdminListener: Sendable, Equatable {
        var address = Address(host: "127.0.0.1", port: 9090)
        /// The token that a request must have as `Authorization: Bearer TOKEN`.
        var token: SecretReference?
    }

    /// Paths of PEM files.
    struct TLS: Sendable, Equatable {
        var certificate = ""
        var key = ""
        /// The authorities whose certificates clients may show.
        var clientCA: String?
        /// Its line in the file, for faults.
        var line = 1
    }

    /// The limits of the client listener. The defaults are those of `HTTPLimits`, which says more.
    struct HTTP: Sendable, Equatable {
        var maxFields = HTTPLimits().maxFields
        var maxFieldBytes = HTTPLimits().maxFieldBytes
        var maxHeadBytes = HTTPLimits().maxHeadBytes
        var maxBodyBytes = HTTPLimits().maxBodyBytes
        var headTimeout = HTTPLimits().headTimeout
        var bodyTimeout = HTTPLimits().bodyTimeout
        var idleTimeout = HTTPLimits().idleTimeout
        var maxConnections = HTTPLimits().maxConnections
        var maxConnectionsPerPeer = HTTPLimits().maxConnectionsPerPeer
        var maxUnsentBytes = HTTPLimits().maxUnsentBytes
    }

    /// The end after SIGTERM.
    struct Drain: Sendable, Equatable {
        /// All of it, to the end of calls in flight.
        var total: Int64 = 25 * .second
        /// The first part, in which connections are still accepted; `nil`: see `Configuration.lameDuck`.
        var lameDuck: Int64?
    }

    enum ReloadTrigger: String, Sendable, CaseIterable {
        /// SIGHUP alone.
        case signal
        /// SIGHUP, and a change of the file or of one that it names for a secret.
        case watch
    }

    struct Breaker: Sendable, Equatable {
        /// Consecutive failures that open it.
        var failures = 5
        var openFor: Int64 = 1 * .second
    }

    struct Tracing: Sendable, Equatable {
        /// The part of the requests without a trace of their own whose traces are recorded.
        var sample = 0.01
        /// The URL that takes spans by OTLP over HTTP.
        var endpoint = "http://127.0.0.1:4318/v1/traces"
        var serviceName = "jobs-proxy"
        /// The path of a PEM file with the authorities to trust instead of the system's.
        var caBundle: String?
    }

    struct Log: Sendable, Equatable {
        var level = Level.info
        var access = Access.errors
        /// `nil`: text if standard error is a terminal, else JSON.
        var format: LogFormat?

        /// The levels of swift-log, by their names there.
        enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }

        enum Access: String, Sendable, CaseIterable {
            case off, errors, all
        }
    }
}

extension Configuration {
    struct Caller: Sendable, Equatable {
        /// Unique; the value of a metric label.
        var name = ""
        /// Several while one is replaced by the next.
        var keys: [AccessKey] = []
        /// A name in its client certificate, which identifies it instead of a key.
        var certificate: PeerCertificate.Name?
        /// Patterns of domain ids and of operations.
        var domains = ["*"]
        var operations = ["*"]
        /// `nil`: as `limits.caller`.
        var limit: Rate?
        /// The part in a quota that others want too, in proportion to theirs.
        var weight = 1.0
        var noCache = false
    }

    /// The part of `drain` in which connections are still accepted. A load balancer needs it to learn that the gateway is to end; on loopback
    /// there is none.
    var lameDuck: Int64 {
        let usual = listen.address.isLoopback ? 0 : min(5 * .second, drain.total / 4)
        return min(drain.lameDuck ?? usual, drain.total)
    }

    /// The rule for callers without a key or certificate, its default filled in.
    var effectiveAnonymous: CallerIdentities.Anonymous { anonymous ?? (callers.isEmpty ? .loopback : .deny) }
}
