/// The type of a tensor's elements. The raw values are ONNX's own (`TensorProto.DataType`).
public enum ElementType: Int, Sendable, Hashable, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case string = 8
    case bool = 9
    case float16 = 10
    case float64 = 11
    case uint32 = 12
    case uint64 = 13
    case complex64 = 14
    case complex128 = 15
    case bfloat16 = 16
    case float8e4m3fn = 17
    case float8e4m3fnuz = 18
    case float8e5m2 = 19
    case float8e5m2fnuz = 20
    case uint4 = 21
    case int4 = 22
    /// A type that this version has no name for, or a value that is no tensor (a sequence, a map).
    case unknown = 0

    /// `"float32"`, `"int64"`, …
    public var name: String { String(describing: self) }

    /// Bytes per element; nil for strings, packed four-bit integers and unknown types.
    public var byteCount: Int? {
        switch self {
        case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64, .complex64: 8
        case .complex128: 16
        case .string, .uint4, .int4, .unknown: nil
        }
    }

    /// Whether the engine runs tensors of this type; the others it only describes.
    public var isRunnable: Bool {
        switch self {
        case .float32, .float16, .int64, .int32: true
        default: false
        }
    }
}
