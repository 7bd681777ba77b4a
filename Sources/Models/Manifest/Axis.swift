/// One axis of a tensor's shape as a manifest writes it: `128`, `"batch"`, `"8*slots"`.
public enum Axis: Codable, Sendable, Hashable, CustomStringConvertible {
    /// A size of 1 or more.
    case fixed(Int)
    /// `factor` times whatever `name` is when the model runs.
    case dynamic(factor: Int, name: String)

    /// The largest size or factor that a manifest may give.
    static let limit = 1 << 31

    /// - Parameter text: a name of letters, digits and `_`, or a whole number, `*` and a name.
    public init?(_ text: String) {
        let parts = text.split(separator: "*", omittingEmptySubsequences: false)
        guard let name = parts.last, Self.isName(name), parts.count <= 2 else { return nil }
        var factor = 1
        if parts.count == 2 {
            guard parts[0].allSatisfy(\.isASCIIDigit), let value = Int(parts[0]), 1...Self.limit ~= value
            else {
                return nil
            }
            factor = value
        }
        self = .dynamic(factor: factor, name: String(name))
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.first, text.count <= 64 else { return false }
        return (first.isASCIILetter || first == "_")
            && text.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == "_" }
    }

    /// Nil for a size below 1 or beyond the limit.
    init?(size: Int) {
        guard 1...Self.limit ~= size else { return nil }
        self = .fixed(size)
    }

    static let rule = "an axis is a size from 1 to \(limit), or a name such as \"batch\" or \"8*slots\""

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let size = try? container.decode(Int.self)
        let text = try? container.decode(String.self)
        guard let axis = size.flatMap({ Axis(size: $0) }) ?? text.flatMap({ Axis($0) }) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: Self.rule)
        }
        self = axis
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .fixed(let size): try container.encode(size)
        case .dynamic: try container.encode(description)
        }
    }

    public var description: String {
        switch self {
        case .fixed(let size): "\(size)"
        case .dynamic(1, let name): name
        case .dynamic(let factor, let name): "\(factor)*\(name)"
        }
    }
}

extension Axis {
    /// - Parameter mayBeOne: whether the batch may be fixed to one.
    func isBatch(mayBeOne: Bool) -> Bool {
        switch self {
        case .fixed(let size): mayBeOne && size == 1
        case .dynamic(let factor, _): factor == 1
        }
    }
}

extension [Axis] {
    /// For example `[batch, 128, slots]`.
    var text: String { "[\(map(\.description).joined(separator: ", "))]" }
}

extension Character {
    var isASCIIDigit: Bool { "0"..."9" ~= self }
    var isASCIILetter: Bool { "a"..."z" ~= self || "A"..."Z" ~= self }
}
