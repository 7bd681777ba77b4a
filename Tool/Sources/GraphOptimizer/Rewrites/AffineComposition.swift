package import Inference
import OnnxProto

/// Makes one matrix of a matrix product and the convolution that follows it with nothing but a change of shape between.
///
/// Both are affine, so that their composition is: its columns are what the convolution makes of the first matrix's columns. It
/// pays where the product makes a small thing large, as the first layers of a decoder do: all work of the convolution is gone,
/// and the matrix is no larger than before.
package struct AffineComposition: GraphRewrite {
    package static let name = "affine-composition"
    package let gain = Gain.time
    let evaluator: ConstantEvaluator

    package init(_ runtime: OnnxRuntime) { evaluator = ConstantEvaluator(runtime: runtime) }

    package func apply(to graph: inout Graph) throws -> String? {
        var count = 0
        while try compose(&graph) { count += 1 }
        if count == 0 { return nil }
        graph.removeUnused()
        return "\(counted(count, "convolution")) into the matrix before it"
    }

    /// A matrix product and what is to be composed with it.
    private struct Chain {
        let product: Int
        /// [outputs, inputs], as `transB` says of the product.
        let matrix: Weights
        let bias: [Float]
        let reshape: Int
        let layer: Int
    }

    private func compose(_ graph: inout Graph) throws -> Bool {
        let uses = Uses(graph)
        for index in graph.nodes.indices {
            guard let chain = chain(from: index, graph, uses) else { continue }
            if try replace(chain, in: &graph, uses) { return true }
        }
        return false
    }

    private func chain(from product: Int, _ graph: Graph, _ uses: Uses) -> Chain? {
        let node = graph.nodes[product]
        guard node.isOperator("Gemm"), node.input.count >= 2,
            node.integer("transA", default: 0) == 0, node.number("alpha", default: 1) == 1,
            node.number("beta", default: 1) == 1,
            var matrix = graph.weights(node.input[1], uses), matrix.shape.count == 2,
            let reshape = uses.onlyUser(of: node.output[0]), graph.nodes[reshape].isOperator("Reshape"),
            let shape = graph.nodes[reshape].optionalInput(1).flatMap({ graph.constants[$0]?.integers }),
            shape.count >= 3, shape[1...].allSatisfy({ 1...matrix.values.count ~= $0 }),
            let size = Weights.count(shape[1...]),
            let layer = uses.onlyUser(of: graph.nodes[reshape].output[0]),
            graph.nodes[layer].isOperator("Conv", "ConvTranspose"),
            graph.nodes[layer].input.first == graph.nodes[reshape].output[0],
            graph.nodes[layer].input.dropFirst().allSatisfy({ $0.isEmpty || graph.weights($0, uses) != nil })
        else { return nil }
        if node.integer("transB", default: 0) == 0 { matrix = matrix.transposed }
        var bias = [Float](repeating: 0, count: matrix.shape[0])
        if let name = node.optionalInput(2) {
            guard let values = graph.weights(name, uses)?.values, values.count == bias.count else {
                return nil
            }
            bias = values
        }
        guard matrix.shape[0] == size,
            matrix.shape[0] * matrix.shape[1] == matrix.values.count
        else { return nil }
        return Chain(product: product, matrix: matrix, bias: bias, reshape: reshape, layer: layer)
    }

    private func replace(_ chain: Chain, in graph: inout Graph, _ uses: Uses) throws -> Bool {
        let layer = graph.nodes[chain.layer]
        let reshape = graph.nodes[chain.reshape]
        guard let shape = graph.constants[reshape.input[1]]?.integers else { return false }
        var linear = layer
        linear.input = Array(layer.input.prefix(2))
        // Weights that are cast or made otherwise come along with what makes them.
        let makers = layer.input.dropFirst().compactMap(uses.maker).map { graph.nodes[$0] }
        let one = [1] + shape[1...]
        func apply(_ node: Onnx_NodeProto, _ rows: [[Float]]) throws -> [Tensor] {
            let inputs = try rows.map { [reshape.output[0]: try Tensor($0, shape: one)] }
            return try evaluator.run(makers + [node], of: graph, inputs: inputs, outputs: [node.output[0]])
                .compactMap { $0[node.output[0]] }
        }
        guard let offset = try apply(layer, [chain.bias]).first, let bias = offset.floats else {
            return false
        }
        let (outputs, inputs) = (bias.count, chain.matrix.shape[1])
        guard worthwhile(chain, layer, outputs: outputs, graph, uses) else { return false }
        let columns = try apply(
            linear,
            (0..<inputs).map { column in
                chain.matrix.shape[0].strided(from: column, by: inputs, in: chain.matrix)
            })
        guard columns.count == inputs else { return false }
        var composed = [Float](repeating: 0, count: outputs * inputs)
        for (column, tensor) in columns.enumerated() {
            guard let values = tensor.floats, values.count == outputs else { return false }
            for row in 0..<outputs { composed[row * inputs + column] = values[row] }
        }

        let activation = graph.activation(of: layer.output[0], uses)
        var product = graph.nodes[chain.product]
        product.input = [
            product.input[0], graph.add(.init(composed, [outputs, inputs]), "weight"),
            graph.add(.init(bias, [outputs]), "bias"),
        ]
        product.attribute = [Onnx_AttributeProto("transB", 1)]
        var value = graph.name("composed")
        product.output = [value]
        var replacement = [product]
        if let activation {
            var function = graph.nodes[activation]
            function.input = [value]
            value = graph.name("activated")
            function.output = [value]
            replacement.append(function)
        }
        let wanted = graph.add(.init([shape[0]] + offset.shape.dropFirst()), "shape")
        replacement.append(
            Onnx_NodeProto("Reshape", [value, wanted], graph.nodes[activation ?? chain.layer].output[0]))
        graph.replace(
            [chain.product, chain.reshape, chain.layer] + (activation.map { [$0] } ?? []), by: replacement)
        return true
    }

    /// Whether the one matrix multiplies less than both did, and is not much more to read.
    private func worthwhile(
        _ chain: Chain, _ layer: Onnx_NodeProto, outputs: Int, _ graph: Graph, _ uses: Uses
    ) -> Bool {
        guard let weights = graph.weights(layer.input[1], uses), weights.shape.count >= 3 else {
            return false
        }
        let (rows, inputs) = (chain.matrix.shape[0], chain.matrix.shape[1])
        let taps = weights.shape[2...].reduce(weights.shape[1], *)
        let convolution = layer.opType == "Conv" ? outputs * taps : rows * taps
        let (before, after) = (rows * inputs, outputs * inputs)
        return after < before + convolution && after <= 2 * before && after <= Self.maximumElements
    }

    private static let maximumElements = 1 << 28
}

extension Weights {
    /// Elements of a shape; nil where they overflow.
    fileprivate static func count(_ shape: ArraySlice<Int>) -> Int? {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            count = product
        }
        return count
    }

    /// A matrix's rows as columns.
    fileprivate var transposed: Weights {
        let (rows, columns) = (shape[0], shape[1])
        guard rows * columns == values.count else { return self }
        var turned = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { turned[column * rows + row] = values[row * columns + column] }
        }
        return Weights(values: turned, shape: [columns, rows])
    }
}

extension Int {
    /// So many of a matrix's numbers.
    fileprivate func strided(from first: Int, by step: Int, in weights: Weights) -> [Float] {
        (0..<self).map { weights.values[first + $0 * step] }
    }
}
