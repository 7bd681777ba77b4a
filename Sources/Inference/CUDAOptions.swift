/// How a model runs on an NVIDIA graphics processor. What each becomes is ONNX Runtime's
/// [CUDA provider option](https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html) of the name given.
public struct CUDAOptions: Sendable, Hashable {
    /// Which processor, 0 for the first (`device_id`).
    public var device: Int
    /// Records the model's kernels once and launches them together (`enable_cuda_graph`): less time between kernels, for
    /// fixed shapes. Such a model is run by a `BoundRun` alone, of which the first run records.
    public var graph: Bool
    /// The most memory that the provider's arena takes, in bytes; nil for no limit (`gpu_mem_limit`).
    public var memoryLimitBytes: Int?
    /// How cuDNN's convolutions are chosen (`cudnn_conv_algo_search`).
    public var convolutionSearch: ConvolutionSearch
    /// Whether matrix products of float32 may round to TensorFloat-32, 10 bits of mantissa (`use_tf32`).
    public var tensorFloat32: Bool
    /// Further options by ONNX Runtime's own names, for what a newer library knows; one that is named above wins over it.
    public var others: [String: String]

    public enum ConvolutionSearch: String, Sendable, Hashable, CaseIterable {
        /// Every algorithm is timed when a shape is first met: the slowest start, the fastest run.
        case exhaustive = "EXHAUSTIVE"
        /// cuDNN guesses.
        case heuristic = "HEURISTIC"
        /// One algorithm for all.
        case fixed = "DEFAULT"
    }

    public init(
        device: Int = 0, graph: Bool = false, memoryLimitBytes: Int? = nil,
        convolutionSearch: ConvolutionSearch = .exhaustive, tensorFloat32: Bool = false,
        others: [String: String] = [:]
    ) {
        self.device = device
        self.graph = graph
        self.memoryLimitBytes = memoryLimitBytes
        self.convolutionSearch = convolutionSearch
        self.tensorFloat32 = tensorFloat32
        self.others = others
    }

    /// By ONNX Runtime's names.
    var entries: [String: String] {
        var entries = others
        entries["device_id"] = "\(device)"
        entries["enable_cuda_graph"] = graph ? "1" : "0"
        entries["cudnn_conv_algo_search"] = convolutionSearch.rawValue
        entries["use_tf32"] = tensorFloat32 ? "1" : "0"
        // Nothing else shares the processor's stream with a run, so nothing has to wait for copies on another.
        entries["do_copy_in_default_stream"] = "1"
        if let memoryLimitBytes { entries["gpu_mem_limit"] = "\(memoryLimitBytes)" }
        return entries
    }
}
