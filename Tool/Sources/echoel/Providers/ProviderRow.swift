import Inference

/// One way to run a model: a provider with a precision, in the build of ONNX Runtime that has it, or LiteRT.
struct ProviderCandidate: Equatable {
    let acceleration: AccelerationType
    var precision = OpenVINOOptions.Precision.f32
    var device = OpenVINOOptions.Device.cpu
    var tf32 = false
    /// The package of `echoel runtime` that has it; where it is not installed, the library in use is asked.
    let package: String
    /// With the processor: the same model by LiteRT.
    var isLiteRT = false

    /// What the others are compared with.
    var isReference: Bool { acceleration == .cpu && !isLiteRT }
    var name: String { isLiteRT ? "litert" : acceleration.rawValue }

    static let all: [ProviderCandidate] = [
        .init(acceleration: .cpu, package: "cpu"),
        .init(acceleration: .cpu, package: "litert", isLiteRT: true),
        .init(acceleration: .openVINO, package: "openvino"),
        .init(acceleration: .openVINO, precision: .bf16, package: "openvino"),
        .init(acceleration: .openVINO, precision: .f16, package: "openvino"),
        .init(acceleration: .openVINO, device: .npu, package: "openvino"),
        .init(acceleration: .openCL, package: "openvino"),
        .init(acceleration: .openCL, precision: .f16, package: "openvino"),
        .init(acceleration: .cuda, package: "cuda"),
        .init(acceleration: .cuda, tf32: true, package: "cuda"),
        .init(acceleration: .tensorRT, package: "cuda"),
        .init(acceleration: .tensorRT, precision: .f16, package: "cuda"),
        .init(acceleration: .webGPU, package: "cpu"),
        .init(acceleration: .metal, package: "cpu"),
        .init(acceleration: .xnnpack, package: "cpu"),
    ]

    var precisionName: String { tf32 ? "tf32" : precision.rawValue }

    /// What people read.
    var title: String {
        let parts = [device == .npu ? "NPU" : nil, precisionName == "f32" ? nil : precisionName].compactMap(
            \.self)
        return ([name] + parts).joined(separator: " ")
    }

    /// The command line's words for it.
    var arguments: [String] {
        ["--acceleration", acceleration.rawValue, "--precision", precision.rawValue]
            + (device == .cpu ? [] : ["--device", device.rawValue.lowercased()]) + (tf32 ? ["--tf32"] : [])
    }
}

/// What was found out about one. Others rely on these keys; more may be added.
struct ProviderRow: Encodable {
    /// `cpu` is ONNX Runtime as it comes, `litert` LiteRT with XNNPACK.
    let provider: String
    let device: String?
    /// `f32`, `tf32`, `bf16`, `f16`.
    let precision: String
    let available: Bool
    /// Why not, a sentence; null where it is.
    let reason: String?
    let p50Ms, p99Ms: Double?
    /// Against the row `cpu`, of the output that is farthest from it; 200 where all are equal to the bit.
    let snrDb: Double?
    let runs: Int?
    /// ONNX Runtime's own version; `LiteRT` for LiteRT, which does not tell.
    let runtime: String?

    private enum Key: String, CodingKey {
        case provider, device, precision, available, reason, p50Ms, p99Ms, snrDb, runs, runtime
    }

    /// Every key is always there.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(provider, forKey: .provider)
        try container.encode(device, forKey: .device)
        try container.encode(precision, forKey: .precision)
        try container.encode(available, forKey: .available)
        try container.encode(reason, forKey: .reason)
        try container.encode(p50Ms, forKey: .p50Ms)
        try container.encode(p99Ms, forKey: .p99Ms)
        try container.encode(snrDb, forKey: .snrDb)
        try container.encode(runs, forKey: .runs)
        try container.encode(runtime, forKey: .runtime)
    }
}
