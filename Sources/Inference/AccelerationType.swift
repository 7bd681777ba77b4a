/// What runs a model's arithmetic.
public enum AccelerationType: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The processor, by ONNX Runtime's own kernels: everywhere.
    case cpu
    /// NVIDIA graphics processors.
    case cuda
    /// NVIDIA graphics processors, by kernels that are chosen for the model: slow to load, fast to run.
    case tensorRT
    /// Apple graphics processors and Neural Engine. Not verified on a machine yet.
    case metal
    /// Graphics processors through OpenCL: Intel's, by OpenVINO.
    case openCL
    /// OpenVINO: processors, and Intel's graphics and neural processors (`OpenVINOOptions.device`).
    case openVINO
    /// Any graphics processor with Vulkan, by a plug-in. Not verified on a machine yet.
    case webGPU
    /// The processor, by XNNPACK's kernels, in builds that have them.
    case xnnpack
    /// The best that can be had, by measurement on the model itself, falling back to the processor and saying so.
    case auto

    public var description: String { rawValue }

    /// ONNX Runtime's name for the execution provider that stands behind it; nil for `auto`.
    public var provider: String? {
        switch self {
        case .cpu: Session.cpuProvider
        case .cuda: Session.cudaProvider
        case .tensorRT: "TensorrtExecutionProvider"
        case .metal: "CoreMLExecutionProvider"
        // ONNX Runtime has no provider of that name; OpenVINO drives graphics processors through OpenCL.
        case .openCL, .openVINO: "OpenVINOExecutionProvider"
        case .webGPU: "WebGpuExecutionProvider"
        case .xnnpack: "XnnpackExecutionProvider"
        case .auto: nil
        }
    }

    /// What `auto` tries besides the processor.
    static let candidates: [AccelerationType] = [
        .cuda, .tensorRT, .metal, .openCL, .openVINO, .webGPU, .xnnpack,
    ]

    var isGPU: Bool {
        switch self {
        case .cuda, .tensorRT, .metal, .openCL, .webGPU: true
        case .cpu, .openVINO, .xnnpack, .auto: false
        }
    }
}
