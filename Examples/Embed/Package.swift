// swift-tools-version: 6.2
import PackageDescription

/// The programs of README.md and Documentation/Embedding.md.
let engine = Target.Dependency.product(name: "EchoelInference", package: "echoelmusic-ml")

let package = Package(
    name: "embed",
    dependencies: [.package(name: "echoelmusic-ml", path: "../..")],
    targets: [
        .executableTarget(name: "Embed", dependencies: [engine]),
        .executableTarget(name: "EmbedBound", dependencies: [engine]),
    ]
)
