import Inference

extension NumPyArray.Element {
    var elementType: ElementType {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .int64: .int64
        case .int32: .int32
        }
    }
}

extension NumPyArray {
    /// Nil for an element type that `.npy` files of this tool do not hold.
    init?(_ tensor: Tensor) {
        guard let element = Element.allCases.first(where: { $0.elementType == tensor.elementType }) else {
            return nil
        }
        self.init(element: element, shape: tensor.shape, bytes: tensor.bytes)
    }
}
