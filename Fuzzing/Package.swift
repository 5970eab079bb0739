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

/// The readers of what comes from outside, under libFuzzer: `Scripts/check-fuzz`. Modules are links to the project's own
/// files, and what is checked is in the tests, which run it over the committed corpus.
let package = Package(
    name: "fuzzing",
    platforms: [.macOS(.v26)],
    dependencies: [.package(url: "https://github.com/apple/swift-nio", from: "2.101.2")],
    targets: [
        .target(name: "Fuzzer", swiftSettings: harnessSettings),
        // The decoder alone: the rest of the module needs sockets.
        .target(
            name: "HTTPFront",
            sources: [
                "ChunkedContent.swift", "HTTPDate.swift", "HTTPLimits.swift", "KnownField.swift", "Refusal.swift",
                "RequestDecoder.swift", "RequestHead.swift", "RequestHead+Parsing.swift", "Span+Text.swift",
                "Status.swift",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "FuzzCodec",
            dependencies: [
                "Fuzzer", "HTTPFront", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: harnessSettings),
    ]
)
