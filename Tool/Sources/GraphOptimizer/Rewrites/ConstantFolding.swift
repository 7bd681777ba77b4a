package import Inference
import OnnxProto

/// Computes once what depends on constants only, and removes what nothing uses.
///
/// Weights that are stored in half precision, or quantised, stay so: the conversion is left to the runtime, which does it when
/// it loads the model.
package struct ConstantFolding: GraphRewrite {
    package static let name = "constant-folding"
    package let gain = Gain.size
    let evaluator: ConstantEvaluator

    package init(_ runtime: OnnxRuntime) { evaluator = ConstantEvaluator(runtime: runtime) }

    package func apply(to graph: inout Graph) throws -> String? {
        let constant = Self.constantNodes(graph)
        let folded = try Self.fold(constant, in: &graph, evaluator)
        let removed = graph.removeUnused()
        return folded + removed == 0 ? nil : counted(folded + removed, "node") + " of constants"
    }

    /// The nodes that depend on constants only.
    static func constantNodes(_ graph: Graph) -> [Int] {
        var known = Set(graph.constants.keys)
        return graph.nodes.indices.filter { index in
            let node = graph.nodes[index]
            guard node.domain.isEmpty || node.domain == "ai.onnx", !excluded.contains(node.opType),
                !node.attribute.contains(where: { $0.hasG || !$0.graphs.isEmpty }),
                node.input.allSatisfy({ $0.isEmpty || known.contains($0) })
            else { return false }
            known.formUnion(node.output)
            return true
        }
    }

    /// Random numbers are new in each run; conversions keep weights small; the others make much of little.
    private static let excluded: Set = [
        "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli",
        "Cast", "CastLike", "DequantizeLinear", "ConstantOfShape", "Expand", "Tile", "EyeLike",
    ]

    /// Puts constants in the place of nodes whose results other nodes use. - Returns: how many nodes are gone.
    static func fold(
        _ nodes: [Int], in graph: inout Graph, _ evaluator: ConstantEvaluator
    ) throws -> Int {
        let places = Set(nodes)
        let rest = graph.nodes.indices.filter { !places.contains($0) }
        // Names of the model's outputs stay with their nodes.
        let outputs = Set(graph.model.graph.output.map(\.name))
        let wanted = Set(rest.flatMap { graph.nodes[$0].uses })
        let made = nodes.flatMap { graph.nodes[$0].output }.filter {
            wanted.contains($0) && !outputs.contains($0)
        }
        guard !made.isEmpty else { return 0 }
        let results = try evaluator.run(nodes.map { graph.nodes[$0] }, of: graph, outputs: made)[0]
        let gone = nodes.filter { index in
            graph.nodes[index].output.allSatisfy {
                results[$0] != nil || !wanted.contains($0) && !outputs.contains($0)
            }
                && graph.nodes[index].output.contains { results[$0] != nil }
        }
        for index in gone {
            for output in graph.nodes[index].output {
                if let tensor = results[output] { graph.set(Onnx_TensorProto(tensor, name: output)) }
            }
        }
        let removed = Set(gone)
        graph.nodes = graph.nodes.indices.filter { !removed.contains($0) }.map { graph.nodes[$0] }
        return gone.count
    }
}
