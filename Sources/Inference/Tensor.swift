/// A tensor's value: element type, shape and elements, row-major in the machine's byte order.
public struct Tensor: Sendable, Hashable {
    public let elementType: ElementType
    /// Outermost axis first, each 0 or more; empty for a scalar.
    public let shape: [Int]
    /// The elements' memory.
    public let bytes: [UInt8]

    /// - Parameter bytes: exactly the elements that `shape` says.
    /// - Throws: `typeUnsupported` for a type without a fixed size, `shapeMismatch`.
    public init(elementType: ElementType, shape: [Int], bytes: [UInt8]) throws(InferenceError) {
        guard let width = elementType.byteCount else {
            throw InferenceError(
                .typeUnsupported, "A tensor of \(elementType.name) cannot be made. Take a type of fixed size."
            )
        }
        let wanted = try Self.elementCount(shape)
        guard bytes.count % width == 0, bytes.count / width == wanted else {
            throw InferenceError(
                .shapeMismatch,
                "\(bytes.count) bytes are not the \(wanted) \(elementType.name) elements of shape \(shape).")
        }
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }

    /// Elements; 1 for a scalar.
    public var count: Int { shape.reduce(1, *) }

    /// The elements in `shape`.
    /// - Throws: `shapeMismatch` for a negative axis, or more elements than memory can hold.
    static func elementCount(_ shape: [Int]) throws(InferenceError) -> Int {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow, product <= Int.max / 16 else {
                throw InferenceError(.shapeMismatch, "No tensor can have shape \(shape).")
            }
            count = product
        }
        return count
    }
}

extension Tensor {
    /// A float32 tensor. - Throws: `shapeMismatch` where the elements are not as many as `shape` says.
    public init(_ elements: [Float], shape: [Int]) throws(InferenceError) {
        try self.init(elementType: .float32, shape: shape, bytes: unsafe Self.bytes(of: elements))
    }

    /// An int64 tensor. - Throws: `shapeMismatch` where the elements are not as many as `shape` says.
    public init(_ elements: [Int64], shape: [Int]) throws(InferenceError) {
        try self.init(elementType: .int64, shape: shape, bytes: unsafe Self.bytes(of: elements))
    }

    /// An int32 tensor. - Throws: `shapeMismatch` where the elements are not as many as `shape` says.
    public init(_ elements: [Int32], shape: [Int]) throws(InferenceError) {
        try self.init(elementType: .int32, shape: shape, bytes: unsafe Self.bytes(of: elements))
    }

    /// A float16 tensor, each element rounded to the nearest half.
    /// - Throws: `shapeMismatch` where the elements are not as many as `shape` says.
    public init(float16 elements: [Float], shape: [Int]) throws(InferenceError) {
        try self.init(
            elementType: .float16, shape: shape, bytes: unsafe Self.bytes(of: elements.map(Half.bits)))
    }

    /// All elements 0.
    /// - Throws: `typeUnsupported` for a type without a fixed size, `shapeMismatch`.
    public static func zeros(_ elementType: ElementType, shape: [Int]) throws(InferenceError) -> Tensor {
        let bytes = try elementCount(shape) * (elementType.byteCount ?? 0)
        return try Tensor(elementType: elementType, shape: shape, bytes: [UInt8](repeating: 0, count: bytes))
    }

    /// The elements of a float32 or float16 tensor; nil for another type.
    public var floats: [Float]? {
        switch elementType {
        case .float32: unsafe elements(as: Float.self)
        case .float16: unsafe elements(as: UInt16.self).map(Half.float)
        default: nil
        }
    }

    /// The elements of an int64 or int32 tensor; nil for another type.
    public var integers: [Int64]? {
        switch elementType {
        case .int64: unsafe elements(as: Int64.self)
        case .int32: unsafe elements(as: Int32.self).map(Int64.init)
        default: nil
        }
    }

    /// Only for types of which every bit pattern is a value.
    @unsafe private static func bytes<Element>(of elements: [Element]) -> [UInt8] {
        unsafe elements.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Only for types of which every bit pattern is a value.
    @unsafe private func elements<Element: BitwiseCopyable>(as type: Element.Type) -> [Element] {
        unsafe bytes.withUnsafeBytes { bytes in
            let count = bytes.count / MemoryLayout<Element>.stride
            return (0..<count).map {
                unsafe bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.stride, as: type)
            }
        }
    }
}
