// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// What the gateway's parts cost by themselves. The modules under test are links to the project's own sources, so that a
/// benchmark builds nothing but what it measures.
let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
    targets: [
        .target(name: "Locking", swiftSettings: settings),
        .target(name: "Primitives", swiftSettings: settings),
        .target(name: "PageCache", dependencies: ["Locking", "Primitives"], swiftSettings: settings),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8"),
        .target(
            name: "AWSProtocol", dependencies: ["CPCRE2"],
            sources: [
                "Constraints/ClassRun.swift", "Constraints/LimitedExpression.swift", "Constraints/Pattern.swift",
                "Constraints/PatternNotation.swift",
            ],
            swiftSettings: settings),
        .target(
            name: "RateLimiter",
            dependencies: ["Locking", "Primitives", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(name: "RefreshScheduler", dependencies: ["Primitives"], swiftSettings: settings),
        .executableTarget(
            name: "RefreshBenchmark", dependencies: ["Primitives", "RefreshScheduler"], swiftSettings: settings),
        .executableTarget(name: "PatternBenchmark", dependencies: ["AWSProtocol"], swiftSettings: settings),
        .executableTarget(
            name: "LimitBenchmark", dependencies: ["Primitives", "RateLimiter"], swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["Primitives"], sources: ["Instants.swift", "SeededGenerator.swift"],
            swiftSettings: settings),
        .executableTarget(
            name: "CacheBenchmark", dependencies: ["PageCache", "Primitives", "TestSupport"], swiftSettings: settings),
    ]
)
