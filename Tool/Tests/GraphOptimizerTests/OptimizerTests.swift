import Foundation
import Inference
import OnnxProto
import SwiftProtobuf
import Testing

@testable import GraphOptimizer

@Suite("The optimiser")
struct OptimizerTests {
    /// A decoder in small: a matrix, then transposed convolutions.
    private func decoder() -> Onnx_ModelProto {
        var small = SmallModel()
        small.input("latent", "batch", "8")
        small.output("audio", "batch", "1", "128")
        small.weight("m", [256, 8])
        small.weight("mb", [256])
        small.weight("w1", [8, 8, 4])
        small.weight("w2", [8, 1, 4])
        small.integers("shape", [-1, 8, 32])
        small.node("Gemm", ["latent", "m", "mb"], "g", [.init("transB", 1)])
        small.node("Reshape", ["g", "shape"], "r")
        small.node("ConvTranspose", ["r", "w1"], "c1", [.init("strides", [2]), .init("pads", [1, 1])])
        small.node("Relu", ["c1"], "a1")
        small.node("ConvTranspose", ["a1", "w2"], "c2", [.init("strides", [2]), .init("pads", [1, 1])])
        small.node("Tanh", ["c2"], "audio")
        return small.model
    }

    private func optimizer(_ rewrites: [any GraphRewrite], least: Double = 60) throws -> Optimizer {
        let runtime = try Rewritten.runtime.get()
        return Optimizer(
            runtime, rewrites: rewrites, stimulus: Stimulus(sizes: ["batch": 1]), leastDecibels: least,
            seconds: 0.05)
    }

    @Test("what comes out is what went in, and a second time changes no bit")
    func idempotent() throws {
        let optimizer = try optimizer(Rewrites.standard(Rewritten.runtime.get()))
        let once = try optimizer.optimize(decoder())
        #expect(once.decibels > 100 && !once.steps.isEmpty)
        let twice = try optimizer.optimize(once.model)
        #expect(twice.steps.isEmpty && twice.decibels == Accuracy.equalDecibels)
        let bytes = try [once.model, twice.model].map { try $0.serializedBytes() as [UInt8] }
        #expect(bytes[0] == bytes[1])
    }

    /// Turns the sign of a weight, which is wrong.
    private struct Wrong: GraphRewrite {
        static let name = "wrong"
        let gain: Gain

        func apply(to graph: inout Graph) throws -> String? {
            guard let index = graph.model.graph.initializer.firstIndex(where: { $0.name == "w2" }),
                let values = graph.model.graph.initializer[index].floats
            else { return nil }
            var weight = Onnx_TensorProto(values.map { -$0 }, graph.model.graph.initializer[index].shape)
            weight.name = "w2"
            graph.model.graph.initializer[index] = weight
            return "a sign"
        }
    }

    /// Makes a graph that no runtime loads.
    private struct Broken: GraphRewrite {
        static let name = "broken"
        let gain = Gain.time

        func apply(to graph: inout Graph) throws -> String? {
            graph.model.graph.node[0].opType = "NoSuchOperator"
            return "nonsense"
        }
    }

    @Test("a rewrite that changes what is heard, or does not run, is not kept and says why")
    func wrong() throws {
        let outcome = try optimizer([Wrong(gain: .size), Broken()]).optimize(decoder())
        #expect(outcome.steps.map(\.isKept) == [false, false])
        #expect(outcome.steps[0].decibels.map { $0 < 0 } == true)
        #expect(outcome.steps[0].reason?.contains("60.0 dB") == true)
        #expect(outcome.steps[1].reason?.contains("does not run") == true)
        #expect(outcome.decibels == Accuracy.equalDecibels)
    }

