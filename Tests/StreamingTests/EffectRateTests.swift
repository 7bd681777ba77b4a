import Foundation
import Inference
import Signal
import Streaming
import TestSupport
import Testing

/// A model at another rate than the sound's.
@Suite("Effects at other rates")
struct EffectRateTests {
    static let pairs = [
        (48_000, 44_100), (44_100, 48_000), (48_000, 16_000), (16_000, 48_000), (96_000, 48_000),
        (48_000, 96_000),
    ]

    /// The half as loud.
    private func model(sampleRate: Int, hop: Int) throws -> EffectModel {
        let shape = [1, 1, hop]
        return try EffectModel(
            [Session(OnnxRuntime.open(), model: fixture("gain_effect.onnx"))],
            EffectDescription(
                sampleRate: sampleRate, channels: 1, hop: hop,
                methods: [
                    .init(
                        input: .init(name: "audio", shape: shape),
                        output: .init(name: "quieter", shape: shape))
                ]))
    }

    private func resampled(_ sound: [Float], _ resampler: inout Resampler) -> [Float] {
        var output = [Float](repeating: 0, count: resampler.outputFrames(taking: sound.count))
        let rowFrames = output.count
        _ = unsafe resampler.process(sound, frames: sound.count, into: &output, rowFrames: rowFrames)
        return output
    }

    /// For any block, hop and time, in blocks that vary or not, what is heard is bit for bit what both filters and the model
    /// make of the whole sound.
    @Test func whatIsHeardIsTheWholeSoundResampledTwice() throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<40 {
            let (sound, rate) = Self.pairs.randomElement(using: &generator)!
            let hop = Int.random(in: 8...300, using: &generator)
            let most = Int.random(in: 1...max(1, hop * sound / rate), using: &generator)
            let configuration = EffectConfiguration(
                blockFrames: Int.random(in: 1...300, using: &generator),
                blocksVary: Bool.random(using: &generator), workSamples: most, sampleRate: sound)
            var simulation = try EffectSimulation(model(sampleRate: rate, hop: hop), configuration)
            let noise = CounterNoise(seed: 5)
            for _ in 0..<40 {
                try simulation.play(
                    configuration.blocksVary
                        ? Int.random(in: 0...configuration.blockFrames, using: &generator)
                        : configuration.blockFrames,
                    work: {
                        Bool.random(using: &$0)
                            ? Double(most) : Double.random(in: 0...Double(most), using: &$0)
                    },
                    &generator, sound: { noise.value(at: UInt64($0)) })
            }
            let latency = simulation.engine.latency
            var there = Resampler(from: sound, to: rate, channels: 1)!
            let ratio = there.ratio
            // What is not the filters' is a whole number of the model's samples.
            let filters = 2 * Resampler.delayTicks(of: ratio)
            let delay = (latency.total * ratio.ticksPerInput - filters) / ratio.ticksPerOutput
            let extra = latency.total * ratio.ticksPerInput - filters - delay * ratio.ticksPerOutput
            var back = Resampler(from: rate, to: sound, channels: 1, extraDelayTicks: extra)!
            let quieter = resampled(simulation.input, &there).map { $0 * 0.5 }
            let wanted = resampled([Float](repeating: 0, count: delay) + quieter, &back)
            #expect(
                Array(wanted.prefix(simulation.heard.count)) == simulation.heard, "\(configuration) \(rate)")
            #expect(simulation.engine.streams[0].status.missedFrames == 0, "\(configuration) \(rate)")
        }
    }

    /// A sine comes back after `latency.total` samples, exactly, half as loud; and the parts say why.
    @Test(arguments: pairs)
    func theLatencyIsExactToTheSample(sound: Int, rate: Int) throws {
        for (frames, hop) in [(64, 128), (100, 37), (256, 512)] {
            var generator = SeededGenerator(seed: 1)
            let work = min(20, hop * sound / rate)
            let configuration = EffectConfiguration(blockFrames: frames, workSamples: work, sampleRate: sound)
            var simulation = try EffectSimulation(model(sampleRate: rate, hop: hop), configuration)
            let step = 2 * Double.pi * 0.11 * Double(min(sound, rate)) / Double(sound)
            for _ in 0..<12_000 / frames {
                try simulation.play(
                    frames, work: { _ in Double(work) }, &generator, sound: { Float(sin(step * Double($0))) })
            }
            let latency = simulation.engine.latency
            let settled = 2 * latency.total + 1000
            let error = (settled..<simulation.heard.count).map {
                abs(Double(simulation.heard[$0]) - 0.5 * sin(step * Double($0 - latency.total)))
            }.max()!
            #expect(error < 2e-5, "\(frames), \(hop)")
            let filters = 2 * 72 * Double(max(sound, rate)) / Double(rate)
            #expect(latency.model == 0 && latency.buffering >= 0 && latency.lookAhead > 0)
            #expect(Double(latency.resampling) >= filters * Double(sound) / Double(max(sound, rate)) - 1)
        }
    }

    @Test func ratesWithLittleInCommonAreRefusedAndNamed() throws {
        let model = try model(sampleRate: 47_999, hop: 64)
        let error = #expect(throws: InferenceError.self) {
            _ = try AsyncInferenceEngine(model, EffectConfiguration(workSamples: 64, sampleRate: 48_000))
        }
        #expect(error?.message.contains("47999") == true)
    }
}
