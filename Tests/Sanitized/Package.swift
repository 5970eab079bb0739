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

/// The modules that share state between threads, and their tests, for the thread sanitizer (`Scripts/check-threads`). They are
/// links to the project's own files. Nothing else is built, because every linked module must be sanitized too.
let package = Package(
    name: "sanitized",
    platforms: [.macOS(.v26)],
    dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
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
        .executableTarget(name: "PlantedRace", swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["Primitives"], path: "Tests/TestSupport", swiftSettings: testSettings),
        .testTarget(
            name: "PageCacheTests", dependencies: ["PageCache", "Primitives", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "RateLimiterTests", dependencies: ["Primitives", "RateLimiter", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(name: "StreamsTests", dependencies: ["Streams", "TestSupport"], swiftSettings: testSettings),
        .testTarget(name: "TelemetryTests", dependencies: ["Primitives", "Telemetry"], swiftSettings: testSettings),
    ]
)
