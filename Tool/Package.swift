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

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let libraries: [Row] = [
    // Generated: `protoc` with protoc-gen-swift 1.39.0 (Visibility=Package, UseAccessLevelOnImports=true) from ONNX's onnx-ml.proto.
    Row(name: "OnnxProto", needs: [protobuf]),
    Row(name: "GraphOptimizer", needs: ["OnnxProto", protobuf, library("EchoelInference")]),
]

let executables: [Row] = [
    Row(
        name: "echoel",
        needs: [
            library("EchoelInference"), library("EchoelModels"), library("EchoelMusic"),
            library("EchoelMusicIO"),
            arguments, "GraphOptimizer",
        ])
]

let tests: [Row] = [
    Row(
        name: "GraphOptimizerTests",
        needs: ["GraphOptimizer", "OnnxProto", protobuf, library("EchoelInference")]),
    Row(
        name: "EchoelTests",
        needs: ["echoel", library("EchoelModels"), library("EchoelMusic"), library("EchoelMusicIO")],
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
        .executable(name: "echoel", targets: ["echoel"])
    ],
    dependencies: [
        .package(name: "echoelmusic-ml", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    ],
    targets: libraries.map {
        .target(
            name: $0.name, dependencies: $0.needs,
            swiftSettings: $0.name == "OnnxProto" ? [.swiftLanguageMode(.v6)] : settings)
    }
        + executables.map {
            .executableTarget(name: $0.name, dependencies: $0.needs, swiftSettings: settings)
        }
        + tests.map {
            .testTarget(
                name: $0.name, dependencies: $0.needs, exclude: $0.excluded,
                swiftSettings: settings)
        }
)
