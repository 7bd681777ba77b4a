/// What the engine knows about a model.
public struct ModelInfo: Sendable, Hashable {
    /// The name that it was loaded under.
    public let name: String
    /// Its file.
    public let path: String
    /// Names, shapes (with dynamic axes) and element types, in the model's order.
    public let inputs: [TensorInfo]
    public let outputs: [TensorInfo]
    /// The size of its file.
    public let sizeBytes: Int
    /// What the file says about itself.
    public let metadata: [String: String]
    /// ONNX Runtime's name for the execution provider that runs it; `LiteRT XNNPACK` or `LiteRT WebGPU` for a `.tflite`.
    public let provider: String
    /// Why another provider than the one asked for runs it; nil when nothing was given up.
    public let accelerationNote: String?
    /// False once it has been unloaded.
    public internal(set) var isLoaded: Bool
}