    @Test("what a rewrite does to a state is heard in the runs that follow")
    func states() throws {
        var small = SmallModel()
        small.input("x", "batch", "4")
        small.input("state_sum", "batch", "4")
        small.output("y", "batch", "4")
        small.output("next_sum", "batch", "4")
        small.weight("w2", [1], in: 0.4...0.5)
        small.node("Add", ["x", "state_sum"], "y")
        small.node("Mul", ["y", "w2"], "next_sum")
        let runtime = try Rewritten.runtime.get()
        let session = try Session(runtime, bytes: try small.model.serializedBytes())
        let states = Stimulus.namedStates(session)
        #expect(states.map(\.output) == ["next_sum"])
        var optimizer = try optimizer([Wrong(gain: .size)])
        optimizer.stimulus.states = states
        #expect(try optimizer.optimize(small.model).steps.map(\.isKept) == [false])
        optimizer.stimulus.runs = 1
        #expect(
            try optimizer.optimize(small.model).steps.allSatisfy { $0.decibels == Accuracy.equalDecibels })
    }

    @Test("operator sets that the rewrites do not speak are refused by number")
    func old() throws {
        var small = SmallModel(opset: 11)
        small.input("x", "batch", "4")
        small.output("y", "batch", "4")
        small.node("Relu", ["x"], "y")
        let error = #expect(throws: OptimizeError.self) { try optimizer([Polyphase()]).optimize(small.model) }
        #expect(error?.description.contains("11") == true)
    }

    @Test("damaged models are rewritten or left alone, and nothing traps", arguments: 0..<8)
    func damaged(seed: UInt64) throws {
        var generator = SeededNumbers(state: seed)
        var small = SmallModel()
        small.input("x", "batch", "4", "8*length")
        small.output("y", "batch", "3", "outside")
        for (name, shape) in [("w", [4, 3, 4]), ("v", [3, 3, 3]), ("b", [3]), ("m", [256, 256])] {
            small.weight(name, shape)
        }
        small.node("ConvTranspose", ["x", "w", "b"], "c", [.init("strides", [2]), .init("group", 1)])
        small.node("BatchNormalization", ["c", "b", "b", "b", "b"], "n")
        small.node("Conv", ["n", "v"], "d", [.init("pads", [1, 1]), .init("group", 1)])
        small.node("MatMul", ["d", "m"], "y")
        let whole: [UInt8] = try small.model.serializedBytes()
        // The weights' numbers are most of it, and the least of what can go wrong.
        let places = whole.indices.filter { $0 < 1000 || $0 > whole.count - 400 }
        var parsed = 0
        for _ in 0..<30 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[places.randomElement(using: &generator) ?? 0] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            guard let model = try? Onnx_ModelProto(serializedBytes: bytes), var graph = try? Graph(model)
            else {
                continue
            }
            parsed += 1
            let rewrites: [any GraphRewrite] = [
                ShapeSpecialization(["batch": 2, "length": 3]), BatchNormFolding(), Polyphase(),
                ConvolutionLayout(),
                ByteMatrices(), HalfWeights(.bf16),
            ]
            for rewrite in rewrites { _ = try rewrite.apply(to: &graph) }
        }
        #expect(parsed > 3)
    }

    @Test("weights that are not what their shape says are left alone, and nothing traps")
    func lyingWeights() throws {
        for shape: [Int64] in [
            [4, 3, 1 << 40], [Int64.max, Int64.max, 2], [-4, 3, 2], [0, 0, 0], [4, 3],
        ] {
            var small = SmallModel()
            small.input("x", "batch", "4", "length")
            small.output("y", "batch", "3", "outside")
            small.weight("w", [4, 3, 2])
            small.model.graph.initializer[0].dims = shape
            for type in ["Conv", "ConvTranspose"] {
                small.model.graph.node = []
                small.node(
                    type, ["x", "w", "w"], "c",
                    [.init("strides", [Int.max]), .init("pads", [-1, Int.max]), .init("group", Int.max)])
                small.node("BatchNormalization", ["c", "w", "w", "w", "w"], "y")
                let runtime = try Rewritten.runtime.get()
                let rewrites: [any GraphRewrite] = [
                    BatchNormFolding(), AffineComposition(runtime), Polyphase(), HalfWeights(.f16),
                    ByteMatrices(),
                ]
                for rewrite in rewrites {
                    var graph = try Graph(small.model)
                    #expect(try rewrite.apply(to: &graph) == nil, "\(rewrite.name) \(shape)")
                }
                #expect(throws: InferenceError.self) { try optimizer(rewrites).optimize(small.model) }
            }
        }
    }

    @Test("inputs that no memory holds are an error, whatever their type", arguments: [1, 7])
    func hugeInput(type: Int32) throws {
        var small = SmallModel()
        small.input("x", "1099511627776")
        small.output("y", "1099511627776")
        small.node("Identity", ["x"], "y")
        small.model.graph.input[0].type.tensorType.elemType = type
        small.model.graph.output[0].type.tensorType.elemType = type
        let optimizer = try optimizer([])
        #expect(throws: OptimizeError.self) { try optimizer.optimize(small.model) }
    }
}
