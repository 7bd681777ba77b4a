import Foundation
import TestSupport
import Testing

@testable import Inference

/// Our operators: what they compute, that they say the same as the functions that models carry, and what they refuse.
@Suite struct OperatorTests {
    let runtime = try! OnnxRuntime.open()

    /// 16 partials, the lowest 8 of which have a second line.
    private struct Bank {
        static let (count, layered) = (16, 8)
        var slots = 3
        var pitch: Float = 440
        var inharmonicity: Float = 0
        var detune: Float = 0
        /// Logarithms, at 4 points.
        var envelope: [Float] = [-1, -2, -3, -4]
        var own = [Float](repeating: 0, count: 3 * layered)
        var shimmer = [Float](repeating: 0, count: 8)
        var lastPitch: Float = 0
        var before = [Float](repeating: 0, count: 32)
        var phase = [Float](repeating: 0, count: 24)
        var rate: [Float] = [0.3, -0.5, 1, -0.7, 0.4, 0.9, -1, 0.6]

        func repeated(_ values: [Float]) -> [Float] { Array(repeating: values, count: slots).flatMap { $0 } }

        func run(_ session: Session) throws -> [String: Tensor] {
            try session.run([
                "pitch": Tensor(repeated([pitch]), shape: [1, slots, 1]),
                "inharmonicity": Tensor(repeated([inharmonicity]), shape: [1, slots, 1]),
                "detune": Tensor(repeated([detune]), shape: [1, slots, 1]),
                "envelope": Tensor(repeated(envelope), shape: [1, slots, 4]),
                "own": Tensor(repeated(own), shape: [1, slots, 24]),
                "shimmer": Tensor(repeated(shimmer), shape: [1, slots, 8]),
                "last_pitch": Tensor([lastPitch], shape: [1, 1]),
                "last_amplitude": Tensor(before, shape: [1, 32]),
                "phase": Tensor(phase, shape: [1, 24]),
                "rate": Tensor(rate, shape: [8]),
            ])
        }

        /// Where the lines are and how strong, as `echoel_training.spectrum` says: in Hz, cosines' and sines' amplitudes.
        func lines() -> [(hertz: Double, cosine: Double, sine: Double)] {
            let (b, d) = (Double(inharmonicity), Double(detune))
            var first: [(hertz: Double, level: Double)] = []
            for k in 1...Bank.count {
                let order = Double(k)
                let hertz =
                    Double(pitch) * (1 - 2 * d / 3) * order * ((1 + b * order * order) / (1 + b)).squareRoot()
                let point = min(max(log(1 + hertz / 700) * 3 / log(1 + 24_000.0 / 700), 0), 4 - 1.001)
                let below = Int(point)
                let (low, high) = (Double(envelope[below]), Double(envelope[below + 1]))
                var level = low + (high - low) * (point - Double(below))
                if k <= Bank.layered { level += Double(own[k - 1]) }
                level = min(max(level, -14), 2)
                if k <= 8 { level += Double(shimmer[k - 1]) }
                let audible = min(max((23_500 - hertz) / 1000, 0), 1)
                first.append((hertz, exp(level) * audible))
            }
            let strongest = (b > 0 ? 0.7 : 0) + (d != 0 ? 100 : 0)
            var second: [(hertz: Double, cosine: Double, sine: Double)] = []
            for k in 0..<Bank.layered {
                var (across, along) = (Double(own[8 + k]), Double(own[16 + k]))
                let kept = min(strongest / (across * across + along * along + 1e-9).squareRoot(), 1)
                (across, along) = (across * kept, along * kept)
                first[k].level /= (1 + across * across + along * along).squareRoot()
                let (hertz, level) = first[k]
                let beat = min(hertz * 0.002, 1.5) * (b > 0 ? Double(rate[k]) : 0)
                second.append((hertz + hertz * d + beat, level * across, level * along))
            }
            return first.map { ($0.hertz, $0.level, 0) } + second
        }
    }

    private static let banks = [
        Bank(shimmer: [0.5, -0.5, 1, -1, 0, 0.2, 0.1, -3]),
        Bank(pitch: 1500, own: (0..<24).map { 0.1 * Float($0) - 0.9 }),
        Bank(pitch: 110, inharmonicity: 4e-4, own: (0..<24).map { 0.3 * Float($0 % 5) - 0.5 }),
        Bank(pitch: 220, detune: 0.004, own: (0..<24).map { 0.3 * Float($0 % 7) - 0.8 }),
    ]

    @Test(arguments: 0..<banks.count)
    func shapedPartialsAreTheSumOfTheirSines(_ number: Int) throws {
        var bank = Self.banks[number]
        bank.phase = (0..<24).map { Float($0) / 24 }
        let lines = bank.lines()
        bank.before = lines.map { Float($0.cosine) } + lines.suffix(8).map { Float($0.sine) }
        let outputs = try bank.run(Session(runtime, model: fixture("shaped_partials.onnx")))
        for (index, sample) in outputs["samples"]!.floats!.enumerated() {
            var expected = 0.0
            for (line, start) in zip(lines, bank.phase) {
                let angle = 2 * Double.pi * (Double(start) + line.hertz * Double(index) / 48_000)
                expected += line.cosine * cos(angle) - line.sine * sin(angle)
            }
            // A slot's cycles are rounded to 2^-19.
            #expect(abs(Double(sample) - expected) < 5e-5, "sample \(index)")
        }
        for (line, ours) in zip(lines, outputs["next_amplitude"]!.floats!) {
            #expect(abs(Double(ours) - line.cosine) < 1e-6)
        }
        for (line, (start, phase)) in zip(lines, zip(bank.phase, outputs["next_phase"]!.floats!)) {
            let cycles = Double(phase) - Double(start) - line.hertz * 384 / 48_000
            #expect(abs(cycles - cycles.rounded()) < 2e-5)
        }
    }

