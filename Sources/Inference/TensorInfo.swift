/// One axis of a model's tensor.
public enum Dimension: Sendable, Hashable, CustomStringConvertible {
    case fixed(Int)
    /// Chosen per run. The name is the model's own (`"batch"`, `"8*slots"`), nil where it has none.
    case dynamic(String?)

    /// `128`, `batch`, or `?` for a dynamic axis without a name.
    public var description: String {
        switch self {
        case .fixed(let size): String(size)
        case .dynamic(let name): name ?? "?"
        }
    }

    public var isDynamic: Bool {
        if case .dynamic = self { true } else { false }
    }

    /// The size where the names in it have these sizes (`8*slots` follows from `slots`).
    ///
    /// - Parameter others: what names have that are not among them; nil where there is no size without them.
    public func size(_ sizes: [String: Int], others: Int? = nil) -> Int? {
        switch self {
        case .fixed(let size): return size
        case .dynamic(nil): return others
        case .dynamic(let name?):
            if let size = sizes[name] { return size }
            var isKnown = true
            let value = DimensionExpression.value(of: name) { part in
                if let size = sizes[part] ?? others { return size }
                isKnown = false
                return 1
            }
            return isKnown ? value ?? others : nil
        }
    }

    /// Whether an axis of `size` elements may stand here.
    func admits(_ size: Int) -> Bool {
        switch self {
        case .fixed(let fixed): size == fixed
        case .dynamic: size >= 0
        }
    }
}

/// What a model says about one of its inputs or outputs.
public struct TensorInfo: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    /// Outermost axis first; empty for a scalar.
    public let shape: [Dimension]
    public let elementType: ElementType

    public init(name: String, shape: [Dimension], elementType: ElementType) {
        self.name = name
        self.shape = shape
        self.elementType = elementType
    }

    /// `latent: float32 [batch, 128, slots]`
    public var description: String { "\(name): \(elementType.name) \(shapeText)" }

    var shapeText: String { "[\(shape.map(\.description).joined(separator: ", "))]" }
}
