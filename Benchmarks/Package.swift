// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "echoelmusic-ml", path: "..")],
    targets: [
        .executableTarget(
            name: "inference-overhead",
            dependencies: [.product(name: "EchoelInference", package: "echoelmusic-ml")],
            swiftSettings: [
                .swiftLanguageMode(.v6), .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ]
)
