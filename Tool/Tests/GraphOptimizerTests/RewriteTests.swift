import Foundation
import Inference
import OnnxProto
import SwiftProtobuf
import Testing

@testable import GraphOptimizer

/// What rounding in another order may cost.
private let rounding = 100.0

private func bytes(_ model: Onnx_ModelProto) throws -> [UInt8] { try model.serializedBytes() }

@Suite("Rewrites")
struct RewriteTests {
    struct Transposed: Sendable, CustomStringConvertible {
        let taps, stride: Int
        var pads = [0, 0]
        var extra = 0
        var groups = 1
        var outputs = 3

        var description: String {
            "\(taps) taps, stride \(stride), padding \(pads), output padding \(extra), groups \(groups)"
        }
    }

    @Test(
        "a transposed convolution is polyphase convolutions, interleaved, at every length",
        arguments: [
            Transposed(taps: 15, stride: 2, pads: [7, 7], extra: 1),
            Transposed(taps: 4, stride: 2, pads: [1, 1]),
            Transposed(taps: 4, stride: 2), Transposed(taps: 16, stride: 8, pads: [4, 4], groups: 2),
            Transposed(taps: 3, stride: 2, outputs: 1), Transposed(taps: 2, stride: 3),
            Transposed(taps: 7, stride: 3, pads: [2, 1], extra: 2),
            Transposed(taps: 5, stride: 4, pads: [0, 3]),
        ])
    func polyphase(_ case: Transposed) throws {
        var small = SmallModel()
        small.input("x", "batch", "4", "length")
        small.output("y", "batch", "\(`case`.outputs * `case`.groups)", "outside")
        small.weight("w", [4, `case`.outputs, `case`.taps])
        small.weight("b", [`case`.outputs * `case`.groups])
        small.node(
            "ConvTranspose", ["x", "w", "b"], "c",
            [
                .init("strides", [`case`.stride]), .init("pads", `case`.pads),
                .init("output_padding", [`case`.extra]), .init("group", `case`.groups),
            ])
        small.node("Relu", ["c"], "y")
        let result = try Rewritten(
            small.model, by: Polyphase(), sizes: [1, 2, 5, 16].map { ["batch": 2, "length": $0 + 4] })
        #expect(result.what == "1 transposed convolution")
        #expect(result.decibels > rounding)
        #expect(!result.types.contains("ConvTranspose"))
        #expect(result.types.starts(with: ["Conv", "Relu"]))
        #expect(result.again == nil)
    }

    @Test("a dilated transposed convolution stays as it is")
    func dilated() throws {
        var small = SmallModel()
        small.input("x", "batch", "2", "length")
        small.output("y", "batch", "2", "outside")
        small.weight("w", [2, 2, 3])
        small.node("ConvTranspose", ["x", "w"], "y", [.init("strides", [2]), .init("dilations", [2])])
        let result = try Rewritten(small.model, by: Polyphase(), sizes: [["length": 5]])
        #expect(result.what == nil && result.types == ["ConvTranspose"])
    }

    @Test(
        "a matrix and the convolution behind it are one matrix", arguments: ["Conv", "ConvTranspose"], [0, 1])
    func affine(_ type: String, turned: Int) throws {
        var small = SmallModel()
        small.input("x", "batch", "6")
        small.output("y", "batch", "2", "outside")
        small.weight("m", turned == 1 ? [32, 6] : [6, 32])
        small.weight("mb", [32])
        small.weight("w", type == "Conv" ? [2, 4, 3] : [4, 2, 4])
        small.weight("b", [2])
        small.integers("shape", [-1, 4, 8])
        small.node("Gemm", ["x", "m", "mb"], "g", [.init("transB", turned)])
        small.node("Reshape", ["g", "shape"], "r")
        small.node(
            type, ["r", "w", "b"], "c", [.init("strides", [type == "Conv" ? 1 : 2]), .init("pads", [1, 1])])
        small.node("LeakyRelu", ["c"], "y")
        let result = try Rewritten(small.model, by: AffineComposition(Rewritten.runtime.get()))
        #expect(result.types == ["Gemm", "LeakyRelu", "Reshape"])
        #expect(result.decibels > rounding)
        #expect(result.again == nil)
    }

