/// An input or an output of a model, as its manifest describes it.
public struct TensorManifest: Codable, Sendable, Equatable {
    public var name: String
    /// What the tensor is for: `latent`, `pitch`, `noise`, `note`, `audio`. A plain model may leave it out.
    public var role: String?
    public var shape: [Axis]
    /// `float32`, `float16`, `int64`, `int32`, or another of ONNX's element types.
    public var type: String
    /// `1` for plain numbers, `Hz`, `cycles`, `s`.
    public var unit: String?

    public init(
        name: String, role: String? = nil, shape: [Axis], type: String = "float32", unit: String? = nil
    ) {
        self.name = name
        self.role = role
        self.shape = shape
        self.type = type
        self.unit = unit
    }
}

/// A streaming state: an input that is fed from an output of the run before; zero is fresh.
public struct StateManifest: Codable, Sendable, Equatable {
    /// The tensor's name as an input.
    public var input: String
    /// The tensor's name as an output.
    public var output: String
    /// The batch axis, then fixed sizes; the same going in and coming out.
    public var shape: [Axis]
    public var unit: String?

    public init(input: String, output: String, shape: [Axis], unit: String? = nil) {
        self.input = input
        self.output = output
        self.shape = shape
        self.unit = unit
    }
}
