/// How a model runs by TensorRT. What each becomes is ONNX Runtime's
/// [TensorRT provider option](https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html) of the name given.
public struct TensorRTOptions: Sendable, Hashable {
    /// Which processor, 0 for the first (`device_id`).
    public var device: Int
    /// Whether kernels may compute in float16 (`trt_fp16_enable`).
    public var float16: Bool
    /// A folder in which built engines are kept for the next start; nil for none (`trt_engine_cache_enable`,
    /// `trt_engine_cache_path`).
    public var cacheFolder: String?
    /// Further options by ONNX Runtime's own names; one that is named above wins over it.
    public var others: [String: String]

    public init(
        device: Int = 0, float16: Bool = false, cacheFolder: String? = nil, others: [String: String] = [:]
    ) {
        self.device = device
        self.float16 = float16
        self.cacheFolder = cacheFolder
        self.others = others
    }

    /// By ONNX Runtime's names.
    var entries: [String: String] {
        var entries = others
        entries["device_id"] = "\(device)"
        entries["trt_fp16_enable"] = float16 ? "1" : "0"
        if let cacheFolder {
            entries["trt_engine_cache_enable"] = "1"
            entries["trt_engine_cache_path"] = cacheFolder
        }
        return entries
    }
}