    @Test("a matrix whose product is used elsewhere, too, or is bent before the convolution, stays")
    func notAffine() throws {
        for bent in [true, false] {
            var small = SmallModel()
            small.input("x", "batch", "6")
            small.output("y", "batch", "5", "outside")
            if !bent { small.output("g", "batch", "32") }
            small.weight("m", [32, 6])
            small.weight("w", [5, 4, 3])
            small.integers("shape", [-1, 4, 8])
            small.node("Gemm", ["x", "m"], "g", [.init("transB", 1)])
            if bent { small.node("Tanh", ["g"], "t") }
            small.node("Reshape", [bent ? "t" : "g", "shape"], "r")
            small.node("Conv", ["r", "w"], "y")
            let result = try Rewritten(small.model, by: AffineComposition(Rewritten.runtime.get()))
            #expect(result.what == nil)
        }
    }

    @Test("convolutions over one axis have two, and rows between them are not taken away and put back")
    func layout() throws {
        var small = SmallModel()
        small.input("x", "batch", "8", "length")
        small.output("y", "batch", "8", "length")
        for name in ["w1", "w2", "w3"] { small.weight(name, [8, 8, 3]) }
        small.node("Conv", ["x", "w1"], "a", [.init("pads", [1, 1]), .init("kernel_shape", [3])])
        small.node("Relu", ["a"], "b")
        small.node("Conv", ["b", "w2"], "c", [.init("pads", [2, 2]), .init("dilations", [2])])
        small.node("Tanh", ["c"], "d")
        small.node("Add", ["b", "d"], "e")
        small.node("Conv", ["e", "w3"], "y", [.init("pads", [1, 1]), .init("strides", [1])])
        let result = try Rewritten(
            small.model, by: ConvolutionLayout(),
            sizes: [["batch": 2, "length": 9], ["batch": 1, "length": 1]])
        #expect(result.what == "3 convolutions")
        #expect(result.types.filter { $0 == "Unsqueeze" || $0 == "Squeeze" } == ["Unsqueeze", "Squeeze"])
        #expect(result.decibels > rounding)
        #expect(result.again == nil)
    }

    @Test("a batch normalisation goes into the layer before it", arguments: ["Conv", "ConvTranspose"])
    func batchNorm(_ type: String) throws {
        var small = SmallModel()
        small.input("x", "batch", "4", "7")
        small.output("y", "batch", "6", "outside")
        small.weight("w", type == "Conv" ? [6, 2, 3] : [4, 3, 3])
        small.weight("b", [6])
        for name in ["scale", "offset", "mean"] { small.weight(name, [6]) }
        small.weight("variance", [6], in: 0.1...2)
        small.node(type, ["x", "w", "b"], "c", [.init("group", 2)])
        small.node("BatchNormalization", ["c", "scale", "offset", "mean", "variance"], "y")
        let result = try Rewritten(small.model, by: BatchNormFolding())
        #expect(result.types == [type])
        #expect(result.decibels > rounding)
        #expect(result.again == nil)
    }

    @Test("normalised weights are computed once, and what else is constant stays for its own rewrite")
    func weightNormalization() throws {
        var small = SmallModel()
        small.input("x", "batch", "4", "9")
        small.output("y", "batch", "3", "outside")
        small.weight("v", [3, 4, 3])
        small.weight("g", [3, 1, 1], in: 0.5...2)
        small.weight("p", [1])
        small.weight("q", [1])
        small.integers("axes", [1, 2])
        small.node("ReduceL2", ["v", "axes"], "norm")
        small.node("Div", ["v", "norm"], "direction")
        small.node("Mul", ["direction", "g"], "w")
        small.node("Add", ["p", "q"], "sum")
        small.node("Conv", ["x", "w"], "c")
        small.node("Mul", ["c", "sum"], "y")
        let runtime = try Rewritten.runtime.get()
        let normal = try Rewritten(small.model, by: WeightNormalization(runtime))
        #expect(normal.types == ["Add", "Conv", "Mul"] && normal.decibels > rounding && normal.again == nil)
        #expect(Set(normal.graph.model.graph.initializer.map(\.name)) == ["w", "p", "q"])
        let folded = try Rewritten(small.model, by: ConstantFolding(runtime))
        #expect(folded.types == ["Conv", "Mul"] && folded.decibels > rounding && folded.again == nil)
    }

