import Inference
import OnnxProto

/// Fixes dynamic axes, so that the runtime knows all shapes when it loads the model. One size is one model: a host that runs
/// several has one for each.
package struct ShapeSpecialization: GraphRewrite {
    package static let name = "shape-specialisation"
    package let gain = Gain.size
    let sizes: [String: Int]

    /// - Parameter sizes: of axes by name; others stay as they are.
    package init(_ sizes: [String: Int]) { self.sizes = sizes }

    package func apply(to graph: inout Graph) throws -> String? {
        var fixed: Set<String> = []
        for index in graph.model.graph.input.indices { fix(&graph.model.graph.input[index], &fixed) }
        if fixed.isEmpty { return nil }
        for index in graph.model.graph.output.indices { fix(&graph.model.graph.output[index], &fixed) }
        // What was said of values between is said by the runtime anew.
        graph.model.graph.valueInfo = []
        let named = sizes.filter { size in fixed.contains { $0.contains(size.key) } }
        return named.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    private func fix(_ value: inout Onnx_ValueInfoProto, _ fixed: inout Set<String>) {
        guard case .tensorType = value.type.value else { return }
        for axis in value.type.tensorType.shape.dim.indices {
            guard case .dimParam(let name) = value.type.tensorType.shape.dim[axis].value,
                let size = Dimension.dynamic(name).size(sizes)
            else { continue }
            value.type.tensorType.shape.dim[axis].dimValue = Int64(size)
            fixed.insert(name)
        }
    }
}
