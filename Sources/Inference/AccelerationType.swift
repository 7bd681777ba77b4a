/// What runs a model's arithmetic.
public enum AccelerationType: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The processor: everywhere, and the only one that this version runs models on.
    case cpu
    /// NVIDIA graphics processors.
    case cuda
    /// Apple graphics processors and Neural Engine.
    case metal
    /// Other graphics processors.
    case openCL
    /// The best that can be had, falling back to the processor and saying so.
    case auto

    public var description: String { rawValue }

    /// ONNX Runtime's execution providers that stand behind it, best first.
    public var providers: [String] {
        switch self {
        case .cpu: ["CPUExecutionProvider"]
        case .cuda: ["TensorrtExecutionProvider", "CUDAExecutionProvider"]
        case .metal: ["CoreMLExecutionProvider"]
        // ONNX Runtime has no provider of that name; OpenVINO drives graphics processors through OpenCL.
        case .openCL: ["OpenVINOExecutionProvider"]
        case .auto: []
        }
    }

    var isGPU: Bool { self == .cuda || self == .metal || self == .openCL }
}
