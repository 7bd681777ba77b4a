import Foundation
package import Inference
import OnnxProto
import SwiftProtobuf

/// Computes convolutions in bytes: their inputs and outputs in steps of ranges that were seen with calibration data, their
/// weights in steps of each channel's largest.
///
/// The graph says so in ONNX's own terms (`QuantizeLinear` and `DequantizeLinear` around each), which runtimes that have
/// kernels for bytes recognise. A byte is 8 bits of signal-to-noise ratio at the best, some 30 dB with several layers: it is only
/// done when calibration data is given.
package struct CalibratedConvolutions: GraphRewrite {
    package static let name = "calibrated-int8"
    package let gain = Gain.time
    let runtime: OnnxRuntime
    let calibration: Stimulus

    package init(_ runtime: OnnxRuntime, calibration: Stimulus) {
        self.runtime = runtime
        self.calibration = calibration
    }

    /// A convolution, and the node whose output is the first that others see: its own, or its rectifier's.
    private struct Place {
        let convolution: Int
        let weights: Weights
        let bias: [Float]?
        let last: Int
    }

    package func apply(to graph: inout Graph) throws -> String? {
        let places = places(graph)
        if places.isEmpty { return nil }
        let outputs = places.map { graph.nodes[$0.last].output[0] }
        let inputs = places.map { graph.nodes[$0.convolution].input[0] }
        let steps = try steps(of: Set(inputs + outputs), in: graph)
        var before: [Int: [Onnx_NodeProto]] = [:]
        var after: [Int: [Onnx_NodeProto]] = [:]
        for (place, (input, output)) in zip(places, zip(inputs, outputs)) {
            guard let inputStep = steps[input], let outputStep = steps[output] else { continue }
            if !outputs.contains(input) {
                let value = graph.name("stepped")
                before[place.convolution] = pair(input, value, inputStep, &graph)
                graph.nodes[place.convolution].input[0] = value
            }
            quantise(place, inputStep, &graph, &before)
            let raw = graph.name("raw")
            graph.nodes[place.last].output[0] = raw
            after[place.last] = pair(raw, output, outputStep, &graph)
        }
        graph.nodes = graph.nodes.indices.flatMap {
            (before[$0] ?? []) + [graph.nodes[$0]] + (after[$0] ?? [])
        }
        graph.removeUnused()
        return counted(places.count, "convolution") + " in bytes"
    }

    private func places(_ graph: Graph) -> [Place] {
        let uses = Uses(graph)
        return graph.nodes.indices.compactMap { index in
            let node = graph.nodes[index]
            guard node.isOperator("Conv"), node.input.count >= 2,
                let weights = graph.weights(node.input[1], uses),
                weights.shape.count >= 3, weights.shape[0] > 0, graph.constants[node.input[0]] == nil
            else { return nil }
            var bias: [Float]?
            if let name = node.optionalInput(2) {
                guard let values = graph.weights(name, uses)?.values, values.count == weights.shape[0] else {
                    return nil
                }
                bias = values
            }
            let activation = graph.activation(of: node.output[0], uses)
            let isRectified = activation.map { graph.nodes[$0].isOperator("Relu") } ?? false
            return Place(
                convolution: index, weights: weights, bias: bias,
                last: isRectified ? activation ?? index : index)
        }
    }

    /// A range in 255 steps, zero among them.
    private struct Step {
        let size: Float
        let zero: UInt8

        init(_ range: ClosedRange<Float>) {
            let (low, high) = (min(range.lowerBound, 0), max(range.upperBound, 0))
            size = max((high - low) / 255, .leastNormalMagnitude)
            zero = UInt8(clamping: Int((-low / size).rounded()))
        }
    }

    /// What the values range over with the calibration data.
    private func steps(of values: Set<String>, in graph: Graph) throws -> [String: Step] {
        var model = graph.model
        let known = Set(model.graph.output.map(\.name))
        let given = Set(model.graph.input.map(\.name))
        for name in values.sorted() where !known.contains(name) && !given.contains(name) {
            var output = Onnx_ValueInfoProto()
            output.name = name
            model.graph.output.append(output)
        }
        let session = try Session(
            runtime, bytes: try model.serializedBytes(),
            options: SessionOptions(graphOptimization: .basic, probe: false, cache: .off))
        var ranges: [String: ClosedRange<Float>] = [:]
        try calibration.observe(session) { name, numbers in
            guard values.contains(name), let low = numbers.min(), let high = numbers.max(), low.isFinite,
                high.isFinite
            else { return }
            let range = ranges[name] ?? low...high
            ranges[name] = min(range.lowerBound, low)...max(range.upperBound, high)
        }
        return ranges.mapValues(Step.init)
    }

    private func pair(
        _ value: String, _ output: String, _ step: Step, _ graph: inout Graph
    ) -> [Onnx_NodeProto] {
        let scale = graph.add(.init([step.size], []), "scale")
        let zero = graph.add(.init(.uint8, [], bytes: Data([step.zero])), "zero")
        let bytes = graph.name("bytes")
        return [
            Onnx_NodeProto("QuantizeLinear", [value, scale, zero], bytes),
            Onnx_NodeProto("DequantizeLinear", [bytes, scale, zero], output),
        ]
    }

    /// A weight's. Half of a byte's range: processors without an instruction for four products at once (VNNI) add two products
    /// in 16 bits, which overflow with more.
    private static let largest: Float = 63

    /// Puts a convolution's weights and bias in steps.
    private func quantise(
        _ place: Place, _ input: Step, _ graph: inout Graph, _ before: inout [Int: [Onnx_NodeProto]]
    ) {
        let channels = place.weights.shape[0]
        let each = place.weights.values.count / channels
        var scales: [Float] = []
        var bytes = Data(capacity: place.weights.values.count)
        for channel in 0..<channels {
            let values = place.weights.values[channel * each..<(channel + 1) * each]
            let scale = max((values.map(\.magnitude).max() ?? 0) / Self.largest, .leastNormalMagnitude)
            scales.append(scale)
            for value in values {
                bytes.append(
                    UInt8(bitPattern: Int8((value / scale).rounded().clamped(Self.largest))))
            }
        }
        let axis = Onnx_AttributeProto("axis", 0)
        func constant(_ tensor: Onnx_TensorProto, _ scales: [Float]) -> String {
            let stored = graph.add(tensor, "bytes")
            let scale = graph.add(.init(scales, [channels]), "scales")
            let value = graph.name("weight")
            before[place.convolution, default: []].append(
                Onnx_NodeProto("DequantizeLinear", [stored, scale], value, [axis]))
            return value
        }
        graph.nodes[place.convolution].input[1] = constant(
            .init(.int8, place.weights.shape, bytes: bytes), scales)
        guard let bias = place.bias else { return }
        let products = scales.map { $0 * input.size }
        var stored = Data(capacity: 4 * channels)
        for (value, scale) in zip(bias, products) {
            let steps = Int32((value / scale).rounded().clamped(2e9))
            unsafe withUnsafeBytes(of: steps.littleEndian) { unsafe stored.append(contentsOf: $0) }
        }
        graph.nodes[place.convolution].input[2] = constant(.init(.int32, [channels], bytes: stored), products)
    }
}
