// swift-tools-version: 6.2
import PackageDescription

/// The tool's own package: it may use other packages, the library may not (Documentation/Architecture.md).
struct Row {
    let name: String
    let needs: [Target.Dependency]
    var excluded: [String] = []
}

func library(_ product: String) -> Target.Dependency { .product(name: product, package: "echoelmusic-ml") }

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let targets: [Row] = [
    Row(name: "Models", needs: [library("EchoelInference"), library("EchoelMusic"), crypto])
]

let executables: [Row] = [
    Row(
        name: "echoel",
        needs: [
            "Models", library("EchoelInference"), library("EchoelMusic"), library("EchoelMusicIO"), arguments,
        ])
]

let tests: [Row] = [
    Row(name: "ModelsTests", needs: ["Models", library("EchoelInference"), library("EchoelMusic"), crypto]),
    Row(
        name: "EchoelTests", needs: ["echoel", "Models", library("EchoelMusic"), library("EchoelMusicIO")],
        excluded: ["Fixtures"]),
]

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "echoel",
    products: [
        .library(name: "EchoelModels", targets: ["Models"]),
        .executable(name: "echoel", targets: ["echoel"]),
    ],
    dependencies: [
        .package(name: "echoelmusic-ml", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    ],
    targets: targets.map { .target(name: $0.name, dependencies: $0.needs, swiftSettings: settings) }
        + executables.map {
            .executableTarget(name: $0.name, dependencies: $0.needs, swiftSettings: settings)
        }
        + tests.map {
            .testTarget(
                name: $0.name, dependencies: $0.needs, exclude: $0.excluded,
                swiftSettings: settings)
        }
)
