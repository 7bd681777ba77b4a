import Foundation
import Inference
import OnnxProto

/// Stores large weights in two bytes each; the runtime makes them float32 again when it loads the model, and computes in that.
///
/// The file becomes half as large and runs take as long as before, so this is only done when it is asked for.
package struct HalfWeights: GraphRewrite {
    package static let name = "half-weights"
    package let gain = Gain.size
    let format: Format

    package enum Format: String, CaseIterable, Sendable {
        /// IEEE 754: 11 bits, up to 65504.
        case f16
        /// The upper half of float32: 8 bits, float32's range.
        case bf16
    }

    package init(_ format: Format) { self.format = format }

    package func apply(to graph: inout Graph) throws -> String? {
        let used = Set(graph.nodes.flatMap(\.uses))
        let large = graph.constants.values
            .filter {
                $0.dataType == 1 && ($0.elementCount ?? 0) >= Self.leastElements && used.contains($0.name)
            }
            .sorted { $0.name < $1.name }
        var casts: [Onnx_NodeProto] = []
        for constant in large {
            guard let values = constant.floats, let stored = stored(values, constant.shape) else { continue }
            let name = graph.add(stored, constant.name)
            var to = Onnx_AttributeProto("to", 1)
            to.i = 1
            let cast = graph.name(constant.name)
            casts.append(Onnx_NodeProto("Cast", [name], cast, [to]))
            for index in graph.nodes.indices {
                graph.nodes[index].input = graph.nodes[index].input.map { $0 == constant.name ? cast : $0 }
            }
        }
        if casts.isEmpty { return nil }
        graph.nodes = casts + graph.nodes
        graph.removeUnused()
        return "\(counted(casts.count, "weight")) in \(format.rawValue)"
    }

    private static let leastElements = 1024

    /// nil where a number has no place in the format.
    private func stored(_ values: [Float], _ shape: [Int]) -> Onnx_TensorProto? {
        switch format {
        case .f16:
            guard values.allSatisfy({ $0.magnitude <= 65_504 }),
                let tensor = try? Tensor(float16: values, shape: shape)
            else { return nil }
            return Onnx_TensorProto(.float16, shape, bytes: Data(tensor.bytes))
        case .bf16:
            var bytes = Data(capacity: 2 * values.count)
            for value in values {
                // To the nearest, ties to even.
                let bits = value.bitPattern
                let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
                bytes.append(UInt8(truncatingIfNeeded: rounded))
                bytes.append(UInt8(truncatingIfNeeded: rounded >> 8))
            }
            return Onnx_TensorProto(.bfloat16, shape, bytes: bytes)
        }
    }
}
