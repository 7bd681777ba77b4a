import Foundation
import GraphOptimizer
import Inference
import OnnxProto
import SwiftProtobuf

@testable import GraphOptimizer

/// Small models that the tests build.
struct SmallModel {
    var model = Onnx_ModelProto()
    private var generator: SeededNumbers

    init(opset: Int64 = 18, seed: UInt64 = 1) {
        generator = SeededNumbers(state: seed)
        model.irVersion = 10
        var set = Onnx_OperatorSetIdProto()
        set.domain = ""
        set.version = opset
        model.opsetImport = [set]
        model.graph.name = "small"
    }

    /// Random numbers in ±range as a constant.
    mutating func weight(_ name: String, _ shape: [Int], in range: ClosedRange<Float> = -0.5...0.5) {
        let count = shape.reduce(1, *)
        var tensor = Onnx_TensorProto(
            (0..<count).map { _ in Float.random(in: range, using: &generator) }, shape)
        tensor.name = name
        model.graph.initializer.append(tensor)
    }

    mutating func integers(_ name: String, _ values: [Int]) {
        var tensor = Onnx_TensorProto(values)
        tensor.name = name
        model.graph.initializer.append(tensor)
    }

    mutating func node(
        _ type: String, _ inputs: [String], _ output: String, _ attributes: [Onnx_AttributeProto] = []
    ) {
        model.graph.node.append(.init(type, inputs, output, attributes))
    }

    /// An axis is a number or a name.
    mutating func input(_ name: String, _ axes: String...) {
        model.graph.input.append(Self.value(name, axes))
    }
    mutating func output(_ name: String, _ axes: String...) {
        model.graph.output.append(Self.value(name, axes))
    }

    private static func value(_ name: String, _ axes: [String]) -> Onnx_ValueInfoProto {
        var value = Onnx_ValueInfoProto()
        value.name = name
        value.type.tensorType.elemType = 1
        value.type.tensorType.shape.dim = axes.map { axis in
            var dimension = Onnx_TensorShapeProto.Dimension()
            if let size = Int64(axis) { dimension.dimValue = size } else { dimension.dimParam = axis }
            return dimension
        }
        return value
    }

    var types: [String] { model.graph.node.map(\.opType) }
}

/// A rewrite on a model, and how near its results are to the original's with several sizes of the open axes.
struct Rewritten {
    let graph: Graph
    let what: String?
    let decibels: Double
    let again: String?

    static let runtime = Result { try OnnxRuntime.open() }

    init(
        _ model: Onnx_ModelProto, by rewrite: any GraphRewrite,
        sizes: [[String: Int]] = [["batch": 1], ["batch": 3]]
    ) throws {
        let runtime = try Self.runtime.get()
        var graph = try Graph(model)
        what = try rewrite.apply(to: &graph)
        self.graph = graph
        let sessions = try [model, graph.model].map {
            try Session(runtime, bytes: try $0.serializedBytes(), options: SessionOptions(probe: false))
        }
        var least = Accuracy.equalDecibels
        for sizes in sizes {
            let stimulus = Stimulus(sizes: sizes, runs: 2)
            let results = try sessions.map { try stimulus.outputs(of: $0) }
            least = min(least, Accuracy.decibels(results[1], reference: results[0]))
        }
        decibels = least
        var once = graph
        again = try rewrite.apply(to: &once)
    }

    var types: [String] { graph.nodes.map(\.opType) }
}
