import Foundation
import Inference
import OnnxProto

extension Onnx_TensorProto {
    init(_ values: [Float], _ dims: [Int]) {
        self.init()
        dataType = Int32(DataType.float.rawValue)
        self.dims = dims.map(Int64.init)
        rawData = unsafe values.withUnsafeBytes { unsafe Data($0) }
    }

    init(_ values: [Int]) {
        self.init()
        dataType = Int32(DataType.int64.rawValue)
        dims = [Int64(values.count)]
        rawData = unsafe values.map(Int64.init).withUnsafeBytes { unsafe Data($0) }
    }

    init(_ tensor: Tensor, name: String) {
        self.init()
        self.name = name
        dataType = Int32(tensor.elementType.rawValue)
        dims = tensor.shape.map(Int64.init)
        rawData = Data(tensor.bytes)
    }

    init(_ type: DataType, _ dims: [Int], bytes: Data) {
        self.init()
        dataType = Int32(type.rawValue)
        self.dims = dims.map(Int64.init)
        rawData = bytes
    }

    var shape: [Int] { dims.map(Int.init(clamping:)) }

    /// Elements; nil for a shape that no tensor can have.
    var elementCount: Int? {
        var count = 1
        for size in dims {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: size))
            guard size >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The elements of a float32 or float16 tensor; nil for another type, or where they are not as many as its shape says.
    var floats: [Float]? {
        let values: [Float]
        switch DataType(rawValue: Int(dataType)) {
        case .float where hasRawData:
            guard let elements = elements(UInt32.self) else { return nil }
            values = elements.map { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float: values = floatData
        case .float16 where hasRawData:
            guard let shape = try? Tensor(elementType: .float16, shape: shape, bytes: Array(rawData)) else {
                return nil
            }
            values = shape.floats ?? []
        default: return nil
        }
        return values.count == elementCount ? values : nil
    }

    /// The elements of an int64 or int32 tensor; nil for another type, or where they are not as many as its shape says.
    var integers: [Int]? {
        let values: [Int]
        switch DataType(rawValue: Int(dataType)) {
        case .int64 where hasRawData:
            guard let elements = elements(Int64.self) else { return nil }
            values = elements.map { Int(clamping: Int64(littleEndian: $0)) }
        case .int64: values = int64Data.map(Int.init(clamping:))
        case .int32 where hasRawData:
            guard let elements = elements(Int32.self) else { return nil }
            values = elements.map { Int(Int32(littleEndian: $0)) }
        case .int32: values = int32Data.map(Int.init)
        default: return nil
        }
        return values.count == elementCount ? values : nil
    }

    private func elements<Element: FixedWidthInteger>(_ type: Element.Type) -> [Element]? {
        let width = MemoryLayout<Element>.size
        guard rawData.count.isMultiple(of: width) else { return nil }
        let bytes = rawData
        return unsafe bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / width).map {
                unsafe bytes.loadUnaligned(fromByteOffset: $0 * width, as: type)
            }
        }
    }
}

extension Graph {
    /// A constant's numbers and shape: a float32 one's, or one's that is stored in half precision and cast. nil for all else.
    func weights(_ name: String, _ uses: Uses) -> Weights? {
        var constant = constants[name]
        if constant == nil, let maker = uses.maker(of: name) {
            let node = nodes[maker]
            if node.isOperator("Cast"), node.integer("to", default: 0) == 1, let input = node.optionalInput(0)
            {
                constant = constants[input]
            }
        } else if constant?.dataType != 1 {
            return nil
        }
        guard let constant, let values = constant.floats, !values.isEmpty else { return nil }
        return Weights(values: values, shape: constant.shape)
    }
}

/// Numbers, row-major.
struct Weights {
    var values: [Float]
    var shape: [Int]
}
