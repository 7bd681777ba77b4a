package import Inference
import OnnxProto

/// Computes once the weights that a model normalises anew in each run (Salimans and Kingma, "Weight Normalization", 2016), and
/// whatever else makes weights of convolutions and matrix products out of constants.
package struct WeightNormalization: GraphRewrite {
    package static let name = "weight-normalisation"
    package let gain = Gain.size
    let evaluator: ConstantEvaluator

    package init(_ runtime: OnnxRuntime) { evaluator = ConstantEvaluator(runtime: runtime) }

    package func apply(to graph: inout Graph) throws -> String? {
        let uses = Uses(graph)
        let constant = Set(ConstantFolding.constantNodes(graph))
        var wanted: Set<Int> = []
        var weights = 0
        for node in graph.nodes where node.isOperator("Conv", "ConvTranspose", "Gemm", "MatMul") {
            guard let weight = node.optionalInput(1), let maker = uses.maker(of: weight),
                constant.contains(maker)
            else { continue }
            weights += 1
            var open = [maker]
            while let index = open.popLast() {
                guard wanted.insert(index).inserted else { continue }
                open += graph.nodes[index].uses.compactMap(uses.maker)
            }
        }
        guard try ConstantFolding.fold(wanted.sorted(), in: &graph, evaluator) > 0 else { return nil }
        graph.removeUnused()
        return "the weights of \(counted(weights, "layer"))"
    }
}
