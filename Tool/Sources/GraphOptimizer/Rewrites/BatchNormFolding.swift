import OnnxProto

/// Multiplies what a batch normalisation does into the weights of the convolution before it.
package struct BatchNormFolding: GraphRewrite {
    package static let name = "batch-norm"
    package let gain = Gain.size

    package init() {}

    package func apply(to graph: inout Graph) throws -> String? {
        var count = 0
        while fold(&graph) { count += 1 }
        if count == 0 { return nil }
        graph.removeUnused()
        return counted(count, "batch normalisation")
    }

    private func fold(_ graph: inout Graph) -> Bool {
        let uses = Uses(graph)
        for (index, node) in graph.nodes.enumerated() {
            guard node.isOperator("BatchNormalization"), node.input.count == 5,
                node.output.dropFirst().allSatisfy(\.isEmpty),
                let maker = uses.maker(of: node.input[0]), uses.onlyUser(of: node.input[0]) == index,
                let folded = folded(graph.nodes[maker], node, &graph, uses)
            else { continue }
            graph.nodes[maker] = folded
            graph.nodes.remove(at: index)
            return true
        }
        return false
    }

    /// The layer with the normalisation's factor and offset of each channel in its weights and bias.
    private func folded(
        _ layer: Onnx_NodeProto, _ norm: Onnx_NodeProto, _ graph: inout Graph, _ uses: Uses
    ) -> Onnx_NodeProto? {
        guard layer.isOperator("Conv", "ConvTranspose"), norm.integer("training_mode", default: 0) == 0,
            layer.input.count >= 2, var weights = graph.weights(layer.input[1], uses),
            weights.shape.count >= 3
        else { return nil }
        let isTransposed = layer.opType == "ConvTranspose"
        let groups = layer.integer("group", default: 1)
        guard 1...weights.shape[0] ~= groups else { return nil }
        let channels = isTransposed ? weights.shape[1] * groups : weights.shape[0]
        let parameters = norm.input.dropFirst().compactMap { graph.weights($0, uses)?.values }
        var bias = [Float](repeating: 0, count: channels)
        if let name = layer.optionalInput(2) {
            guard let values = graph.weights(name, uses)?.values else { return nil }
            bias = values
        }
        guard parameters.count == 4, bias.count == channels,
            parameters.allSatisfy({ $0.count == channels })
        else { return nil }
        let epsilon = norm.number("epsilon", default: 1e-5)
        var factors: [Float] = []
        for channel in 0..<channels {
            let factor = parameters[0][channel] / (parameters[3][channel] + epsilon).squareRoot()
            factors.append(factor)
            bias[channel] = (bias[channel] - parameters[2][channel]) * factor + parameters[1][channel]
        }
        let taps = weights.shape[2...].reduce(1, *)
        let inner = weights.shape[1]
        for index in weights.values.indices {
            let (first, second) = (index / taps / inner, index / taps % inner)
            // A transposed layer's weights are [in, out of a group, taps].
            let channel =
                isTransposed ? first / max(weights.shape[0] / groups, 1) * inner + second : first
            weights.values[index] *= factors[min(channel, channels - 1)]
        }
        var folded = layer
        folded.input = [
            layer.input[0], graph.add(.init(weights.values, weights.shape), "weight"),
            graph.add(.init(bias, [channels]), "bias"),
        ]
        folded.output = [norm.output[0]]
        return folded
    }
}
