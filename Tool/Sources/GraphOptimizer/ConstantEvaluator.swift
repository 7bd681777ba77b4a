import Inference
import OnnxProto
import SwiftProtobuf

/// Runs parts of a graph on their own.
struct ConstantEvaluator {
    let runtime: OnnxRuntime

    /// What `nodes` make of the inputs and of the graph's constants.
    ///
    /// - Parameters:
    ///   - inputs: tensors by name, with all shapes fixed.
    ///   - outputs: the values wanted; those of a type that the engine does not run are left out.
    /// - Throws: `InferenceError` where they do not run.
    func run(
        _ nodes: [Onnx_NodeProto], of graph: Graph, inputs: [[String: Tensor]] = [[:]], outputs: [String]
    ) throws -> [[String: Tensor]] {
        var model = Onnx_ModelProto()
        model.irVersion = graph.model.irVersion
        model.opsetImport = graph.model.opsetImport
        model.functions = graph.model.functions
        model.graph.name = "part"
        model.graph.node = nodes
        let used = Set(nodes.flatMap(\.uses))
        model.graph.initializer = graph.constants.values.filter { used.contains($0.name) }.sorted {
            $0.name < $1.name
        }
        for (name, tensor) in (inputs.first ?? [:]).sorted(by: { $0.key < $1.key }) {
            model.graph.input.append(.init(name, tensor))
        }
        model.graph.output = outputs.map { name in
            var output = Onnx_ValueInfoProto()
            output.name = name
            return output
        }
        let session = try Session(
            runtime, bytes: try model.serializedBytes(),
            options: SessionOptions(graphOptimization: .basic, probe: false, cache: .off))
        let runnable = session.outputs.filter(\.elementType.isRunnable).map(\.name)
        guard !runnable.isEmpty else { return inputs.map { _ in [:] } }
        return try inputs.map { try session.run($0, outputs: runnable) }
    }
}

extension Onnx_ValueInfoProto {
    /// An input of exactly a tensor's shape.
    fileprivate init(_ name: String, _ tensor: Tensor) {
        self.init()
        self.name = name
        type.tensorType.elemType = Int32(tensor.elementType.rawValue)
        type.tensorType.shape.dim = tensor.shape.map { size in
            var axis = Onnx_TensorShapeProto.Dimension()
            axis.dimValue = Int64(size)
            return axis
        }
    }
}