    @Test(
        "weights in two bytes are cast back, and folding leaves them", arguments: HalfWeights.Format.allCases)
    func halfWeights(_ format: HalfWeights.Format) throws {
        var small = SmallModel()
        small.input("x", "batch", "40")
        small.output("y", "batch", "40")
        small.weight("w", [40, 40])
        small.node("MatMul", ["x", "w"], "y")
        let result = try Rewritten(small.model, by: HalfWeights(format))
        #expect(result.types == ["Cast", "MatMul"])
        // 11 bits or 8 of a mantissa, each 6 dB, and the rounding's distribution.
        #expect(result.decibels > (format == .f16 ? 68 : 50) && result.decibels < (format == .f16 ? 80 : 62))
        #expect(result.again == nil)
        let sizes = try [small.model, result.graph.model].map { (model: Onnx_ModelProto) in
            try bytes(model).count
        }
        #expect(sizes[1] < sizes[0] * 6 / 10)
        let folded = try Rewritten(result.graph.model, by: ConstantFolding(Rewritten.runtime.get()))
        #expect(folded.what == nil)
    }

    @Test(
        "a large matrix in bytes is a quarter as large, and 40 dB from itself", arguments: ["Gemm", "MatMul"])
    func byteMatrices(_ type: String) throws {
        var small = SmallModel()
        small.input("x", "batch", "128")
        small.output("y", "batch", "1024")
        small.weight("w", type == "Gemm" ? [1024, 128] : [128, 1024])
        small.weight("b", [1024])
        if type == "Gemm" {
            small.node("Gemm", ["x", "w", "b"], "y", [.init("transB", 1)])
        } else {
            small.node("MatMul", ["x", "w"], "y")
        }
        let result = try Rewritten(small.model, by: ByteMatrices())
        #expect(result.types == ["MatMulNBits"])
        #expect(result.decibels > 38)
        #expect(result.again == nil)
        let sizes = try [small.model, result.graph.model].map { (model: Onnx_ModelProto) in
            try bytes(model).count
        }
        #expect(sizes[1] < sizes[0] * 6 / 10)
    }

    @Test("convolutions in bytes are 25 dB or more from themselves, and say so in ONNX's own terms")
    func calibrated() throws {
        var small = SmallModel()
        small.input("x", "batch", "8", "32")
        small.output("y", "batch", "8", "32")
        small.weight("w1", [8, 8, 3])
        small.weight("b1", [8])
        small.weight("w2", [8, 8, 3])
        small.node("Conv", ["x", "w1", "b1"], "c1", [.init("pads", [1, 1])])
        small.node("Relu", ["c1"], "a1")
        small.node("Conv", ["a1", "w2"], "y", [.init("pads", [1, 1])])
        let runtime = try Rewritten.runtime.get()
        let calibration = Stimulus(sizes: ["batch": 1], runs: 20)
        let result = try Rewritten(small.model, by: CalibratedConvolutions(runtime, calibration: calibration))
        #expect(result.what == "2 convolutions in bytes")
        #expect(result.decibels > 25 && result.decibels < 60, "\(result.decibels)")
        #expect(result.types.filter { $0 == "QuantizeLinear" }.count == 3)
        #expect(result.again == nil)
    }

    @Test("axes are fixed with what follows from them, and others stay open")
    func shapes() throws {
        var small = SmallModel()
        small.input("x", "batch", "2", "8*slots", "other")
        small.output("y", "batch", "2", "8*slots", "other")
        small.node("Relu", ["x"], "y")
        var graph = try Graph(small.model)
        #expect(try ShapeSpecialization(["batch": 4, "slots": 2]).apply(to: &graph) == "batch=4, slots=2")
        for value in graph.model.graph.input + graph.model.graph.output {
            let axes = value.type.tensorType.shape.dim
            #expect(axes.map(\.dimValue) == [4, 2, 16, 0] && axes[3].dimParam == "other")
        }
        #expect(try ShapeSpecialization(["batch": 4, "slots": 2]).apply(to: &graph) == nil)
    }
}