    @Test func amplitudesGoOnALine() throws {
        // Partials of 0 Hz are their amplitudes, and a fresh voice is there at once.
        let bank = Bank(slots: 2, pitch: 0, envelope: [-2, 0, 0, 0])
        let samples = try bank.run(Session(runtime, model: fixture("shaped_partials.onnx")))["samples"]!
            .floats!
        let full = 16 * exp(Float(-2))
        for index in 0..<128 {
            #expect(abs(samples[index] - full * Float(index) / 128) < 1e-5)
            #expect(abs(samples[128 + index] - full) < 1e-5)
        }
    }

    /// It is told, as ONNX's operators would, and nothing is read or written where nothing is.
    @Test func noNumberGoesThrough() throws {
        let session = try Session(runtime, model: fixture("shaped_partials.onnx"))
        for value: Float in [.infinity, -.infinity, 1e30] {
            var bank = Bank(pitch: value, inharmonicity: value, detune: value)
            bank.own[0] = value
            #expect(try bank.run(session)["samples"]!.floats!.count == 384)
        }
        var bank = Bank()
        bank.envelope[0] = .nan
        let silent = try bank.run(session)["samples"]!.floats!.allSatisfy { $0.isFinite }
        #expect(!silent)
        for value: Float in [.nan, .infinity, 1e30] {
            #expect(
                try refused(
                    "shaped_noise.onnx", sizes: ["frames": 8, "ends": 2, "memory": 4],
                    [
                        "films": Array(repeating: value, count: 96),
                        "noise": Array(repeating: value, count: 128),
                    ]) == "")
            #expect(
                try refused(
                    "shimmer.onnx", sizes: [:],
                    [
                        "depth": Array(repeating: value, count: 512),
                        "noise": Array(repeating: value, count: 128),
                    ]) == "")
        }
    }

    /// All inputs of a model are 1 but those that are given, of those sizes.
    private func refused(
        _ model: String, sizes: [String: Int], _ inputs: [String: [Float]] = [:]
    ) throws -> String {
        let session = try Session(runtime, model: fixture(model))
        var all: [String: Tensor] = [:]
        for info in session.inputs {
            let shape = info.shape.map { axis in
                if case .fixed(let size) = axis {
                    size
                } else {
                    sizes["\(info.name).\(axis)"] ?? sizes["\(axis)"] ?? 1
                }
            }
            let values = inputs[info.name] ?? [Float](repeating: 1, count: shape.reduce(1, *))
            all[info.name] = try Tensor(values, shape: shape)
        }
        do {
            _ = try session.run(all)
            return ""
        } catch {
            #expect(error.code == .runFailed)
            return error.message
        }
    }

    @Test func shapesThatDoNotBelongTogetherAreAnErrorOfTheRun() throws {
        #expect(try refused("shaped_partials.onnx", sizes: ["slots": 2]) == "")
        #expect(try refused("shaped_partials.onnx", sizes: ["own.slots": 3]).contains("ShapedPartials"))
        #expect(try refused("shaped_partials.onnx", sizes: ["phase.batch": 2]).contains("ShapedPartials"))
        #expect(try refused("shaped_partials.onnx", sizes: ["slots": 17]).contains("ShapedPartials"))
        #expect(try refused("shimmer.onnx", sizes: ["slots": 2]) == "")
        #expect(try refused("shimmer.onnx", sizes: ["slots": 17]).contains("Shimmer"))
        #expect(try refused("shimmer.onnx", sizes: ["depth.slots": 2]).contains("Shimmer"))
        let fitting = ["frames": 16, "ends": 3, "memory": 4]
        #expect(try refused("shaped_noise.onnx", sizes: fitting) == "")
        for (name, size) in [("frames", 12), ("frames", 136), ("ends", 2), ("memory", 5), ("films.batch", 2)]
        {
            let sizes = fitting.merging([name: size]) { $1 }
            #expect(try refused("shaped_noise.onnx", sizes: sizes).contains("ShapedNoise"), "\(name) \(size)")
        }
        for dilation in [Float.nan, 0, -1, 1.5, 2, 1e30, .infinity] {
            let said = try refused("shaped_noise.onnx", sizes: fitting, ["dilations": [dilation]])
            #expect(said.contains("ShapedNoise"), "\(dilation)")
        }
    }

    @Test(arguments: [(1, 1), (3, 4), (2, 16)])
    func aShippedDecoderSoundsTheSameWithItsFunction(_ batch: Int, _ slots: Int) throws {
        let path = "\(repositoryRoot)/Models/NeuralSynth/rave_decoder_ensemble.onnx"
        let own = try Session(runtime, model: path)
        let function = try Session(runtime, model: path, options: SessionOptions(ownOperators: false))
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
                // Phases are cycles, of partials up to far beyond what is heard.
                let isPhase = name == "next_phase"
                let apart = zip(a, b).map { abs($0 - $1 - (isPhase ? ($0 - $1).rounded() : 0)) }.max() ?? 0
                #expect(apart < (isPhase ? 0.01 : 1e-5), "\(name)")
                if let place = name.range(of: "next_") {
                    inputs["state_" + name[place.upperBound...]] = tensor
                }
            }
            #expect(ours["audio"]!.floats!.contains { abs($0) > 1e-4 })
            // Equal to the bit, it would be the function both times.
            let isFunction = ours["audio"] == theirs["audio"]
            #expect(!isFunction)
        }
    }
}
