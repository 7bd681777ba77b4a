// swift-tools-version: 6.2
import PackageDescription

/// Fuzz targets for libFuzzer with AddressSanitizer; `script/fuzz` builds and runs them. Without
/// `--sanitize fuzzer` the executables have no `main` and do not link.
struct Row {
    let name: String
    let needs: [Target.Dependency]
}

let targets: [Row] = [
    Row(name: "fuzz-midi", needs: [.product(name: "EchoelMusicIO", package: "echoelmusic-ml")])
]

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-parse-as-library"]),
]

let package = Package(
    name: "echoel-fuzz",
    dependencies: [.package(name: "echoelmusic-ml", path: "..")],
    targets: targets.map { .executableTarget(name: $0.name, dependencies: $0.needs, swiftSettings: settings) }
)
