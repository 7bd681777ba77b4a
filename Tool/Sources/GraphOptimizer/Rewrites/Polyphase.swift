import OnnxProto

/// Rewrites a transposed convolution of stride s as s ordinary ones, its polyphase components, whose outputs are interleaved
/// (Vaidyanathan, "Multirate Systems and Filter Banks", 1993, chapter 4).
///
/// The components are one convolution of s times the channels, the phase varying fastest: a transposed convolution spreads sums
/// over memory and adds, an ordinary one reads. One axis only; dilated ones stay.
package struct Polyphase: GraphRewrite {
    package static let name = "polyphase"
    package let gain = Gain.time

    package init() {}

    package func apply(to graph: inout Graph) throws -> String? {
        var count = 0
        while rewriteOne(&graph) { count += 1 }
        if count == 0 { return nil }
        graph.removeUnused()
        return counted(count, "transposed convolution")
    }

    private func rewriteOne(_ graph: inout Graph) -> Bool {
        let uses = Uses(graph)
        for (index, node) in graph.nodes.enumerated() where node.isOperator("ConvTranspose") {
            guard let plan = PolyphasePlan(node, graph, uses) else { continue }
            replace(index, plan, in: &graph, uses)
            return true
        }
        return false
    }

    private func replace(_ index: Int, _ plan: PolyphasePlan, in graph: inout Graph, _ uses: Uses) {
        let node = graph.nodes[index]
        var inputs = [node.input[0], graph.add(.init(plan.weights.values, plan.weights.shape), "phases")]
        if let bias = plan.bias { inputs.append(graph.add(.init(bias, [bias.count]), "bias")) }
        var value = graph.name("phases")
        var nodes = [
            Onnx_NodeProto(
                "Conv", inputs, value,
                [
                    .init("kernel_shape", [plan.weights.shape[2]]),
                    .init("pads", [plan.padding.0, plan.padding.1]),
                    .init("group", plan.groups),
                ])
        ]
        let activation = graph.activation(of: node.output[0], uses)
        if let activation {
            var function = graph.nodes[activation]
            function.input = [value]
            value = graph.name("activated")
            function.output = [value]
            nodes.append(function)
        }
        let output = graph.nodes[activation ?? index].output[0]
        // [B, C·s, L] → [B, C, s, L] → [B, C, L, s] → [B, C, L·s]; 0 keeps an axis as it is.
        let (apart, turned) = (graph.name("apart"), graph.name("turned"))
        let whole = plan.surplus == 0 ? output : graph.name("whole")
        nodes.append(
            .init("Reshape", [value, graph.add(.init([0, plan.channels, plan.stride, -1]), "shape")], apart))
        nodes.append(.init("Transpose", [apart], turned, [.init("perm", [0, 1, 3, 2])]))
        nodes.append(.init("Reshape", [turned, graph.add(.init([0, plan.channels, -1]), "shape")], whole))
        if plan.surplus > 0 {
            let places = [[0], [-plan.surplus], [2]].map { graph.add(.init($0), "place") }
            nodes.append(.init("Slice", [whole] + places, output))
        }
        graph.replace([index] + (activation.map { [$0] } ?? []), by: nodes)
    }
}

/// The ordinary convolution that a transposed one becomes.
struct PolyphasePlan {
    let stride: Int
    let channels: Int
    let groups: Int
    /// [channels · stride, inputs of a group, taps]
    let weights: Weights
    let bias: [Float]?
    /// Before and after, in samples of the input.
    let padding: (Int, Int)
    /// Samples at the end that are too many.
    let surplus: Int

    /// - Returns: nil for what has another form, or weights that are no constants.
    init?(_ node: Onnx_NodeProto, _ graph: Graph, _ uses: Uses) {
        guard node.input.count >= 2, let given = graph.weights(node.input[1], uses), given.shape.count == 3,
            node.hasExplicitPadding, node.find("output_shape") == nil,
            (node.integers("dilations") ?? [1]) == [1]
        else { return nil }
        let (stride, extra) = (
            node.integers("strides")?.first ?? 1, node.integers("output_padding")?.first ?? 0
        )
        let pads = node.integers("pads") ?? [0, 0]
        let groups = node.integer("group", default: 1)
        let (inputs, outputs, taps) = (given.shape[0], given.shape[1], given.shape[2])
        guard 2...64 ~= stride, groups >= 1, inputs >= groups, inputs.isMultiple(of: groups), outputs >= 1,
            1...4096 ~= taps, pads.count == 2, pads.allSatisfy({ 0...4096 ~= $0 }), 0..<stride ~= extra
        else { return nil }
        // Output q·s + p is the sum over d of input q + d times tap p + pads[0] − d·s.
        let first = -((taps - 1 - pads[0]) / stride)
        let last = (stride - 1 + pads[0]) / stride
        // Samples of the output beyond s for each of the input.
        let beyond = taps + extra - pads[0] - pads[1] - stride
        let periods = Int((Double(beyond) / Double(stride)).rounded(.up))
        guard taps - 1 >= pads[0], last >= first, periods + last >= 0 else { return nil }
        let length = last - first + 1
        let inside = inputs / groups
        var values = [Float](repeating: 0, count: groups * outputs * stride * inside * length)
        for output in 0..<groups * outputs {
            let (group, own) = (output / outputs, output % outputs)
            for phase in 0..<stride {
                for input in 0..<inside {
                    for step in first...last {
                        let tap = phase + pads[0] - step * stride
                        guard 0..<taps ~= tap else { continue }
                        let place = ((output * stride + phase) * inside + input) * length + step - first
                        values[place] = given.values[((group * inside + input) * outputs + own) * taps + tap]
                    }
                }
            }
        }
        if let name = node.optionalInput(2) {
            guard let bias = graph.weights(name, uses)?.values, bias.count == groups * outputs else {
                return nil
            }
            self.bias = bias.flatMap { [Float](repeating: $0, count: stride) }
        } else {
            bias = nil
        }
        self.stride = stride
        self.groups = groups
        channels = groups * outputs
        weights = Weights(values: values, shape: [groups * outputs * stride, inside, length])
        padding = (-first, periods + last)
        surplus = periods * stride - beyond
    }
}
