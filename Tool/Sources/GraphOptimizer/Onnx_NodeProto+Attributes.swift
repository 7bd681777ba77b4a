import Foundation
import OnnxProto

extension Onnx_NodeProto {
    /// A node of ONNX's own operators, without a name, which nothing else then has.
    init(_ type: String, _ inputs: [String], _ output: String, _ attributes: [Onnx_AttributeProto] = []) {
        self.init()
        opType = type
        input = inputs
        self.output = [output]
        attribute = attributes
    }

    /// Whether it is one of ONNX's own operators, of that type.
    func isOperator(_ types: String...) -> Bool {
        (domain.isEmpty || domain == "ai.onnx") && types.contains(opType)
    }

    func find(_ name: String) -> Onnx_AttributeProto? { attribute.first { $0.name == name } }

    func integer(_ name: String, default value: Int) -> Int { find(name).map { Int($0.i) } ?? value }

    func number(_ name: String, default value: Float) -> Float { find(name).map(\.f) ?? value }

    func integers(_ name: String) -> [Int]? { find(name).map { $0.ints.map(Int.init) } }

    func text(_ name: String, default value: String) -> String {
        find(name).map { String(decoding: $0.s, as: UTF8.self) } ?? value
    }

    /// The input at a place; nil where it is left out.
    func optionalInput(_ index: Int) -> String? {
        index < input.count && !input[index].isEmpty ? input[index] : nil
    }

    /// Whether its padding is given in numbers.
    var hasExplicitPadding: Bool { ["", "NOTSET"].contains(text("auto_pad", default: "NOTSET")) }
}

extension Onnx_AttributeProto {
    init(_ name: String, _ values: [Int]) {
        self.init()
        self.name = name
        type = .ints
        ints = values.map(Int64.init)
    }

    init(_ name: String, _ value: Int) {
        self.init()
        self.name = name
        type = .int
        i = Int64(value)
    }
}
