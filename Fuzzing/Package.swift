// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let harnessSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")

/// With `PLANTED_BUG` set, the modules with a planted bug are copies that `Scripts/check-fuzz` makes.
func path(_ module: String) -> String {
    Context.environment["PLANTED_BUG"] == nil ? "Sources/\(module)" : ".build/planted/\(module)"
}

/// The readers of what comes from outside, under libFuzzer: `Scripts/check-fuzz`. Modules are links to the project's own
/// files; what is checked is in the tests, which run it over the committed corpus.
let package = Package(
    name: "fuzzing",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: The project's modules, or what of them needs neither sockets nor threads
        .target(name: "Locking", swiftSettings: settings),
        .target(name: "Primitives", path: path("Primitives"), swiftSettings: settings),
        .target(name: "Streams", dependencies: ["Locking"], swiftSettings: settings),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8"),
        .target(
            name: "AWSProtocol", dependencies: ["CCrypto", "CPCRE2", "CZlib", "Locking", "Primitives"],
            path: path("AWSProtocol"), swiftSettings: settings),
        .target(name: "PageCache", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(name: "RateLimiter", dependencies: ["Locking", "Primitives", deque], swiftSettings: settings),
        .target(
            name: "RefreshScheduler", dependencies: ["Primitives"], path: path("RefreshScheduler"),
            swiftSettings: settings),
        .target(name: "Telemetry", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(name: "CCatalogs"),
        .target(name: "BuiltInCatalogs", dependencies: ["CCatalogs"], swiftSettings: settings),
        .target(name: "StrictYAML", dependencies: [yams], swiftSettings: settings),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
        .target(
            name: "HTTPFront", dependencies: ["Primitives", nioCore], path: path("HTTPFront"),
            sources: ["Codec", "Server/HTTPLimits.swift", "TLS/PeerCertificate.swift"],
            swiftSettings: settings),
        .target(
            name: "Gateway",
            dependencies: [
                "AWSProtocol", "Locking", "PageCache", "Primitives", "RateLimiter", "RefreshScheduler", "Streams",
                "StrictYAML", "Telemetry",
            ],
            path: path("Gateway"), swiftSettings: settings),
        .target(
            name: "GatewayFront", dependencies: ["AWSProtocol", "Gateway", "HTTPFront", "Primitives"],
            path: path("GatewayFront"),
            sources: [
                "Admin/AdminQuery.swift", "Requests/CacheDirectives+Request.swift", "Identity/CallerIdentities.swift",
            ],
            swiftSettings: settings),
        .target(
            name: "OriginClient", dependencies: ["CCurl", "Primitives", "Streams"], path: path("OriginClient"),
            sources: [
                "CurlError.swift", "CurlReply.swift", "HTTP2Mode.swift", "HTTP1/ReplyCollector.swift",
                "HTTP1/ReplyCollector+Text.swift",
                "HTTP1/ReplyReader.swift", "StreamedReply.swift",
            ],
            swiftSettings: settings),
        .target(
            name: "Redis", dependencies: ["Primitives"], path: path("Redis"),
            sources: [
                "Client/RedisError.swift", "RESP/RESPFault.swift", "RESP/RESPReader.swift",
                "RESP/RESPReader+Numbers.swift", "RESP/RESPValue.swift",
                "RESP/RedisServerError.swift", "Settings/RedisEndpoint.swift",
            ],
            swiftSettings: settings),
        .target(
            name: "Upstream", path: path("Upstream"), sources: ["RetryPolicy.swift"], swiftSettings: settings),
        .target(
            name: "JobsProxy",
            dependencies: [
                "Gateway", "GatewayFront", "HTTPFront", "OriginClient", "Primitives", "StrictYAML", "Upstream",
            ],
            path: path("JobsProxy"),
            sources: ["Commands/CommandFailure.swift", "Configuration", "Process/File.swift"], swiftSettings: settings),

        // MARK: Harnesses
        .target(name: "Fuzzer", swiftSettings: harnessSettings),
        .harness("FuzzCodec", ["HTTPFront", nioCore, nioEmbedded, nioHTTP1]),
        .harness("FuzzConfiguration", ["JobsProxy", "StrictYAML", "Upstream"]),
        .harness("FuzzFields", ["AWSProtocol", "Gateway", "GatewayFront", "HTTPFront", "Primitives"]),
        .harness("FuzzInput", ["AWSProtocol", "BuiltInCatalogs", "Gateway"]),
        .harness("FuzzJSON", ["AWSProtocol"]),
        .harness("FuzzRedis", ["Redis"]),
        .harness("FuzzReplies", ["OriginClient"]),
        .harness("FuzzSignature", ["AWSProtocol", "Primitives"]),
    ]
)

extension Target {
    static func harness(_ name: String, _ modules: [Target.Dependency]) -> Target {
        .executableTarget(name: name, dependencies: ["Fuzzer"] + modules, swiftSettings: harnessSettings)
    }
}
