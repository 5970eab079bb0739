// swift-tools-version: 6.2
import PackageDescription

// MARK: Settings

/// Shared by every target: the strictest language mode that builds cleanly, and no warning left behind.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// Tests read C structures and raw sockets; strict memory safety would only add noise there.
let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// MARK: Dependencies

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// MARK: Package

let package = Package(
    name: "jobs-proxy",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "jobs-proxy", targets: ["JobsProxy"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // MARK: Below the leaves: the one lock, bytes and ids, and the libraries that hash and match patterns
        .target(name: "Locking", swiftSettings: settings),
        .target(name: "Primitives", swiftSettings: settings),
        .target(name: "Streams", dependencies: ["Locking"], swiftSettings: settings),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // MARK: Leaves: no I/O, no imports of each other, time is always an argument
        .target(
            name: "AWSProtocol", dependencies: ["CCrypto", "CPCRE2", "CZlib", "Locking", "Primitives"],
            swiftSettings: settings),
        .target(name: "PageCache", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(name: "RateLimiter", dependencies: ["Locking", "Primitives", deque], swiftSettings: settings),
        .target(name: "RefreshScheduler", dependencies: ["Primitives"], swiftSettings: settings),
        .target(name: "Telemetry", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(name: "Tracing", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        // The files of Config/catalogs, embedded by the C preprocessor.
        .target(name: "CCatalogs"),
        // The operator's page, embedded likewise.
        .target(name: "CPage"),
        .target(name: "Dashboard", dependencies: ["CPage", "Primitives"], swiftSettings: settings),
        .target(name: "BuiltInCatalogs", dependencies: ["CCatalogs"], swiftSettings: settings),
        // In C, because it comes before `main`, or in a signal's handler.
        .target(name: "CProcess"),
        .target(name: "StrictYAML", dependencies: ["CYAML", "Primitives"], swiftSettings: settings),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        // MARK: Edges: sockets and threads
        .target(
            name: "HTTPFront",
            dependencies: [
                "Locking", "Primitives", "Streams", asn1, nioCore, nioHPACK, nioHTTP2, nioPosix, nioSSL, nioTLS,
            ],
            swiftSettings: settings),
        .target(
            name: "OriginClient", dependencies: ["CCurl", "Locking", "Primitives", "Streams"], swiftSettings: settings),
        .target(
            name: "Redis", dependencies: ["CCrypto", "Locking", "Primitives", nioCore, nioPosix, nioSSL],
            swiftSettings: settings),
        .target(
            name: "Upstream",
            dependencies: [
                "AWSProtocol", "Gateway", "Locking", "OriginClient", "Primitives", "Streams", "Telemetry", "Tracing",
            ],
            swiftSettings: settings),

        // MARK: Core: vocabulary and decisions
        .target(
            name: "Gateway",
            dependencies: [
                "AWSProtocol", "Locking", "PageCache", "Primitives", "RateLimiter", "RefreshScheduler", "Streams",
                "StrictYAML", "Tracing",
            ],
            swiftSettings: settings),
        .target(
            name: "Cluster",
            dependencies: [
                "AWSProtocol", "Gateway", "Locking", "PageCache", "Primitives", "RateLimiter", "Redis", "Telemetry",
                nioCore, nioPosix,
            ],
            swiftSettings: settings),
        .target(
            name: "CatalogImport", dependencies: ["AWSProtocol", "Gateway", "StrictYAML"],
            swiftSettings: settings),
        .target(
            name: "GatewayFront",
            dependencies: [
                "AWSProtocol", "Dashboard", "Gateway", "HTTPFront", "Locking", "PageCache", "Primitives", "Streams",
                "Telemetry", "Tracing", nioCore,
            ],
            swiftSettings: settings),
        .target(
            name: "Credentials", dependencies: ["AWSProtocol", "Locking", "OriginClient", "Primitives"],
            swiftSettings: settings),
        .target(
            name: "Sandbox",
            dependencies: [
                "AWSProtocol", "HTTPFront", "Locking", "Primitives", "RateLimiter", "Telemetry", nioCore, nioPosix,
            ],
            swiftSettings: settings),

        // MARK: Executable
        .executableTarget(
            name: "JobsProxy",
            dependencies: [
                "AWSProtocol", "BuiltInCatalogs", "CCrypto", "CProcess", "CatalogImport", "Cluster", "Credentials",
                "Dashboard",
                "Gateway",
                "GatewayFront",
                "HTTPFront",
                "Locking", "OriginClient", "PageCache", "Primitives", "RateLimiter", "Redis", "RefreshScheduler",
                "Sandbox",
                "StrictYAML", "Telemetry", "Tracing",
                "Upstream", arguments, heap, lifecycle, logging, nioCore, nioPosix,
            ],
            swiftSettings: settings),

        // MARK: Tests
        // Code that several test targets share. `NIOTestSupport` is apart, so that the leaves' tests do without NIO.
        .target(
            name: "TestSupport", dependencies: ["Primitives"], path: "Tests/TestSupport", swiftSettings: testSettings),
        .target(
            name: "NIOTestSupport", dependencies: [nioCore, nioPosix], path: "Tests/NIOTestSupport",
            swiftSettings: testSettings),
        .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"], swiftSettings: testSettings),
        .testTarget(name: "StreamsTests", dependencies: ["Streams", "TestSupport"], swiftSettings: testSettings),
        .testTarget(
            name: "AWSProtocolTests", dependencies: ["AWSProtocol", "Primitives", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "AWSProtocol", "BuiltInCatalogs", "Credentials", "Gateway", "PageCache", "Primitives", "RateLimiter",
                "TestSupport",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "CatalogImportTests", dependencies: ["AWSProtocol", "CatalogImport", "Gateway", "StrictYAML"],
            swiftSettings: testSettings),
        .testTarget(name: "DashboardTests", dependencies: ["Dashboard", "Primitives"], swiftSettings: testSettings),
        .testTarget(
            name: "TracingTests", dependencies: ["Primitives", "TestSupport", "Tracing"], swiftSettings: testSettings),
        .testTarget(name: "TelemetryTests", dependencies: ["Primitives", "Telemetry"], swiftSettings: testSettings),
        .testTarget(
            name: "PageCacheTests", dependencies: ["PageCache", "Primitives", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "RefreshSchedulerTests", dependencies: ["Primitives", "RefreshScheduler", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "RateLimiterTests", dependencies: ["Primitives", "RateLimiter", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            // NIO's own reader of HTTP/1.1 is the decoder's second opinion.
            name: "HTTPFrontTests",
            dependencies: [
                "HTTPFront", "Locking", "Primitives", "Streams", "TestSupport", nioCore, nioEmbedded, nioHTTP1,
                nioPosix, nioHPACK,
                nioHTTP2,
                nioSSL,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "OriginClientTests", dependencies: ["CCurl", "OriginClient", "Primitives", "Streams", "TestSupport"],
            swiftSettings: testSettings,
            // One test takes the place of the C library's name lookup, for libcurl too.
            linkerSettings: [
                .unsafeFlags([
                    "-Xlinker", "--export-dynamic-symbol=getaddrinfo", "-Xlinker", "--export-dynamic-symbol=connect",
                ])
            ]),
        .testTarget(
            name: "RedisTests",
            dependencies: ["Locking", "Primitives", "Redis", "TestSupport", nioCore, nioEmbedded, nioPosix],
            swiftSettings: testSettings),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "AWSProtocol", "BuiltInCatalogs", "Cluster", "Gateway", "Locking", "PageCache", "Primitives",
                "RateLimiter", "Redis", "Telemetry", "TestSupport", nioCore,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "UpstreamTests",
            dependencies: [
                "AWSProtocol", "BuiltInCatalogs", "Gateway", "OriginClient", "PageCache", "Primitives", "RateLimiter",
                "Streams", "TestSupport", "Upstream",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "CredentialsTests",
            dependencies: ["AWSProtocol", "Credentials", "Locking", "Primitives", "TestSupport"],
            exclude: ["SDK"],
            swiftSettings: testSettings),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "AWSProtocol", "HTTPFront", "NIOTestSupport", "Primitives", "RateLimiter", "Sandbox", "Telemetry",
                "TestSupport",
                nioCore,
                nioPosix,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "AWSProtocol", "CatalogImport", "Gateway", "GatewayFront", "HTTPFront", "JobsProxy", "Locking",
                "NIOTestSupport", "PageCache", "Primitives", "RateLimiter", "RefreshScheduler", "Sandbox", "Streams",
                "StrictYAML", "Telemetry", "TestSupport", "Upstream",
                arguments, lifecycle, logging, nioCore, nioEmbedded, nioPosix, nioSSL,
            ],
            exclude: ["SDK"],
            swiftSettings: testSettings),
    ]
)
