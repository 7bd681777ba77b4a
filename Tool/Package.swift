// swift-tools-version: 6.2
import PackageDescription

/// The tool's own package: it may use other packages, the library may not (Documentation/Architecture.md).
struct Row {
    let name: String
    let needs: [Target.Dependency]
    var excluded: [String] = []
}

func library(_ product: String) -> Target.Dependency { .product(name: product, package: "echoelmusic-ml") }

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let executables: [Row] = [
    Row(
        name: "echoel",
        needs: [
            library("EchoelInference"), library("EchoelModels"), library("EchoelMusic"),
            library("EchoelMusicIO"),
            arguments,
        ])
]

let tests: [Row] = [
    Row(
        name: "EchoelTests",
        needs: ["echoel", library("EchoelModels"), library("EchoelMusic"), library("EchoelMusicIO")],
        excluded: ["Fixtures"])
]

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "echoel",
    products: [
        .executable(name: "echoel", targets: ["echoel"])
    ],
    dependencies: [
        .package(name: "echoelmusic-ml", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    ],
    targets: executables.map {
        .executableTarget(name: $0.name, dependencies: $0.needs, swiftSettings: settings)
    }
        + tests.map {
            .testTarget(
                name: $0.name, dependencies: $0.needs, exclude: $0.excluded,
                swiftSettings: settings)
        }
)
