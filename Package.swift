// swift-tools-version: 6.2
import PackageDescription

/// `RTSAN=1 swift test --scratch-path .build-rtsan` links RealtimeSanitizer and turns the region markers on.
let rtsan = Context.environment["RTSAN"] == "1"
/// `script/check-gates` builds a program that breaks the rules.
let seeded = Context.environment["SEEDED"] == "1"

/// Which room a target's code runs in (Documentation/Architecture.md).
enum Room { case audio, worker, control }

struct Row {
    let name: String
    let room: Room
    let needs: [String]
}

let library: [Row] = [
    Row(name: "Realtime", room: .audio, needs: ["CRealtime"]),
    Row(name: "Signal", room: .audio, needs: ["CRealtime", "Realtime"]),
    Row(
        name: "Inference", room: .worker, needs: ["CDigest", "CLiteRT", "COnnxRuntime", "COperators"]),
    Row(
        name: "Streaming", room: .audio, needs: ["CRealtime", "Inference", "Realtime", "Signal"]),
    Row(
        name: "NeuralSynth", room: .audio,
        needs: ["CRealtime", "Realtime", "Signal", "Inference", "Streaming"]),
    Row(
        name: "Player", room: .audio,
        needs: ["CRealtime", "Realtime", "Signal", "Inference", "NeuralSynth", "Streaming"]),
    Row(name: "Models", room: .control, needs: ["Inference", "NeuralSynth", "Streaming"]),
    Row(name: "MusicIO", room: .control, needs: ["CSndfile", "CSoxr"]),
    Row(
        name: "Devices", room: .control,
        needs: [
            "CJack", "CRealtime", "Inference", "Realtime", "Signal", "NeuralSynth", "Player", "Streaming",
        ]),
]

let tests: [Row] = [
    Row(name: "RealtimeTests", room: .control, needs: ["Realtime", "TestSupport"]),
    Row(name: "SignalTests", room: .control, needs: ["Signal"]),
    Row(name: "InferenceTests", room: .control, needs: ["Inference", "TestSupport"]),
    Row(
        name: "StreamingTests", room: .control,
        needs: ["Inference", "Streaming", "Signal", "NeuralSynth", "TestSupport"]),
    Row(
        name: "NeuralSynthTests", room: .control,
        needs: [
            "Devices", "NeuralSynth", "Player", "Realtime", "Signal", "Streaming", "Inference", "TestSupport",
        ]),
    Row(
        name: "DevicesTests", room: .control,
        needs: ["Devices", "Inference", "NeuralSynth", "Player", "Realtime", "Streaming", "TestSupport"]),
    Row(
        name: "ModelsTests", room: .control,
        needs: ["CDigest", "Inference", "Models", "NeuralSynth", "Streaming", "TestSupport"]),
    Row(name: "MusicIOTests", room: .control, needs: ["MusicIO", "TestSupport"]),
]

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6), .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (rtsan ? [.define("RTSAN")] : [])

func dependencies(_ row: Row) -> [Target.Dependency] { row.needs.map { .byName(name: $0) } }

let package = Package(
    name: "echoelmusic-ml",
    products: [
        .library(name: "EchoelInference", targets: ["Inference"]),
        .library(name: "EchoelMusic", targets: ["Streaming", "NeuralSynth", "Player", "Devices"]),
        .library(name: "EchoelModels", targets: ["Models"]),
        .library(name: "EchoelMusicIO", targets: ["MusicIO"]),
    ],
    targets: [
        .target(name: "CDigest"),
        .target(name: "COnnxRuntime", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CLiteRT", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(
            name: "COperators", dependencies: ["COnnxRuntime"],
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
        .target(name: "CJack", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(
            name: "CRealtime",
            cSettings: rtsan ? [.define("RTSAN")] : [],
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]
                + (rtsan ? [.unsafeFlags(["-Xclang-linker", "-fsanitize=realtime"])] : [])),
        .systemLibrary(
            name: "CSndfile", pkgConfig: "sndfile",
            providers: [.apt(["libsndfile1-dev"]), .brew(["libsndfile"])]),
        .systemLibrary(
            name: "CSoxr", pkgConfig: "soxr",
            providers: [.apt(["libsoxr-dev"]), .brew(["libsoxr"])]),
        .target(
            name: "CAllocationCounter", path: "Tests/CAllocationCounter",
            cSettings: rtsan ? [.define("RTSAN")] : []),
        .target(
            name: "TestSupport",
            dependencies: [
                "CAllocationCounter", "Inference", "Streaming", "NeuralSynth", "Devices", "Realtime",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
    ]
        + library.map { .target(name: $0.name, dependencies: dependencies($0), swiftSettings: settings) }
        + tests.map { .testTarget(name: $0.name, dependencies: dependencies($0), swiftSettings: settings) }
        + (seeded
            ? [
                // Must abort.
                .executableTarget(
                    name: "SeededViolation", dependencies: ["Realtime"], path: "Tests/SeededViolation",
                    exclude: ["Compiler"], swiftSettings: settings)
            ] : [])
)
