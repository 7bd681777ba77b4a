import Foundation
import TestSupport
import Testing

@testable import Inference

/// Our operators: what they compute, that they say the same as the functions that models carry, and what they refuse.
@Suite struct OperatorTests {
    let runtime = try! OnnxRuntime.open()

    /// A bank of five lines, the last two of which have a sine's amplitude too.
    func bank(
        hertz: [Float], amplitude: [Float], before: [Float], phase: [Float], slots: Int
    ) throws -> (samples: [Float], phase: [Float]) {
        let session = try Session(runtime, model: fixture("partial_bank.onnx"))
        let outputs = try session.run([
            "hertz": Tensor(hertz, shape: [1, slots, 2, 5]),
            "amplitude": Tensor(amplitude, shape: [1, slots, 7]),
            "before": Tensor(before, shape: [1, 7]),
            "phase": Tensor(phase, shape: [1, 5]),
        ])
        return (outputs["samples"]!.floats!, outputs["next_phase"]!.floats!)
    }

    @Test func aBankOfPartialsIsTheSumOfItsSines() throws {
        let hertz: [Float] = [440, 1000, 12_345.6, 3000, 7000]
        let level: [Float] = [0.5, 0.25, 0.125, 0.3, 0, 0.2, 0.1]
        let start: [Float] = [0, 0.25, 0.5, 0.75, 0.9]
        let slots = 3
        let (samples, phase) = try bank(
            hertz: Array(repeating: hertz + hertz, count: slots).flatMap { $0 },
            amplitude: Array(repeating: level, count: slots).flatMap { $0 }, before: level, phase: start,
            slots: slots)
        for (index, sample) in samples.enumerated() {
            var expected = 0.0
            for line in 0..<5 {
                let angle =
                    2 * Double.pi * (Double(start[line]) + Double(hertz[line]) * Double(index) / 48_000)
                expected += Double(level[line]) * cos(angle)
                if line >= 3 { expected -= Double(level[line + 2]) * sin(angle) }
            }
            // A slot's cycles are rounded to 2^-19.
            #expect(abs(Double(sample) - expected) < 5e-5, "sample \(index)")
        }
        for line in 0..<5 {
            let cycles = Double(start[line]) + Double(hertz[line]) * 384 / 48_000
            #expect(abs(Double(phase[line]) - (cycles - cycles.rounded(.down))) < 5e-6)
        }
    }

    @Test func amplitudesGoOnALine() throws {
        // A line of 0 Hz is its amplitude.
        let (samples, _) = try bank(
            hertz: Array(repeating: 0, count: 20),
            amplitude: [1, 0, 0, 0, 0, 0, 0] + [0.5, 0, 0, 0, 0, 0, 0],
            before: Array(repeating: 0, count: 7), phase: Array(repeating: 0, count: 5), slots: 2)
        for index in 0..<128 {
            #expect(abs(samples[index] - Float(index) / 128) < 1e-6)
            #expect(abs(samples[128 + index] - (1 - Float(index) / 256)) < 1e-6)
        }
    }

    @Test func shapesThatDoNotBelongTogetherAreAnErrorOfTheRun() throws {
        let session = try Session(runtime, model: fixture("partial_bank.onnx"))
        let error = #expect(throws: InferenceError.self) {
            try session.run([
                "hertz": Tensor([Float](repeating: 1, count: 30), shape: [1, 3, 2, 5]),
                "amplitude": Tensor([Float](repeating: 1, count: 14), shape: [1, 2, 7]),
                "before": Tensor([Float](repeating: 1, count: 7), shape: [1, 7]),
                "phase": Tensor([Float](repeating: 1, count: 5), shape: [1, 5]),
            ])
        }
        #expect(error?.code == .runFailed)
        #expect(error?.message.contains("PartialBank") == true, "\(error?.message ?? "")")
    }

    @Test func aShippedDecoderSoundsTheSameWithItsFunction() throws {
        let path = "\(repositoryRoot)/Models/NeuralSynth/rave_decoder_ensemble.onnx"
        let own = try Session(runtime, model: path)
        let function = try Session(runtime, model: path, options: SessionOptions(ownOperators: false))
        let (batch, slots) = (3, 4)
        var generator = SeededGenerator(seed: 7)
        var inputs: [String: Tensor] = [:]
        for info in own.inputs {
            let sizes = ["batch": batch, "slots": slots, "8*slots": 8 * slots]
            let shape = info.shape.map { axis in
                if case .fixed(let size) = axis { size } else { sizes[axis.description] ?? 1 }
            }
            let count = shape.reduce(1, *)
            let values: [Float] =
                switch info.name {
                case "pitch": (0..<count).map { 110 + 200 * Float($0 / slots) }
                case "latent", "noise": (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
                default: Array(repeating: 0, count: count)
                }
            inputs[info.name] = try Tensor(values, shape: shape)
        }
        for _ in 0..<3 {
            let (ours, theirs) = (try own.run(inputs), try function.run(inputs))
            for (name, tensor) in ours {
                let (a, b) = (tensor.floats!, theirs[name]!.floats!)
                let apart = zip(a, b).map { abs($0 - $1) }.max() ?? 0
                #expect(apart < 1e-5, "\(name)")
                if let place = name.range(of: "next_") {
                    inputs["state_" + name[place.upperBound...]] = tensor
                }
            }
            #expect(ours["audio"]!.floats!.contains { abs($0) > 1e-4 })
            // Equal to the bit, it would be the function both times.
            #expect(ours["audio"] != theirs["audio"])
        }
    }
}
