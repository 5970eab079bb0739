// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .define("SANITIZE_THREAD"),
]

let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

/// The modules that share state between threads, and their tests, for the thread sanitizer (`Scripts/check-threads`). They are
/// links to the project's own files. Whatever is linked is built here too, and so is sanitized.
let package = Package(
    name: "sanitized",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        .target(name: "Locking", swiftSettings: settings),
        .target(name: "Primitives", swiftSettings: settings),
        .target(name: "Streams", dependencies: ["Locking"], swiftSettings: settings),
        .target(name: "PageCache", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(
            name: "RateLimiter",
            dependencies: ["Locking", "Primitives", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(name: "Telemetry", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(name: "Tracing", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .target(name: "RefreshScheduler", dependencies: ["Primitives"], swiftSettings: settings),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(
            name: "AWSProtocol", dependencies: ["CCrypto", "CPCRE2", "CZlib", "Locking", "Primitives"],
            swiftSettings: settings),
        .target(name: "CCatalogs"),
        .target(name: "BuiltInCatalogs", dependencies: ["CCatalogs"], swiftSettings: settings),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1"),
        .target(name: "StrictYAML", dependencies: ["CYAML", "Primitives"], swiftSettings: settings),
        .target(
            name: "Gateway",
            dependencies: [
                "AWSProtocol", "Locking", "PageCache", "Primitives", "RateLimiter", "RefreshScheduler", "Streams",
                "StrictYAML", "Tracing",
            ],
            swiftSettings: settings),
        .target(
            name: "Redis", dependencies: ["CCrypto", "Locking", "Primitives", nioCore, nioPosix, nioSSL],
            swiftSettings: settings),
        .target(
            name: "Cluster",
            dependencies: [
                "AWSProtocol", "Gateway", "Locking", "PageCache", "Primitives", "RateLimiter", "Redis", "Telemetry",
                nioCore, nioPosix,
            ],
            swiftSettings: settings),
        .executableTarget(name: "PlantedRace", swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["Primitives"], path: "Tests/TestSupport", swiftSettings: testSettings),
        .testTarget(
            name: "PageCacheTests", dependencies: ["PageCache", "Primitives", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "RateLimiterTests", dependencies: ["Primitives", "RateLimiter", "TestSupport"],
            swiftSettings: testSettings),
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
        .testTarget(name: "StreamsTests", dependencies: ["Streams", "TestSupport"], swiftSettings: testSettings),
        .testTarget(name: "TelemetryTests", dependencies: ["Primitives", "Telemetry"], swiftSettings: testSettings),
    ]
)
