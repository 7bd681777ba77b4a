// swift-tools-version: 6.2
import PackageDescription

/// Fuzz targets for libFuzzer with AddressSanitizer; `script/fuzz` builds and runs them. Without
/// `--sanitize fuzzer` the executables have no `main` and do not link.
struct Row {
    let name: String
    let needs: [Target.Dependency]
}

func library(_ product: String) -> Target.Dependency { .product(name: product, package: "echoelmusic-ml") }

let targets: [Row] = [
    Row(name: "fuzz-midi", needs: [library("EchoelMusicIO")]),
    Row(name: "fuzz-manifest", needs: [library("EchoelModels")]),
]

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "echoel-fuzz",
    dependencies: [.package(name: "echoelmusic-ml", path: "..")],
    targets: targets.map {
        .executableTarget(
            name: $0.name, dependencies: $0.needs,
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
    }
)
