/// An n-dimensional array as NumPy's `.npy` files hold it (NEP 1, format versions 1.0 to 3.0).
struct NumPyArray: Equatable {
    /// The types that models run on; all little-endian.
    enum Element: String, CaseIterable {
        case float32 = "<f4"
        case float16 = "<f2"
        case int64 = "<i8"
        case int32 = "<i4"

        var byteCount: Int {
            switch self {
            case .float16: 2
            case .float32, .int32: 4
            case .int64: 8
            }
        }

        /// `float32`, as NumPy and ONNX both call it.
        var name: String { String(describing: self) }
    }

    let element: Element
    /// Outermost axis first; empty for a scalar.
    let shape: [Int]
    /// In C order: the last axis runs fastest. `shape`'s product times the element's size.
    let bytes: [UInt8]

    /// The number of bytes of a shape; nil where it does not fit a machine word.
    static func byteCount(of shape: [Int], _ element: Element) -> Int? {
        var count = element.byteCount
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }
}
