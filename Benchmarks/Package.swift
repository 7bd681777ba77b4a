// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "echoelmusic-ml", path: "..")],
    targets: [
        .executableTarget(
            name: "inference-overhead",
            dependencies: [.product(name: "EchoelInference", package: "echoelmusic-ml")],
            swiftSettings: settings),
        .executableTarget(
            name: "voice-batcher",
            dependencies: [
                .product(name: "EchoelInference", package: "echoelmusic-ml"),
                .product(name: "EchoelMusic", package: "echoelmusic-ml"),
            ], swiftSettings: settings),
    ]
)
