/// How a model runs by OpenVINO. What each becomes is ONNX Runtime's
/// [OpenVINO provider option](https://onnxruntime.ai/docs/execution-providers/OpenVINO-ExecutionProvider.html) of the name given.
public struct OpenVINOOptions: Sendable, Hashable {
    /// Which processor (`device_type`).
    public var device: Device
    /// What numbers are computed in (`precision`, or `INFERENCE_PRECISION_HINT` where that does not take it). A processor
    /// without instructions for it computes in `f32` all the same: compare the results.
    public var precision: Precision
    /// Threads of a run, 1 or more; nil for the session's (`num_of_threads`).
    public var threads: Int?
    /// A folder in which compiled models are kept for the next start; nil for none (`cache_dir`).
    public var cacheFolder: String?
    /// Further options by ONNX Runtime's own names, for what a newer library knows; one that is named above wins over it.
    public var others: [String: String]

    public enum Device: String, Sendable, Hashable, CaseIterable {
        case cpu = "CPU"
        /// Intel's graphics processors, through OpenCL.
        case gpu = "GPU"
        /// Intel's neural processors.
        case npu = "NPU"

        /// With what it takes.
        var name: String {
            switch self {
            case .cpu: "processor"
            case .gpu: "graphics processor of Intel's with its OpenCL driver"
            case .npu: "neural processor of Intel's with its driver"
            }
        }
    }

    public enum Precision: String, Sendable, Hashable, CaseIterable { case f32, bf16, f16 }

    public init(
        device: Device = .cpu, precision: Precision = .f32, threads: Int? = nil, cacheFolder: String? = nil,
        others: [String: String] = [:]
    ) {
        self.device = device
        self.precision = precision
        self.threads = threads
        self.cacheFolder = cacheFolder
        self.others = others
    }

    /// By ONNX Runtime's names.
    ///
    /// - Parameter sessionThreads: those of the session.
    func entries(sessionThreads: Int) -> [String: String] {
        var entries = others
        entries["device_type"] = device.rawValue
        entries["num_of_threads"] = "\(threads ?? sessionThreads)"
        if let cacheFolder { entries["cache_dir"] = cacheFolder }
        switch (precision, device) {
        case (.f32, .npu): entries["precision"] = "ACCURACY"
        case (.f32, _): entries["precision"] = "FP32"
        case (.f16, .gpu), (.f16, .npu): entries["precision"] = "FP16"
        default:
            // On a processor the option takes f32 alone; OpenVINO's own hint takes the others.
            let hint = #""\#(device.rawValue)":{"INFERENCE_PRECISION_HINT":"\#(precision.rawValue)"}"#
            entries["load_config"] = "{\(hint)}"
        }
        return entries
    }
}
