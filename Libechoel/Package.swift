// swift-tools-version: 6.2
import PackageDescription

/// libechoel, the library with a C interface. Its own package: it is linked with flags that SwiftPM takes from no package
/// that others depend on.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// `script/build --plugin` passes `--static-swift-stdlib`, which SwiftPM heeds in programs only.
let link = [
    "-static-stdlib", "-use-ld=lld",
    // Only the functions of echoel.h are seen: another Swift runtime in the same host is no concern of ours.
    "-Xlinker", "--version-script=\(Context.packageDirectory)/libechoel.map",
    "-Xlinker", "-soname=libechoel.so", "-Xlinker", "-z", "-Xlinker", "defs",
    // Neither Swift's runtime nor ONNX Runtime can be unloaded.
    "-Xlinker", "-z", "-Xlinker", "nodelete",
]

func library(_ product: String) -> Target.Dependency { .product(name: product, package: "echoelmusic-ml") }

let package = Package(
    name: "libechoel",
    products: [.library(name: "echoel", type: .dynamic, targets: ["Plugin"])],
    dependencies: [.package(name: "echoelmusic-ml", path: "..")],
    targets: [
        .target(name: "CEchoel", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(
            name: "Plugin",
            dependencies: [
                "CEchoel", library("EchoelInference"), library("EchoelModels"), library("EchoelMusic"),
            ],
            swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags(link, .when(platforms: [.linux])),
                // Not tried yet.
                .unsafeFlags(
                    ["-Xlinker", "-exported_symbol", "-Xlinker", "_echoel_*"], .when(platforms: [.macOS])),
            ]),
    ]
)
