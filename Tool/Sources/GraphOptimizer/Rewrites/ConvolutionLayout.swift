import OnnxProto

/// Gives convolutions over one axis a second one of a single row.
///
/// ONNX Runtime's processor kernels keep channels in blocks of a vector's width, which is faster, for convolutions over two
/// axes only.
package struct ConvolutionLayout: GraphRewrite {
    package static let name = "convolution-layout"
    package let gain = Gain.time

    package init() {}

    package func apply(to graph: inout Graph) throws -> String? {
        var count = 0
        while rewriteOne(&graph) { count += 1 }
        if count == 0 { return nil }
        while joinOne(&graph) {}
        graph.removeUnused()
        return counted(count, "convolution")
    }

    private func rewriteOne(_ graph: inout Graph) -> Bool {
        let uses = Uses(graph)
        for (index, node) in graph.nodes.enumerated() where node.isOperator("Conv") {
            guard node.input.count >= 2, let weights = graph.weights(node.input[1], uses),
                weights.shape.count == 3
            else { continue }
            let rows = graph.add(.init([2]), "axis")
            let (apart, value) = (graph.name("row"), graph.name("convolved"))
            var convolution = node
            let shape = [weights.shape[0], weights.shape[1], 1, weights.shape[2]]
            convolution.input[0] = apart
            convolution.input[1] = graph.add(.init(weights.values, shape), "weight")
            convolution.output = [value]
            convolution.attribute = node.attribute.map { Self.widened($0) }
            var replacement = [Onnx_NodeProto("Unsqueeze", [node.input[0], rows], apart), convolution]
            var last = value
            let activation = graph.activation(of: node.output[0], uses)
            if let activation {
                var function = graph.nodes[activation]
                last = graph.name("activated")
                function.input = [value]
                function.output = [last]
                replacement.append(function)
            }
            let output = graph.nodes[activation ?? index].output[0]
            replacement.append(Onnx_NodeProto("Squeeze", [last, rows], output))
            graph.replace([index] + (activation.map { [$0] } ?? []), by: replacement)
            return true
        }
        return false
    }

    /// An attribute of one axis for two.
    private static func widened(_ attribute: Onnx_AttributeProto) -> Onnx_AttributeProto {
        var widened = attribute
        switch attribute.name {
        case "kernel_shape" where attribute.ints.count == 1, "strides" where attribute.ints.count == 1,
            "dilations" where attribute.ints.count == 1:
            widened.ints = [1] + attribute.ints
        case "pads" where attribute.ints.count == 2:
            widened.ints = [0, attribute.ints[0], 0, attribute.ints[1]]
        default: break
        }
        return widened
    }

    /// Lets a row that is taken away and put back at once be, and adds or multiplies two before it is taken away.
    private func joinOne(_ graph: inout Graph) -> Bool {
        let uses = Uses(graph)
        func isRowAxis(_ node: Onnx_NodeProto) -> Bool {
            node.input.count == 2 && graph.constants[node.input[1]]?.integers == [2]
        }
        func squeezed(_ value: String) -> Onnx_NodeProto? {
            guard let maker = uses.maker(of: value), graph.nodes[maker].isOperator("Squeeze"),
                isRowAxis(graph.nodes[maker])
            else { return nil }
            return graph.nodes[maker]
        }
        for (index, node) in graph.nodes.enumerated() {
            if node.isOperator("Unsqueeze"), isRowAxis(node), let inner = squeezed(node.input[0]),
                !graph.model.graph.output.contains(where: { $0.name == node.output[0] })
            {
                let (old, new) = (node.output[0], inner.input[0])
                graph.nodes.remove(at: index)
                for user in graph.nodes.indices {
                    graph.nodes[user].input = graph.nodes[user].input.map { $0 == old ? new : $0 }
                }
                return true
            }
            if node.isOperator("Add", "Mul"), node.input.count == 2, let left = squeezed(node.input[0]),
                let right = squeezed(node.input[1])
            {
                let value = graph.name("sum")
                var sum = node
                sum.input = [left.input[0], right.input[0]]
                sum.output = [value]
                graph.replace(
                    [index], by: [sum, Onnx_NodeProto("Squeeze", [value, left.input[1]], node.output[0])])
                return true
            }
        }
        return false
    }
}
