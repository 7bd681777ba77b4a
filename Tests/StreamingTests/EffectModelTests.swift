import Inference
import Streaming
import TestSupport
import Testing

/// Models with states, windows and several methods, as their manifests describe them.
@Suite("Effect models")
struct EffectModelTests {
    private func open(_ names: String..., description: EffectDescription) throws -> EffectModel {
        let runtime = try OnnxRuntime.open()
        return try EffectModel(names.map { try Session(runtime, model: fixture("\($0).onnx")) }, description)
    }

    /// Both channels 32 samples late and again 300 later; the left half, the right a quarter.
    private func echo(hop: Int) throws -> EffectModel {
        try open(
            "echo_effect",
            description: EffectDescription(
                sampleRate: 44_100, channels: 2, hop: hop, delaySamples: 32,
                methods: [
                    .init(
                        input: .init(name: "audio", shape: [1, 2, hop]),
                        output: .init(name: "echo", shape: [1, 2, hop]),
                        states: [StateDescription(input: "state_past", output: "next_past", shape: [2, 332])])
                ]))
    }

    private func windows(_ name: String, output: String, overlapsAndAdds: Bool) throws -> EffectModel {
        let given = overlapsAndAdds ? 512 : 128
        return try open(
            name,
            description: EffectDescription(
                sampleRate: 48_000, channels: 1, hop: 128, window: 512, overlapsAndAdds: overlapsAndAdds,
                delaySamples: 384,
                methods: [
                    .init(
                        input: .init(name: "audio", shape: [1, 1, 512]),
                        output: .init(name: output, shape: [1, 1, given]))
                ]))
    }

    private func pair(hop: Int) throws -> EffectModel {
        try open(
            "pair_encoder", "pair_decoder",
            description: EffectDescription(
                sampleRate: 48_000, channels: 1, hop: hop, delaySamples: 64,
                methods: [
                    .init(
                        input: .init(name: "audio", shape: [1, 1, hop]),
                        output: .init(name: "latent", shape: [1, 64, hop / 64])),
                    .init(
                        input: .init(name: "latent", shape: [1, 64, hop / 64]),
                        output: .init(name: "audio", shape: [1, 1, hop]),
                        states: [
                            StateDescription(input: "state_latent", output: "next_latent", shape: [64, 1])
                        ]),
                ]))
    }

    private func value(_ sound: [Float], _ time: Int) -> Float { time < 0 ? 0 : sound[time] }

    /// How many samples of a channel from `first` on are not the echo of what came in.
    private func wrongEcho(_ simulation: EffectSimulation, channel: Int, from first: Int = 0) -> Int {
        let (latency, sound) = (simulation.engine.latency.total, simulation.inputs[channel])
        return (first..<sound.count).count { n in
            let both = value(sound, n - latency) + value(sound, n - latency - 300)
            return simulation.outputs[channel][n] != (channel == 0 ? 0.5 : 0.25) * both
        }
    }

    /// In every channel, for any block and hop, and from silence again after a reset.
    @Test func statesGoOnFromHopToHopAndAreFreshAfterAReset() throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<60 {
            let hop = Int.random(in: 1...500, using: &generator)
            let most = Int.random(in: 1...hop, using: &generator)
            let configuration = EffectConfiguration(
                blockFrames: Int.random(in: 1...300, using: &generator), blocksVary: true, workSamples: most)
            var simulation = try EffectSimulation(echo(hop: hop), configuration)
            for _ in 0..<3 {
                for _ in 0..<Int.random(in: 1...40, using: &generator) {
                    try simulation.play(
                        Int.random(in: 1...configuration.blockFrames, using: &generator),
                        work: { Double.random(in: 0...Double(most), using: &$0) }, &generator,
                        sound: { Float($0 % 997 + 1) })
                }
                #expect(wrongEcho(simulation, channel: 0) == 0 && wrongEcho(simulation, channel: 1) == 0)
                simulation.reset()
            }
            #expect(simulation.engine.streams[0].status.missedFrames == 0)
        }
    }

    /// A stall of half a second: the states go on from before, and as soon as they hold nothing of before any more, every
    /// sample is right where it belongs.
    @Test func afterAStallTheSoundIsWhereItWas() throws {
        var generator = SeededGenerator.announced()
        let configuration = EffectConfiguration(blockFrames: 256, workSamples: 200, concealment: .dry)
        var simulation = try EffectSimulation(echo(hop: 256), configuration)
        for block in 0..<400 {
            if block == 100 { simulation.stalledUntil = Double(simulation.position + 22_050) }
            try simulation.play(256, work: { _ in 150 }, &generator, sound: { Float($0 % 997 + 1) })
        }
        let status = simulation.engine.streams[0].status
        #expect(status.overloads == 1 && status.skippedHops > 50 && status.missedFrames > 15_000)
        let latency = simulation.engine.latency
        let back = 100 * 256 + 22_050 + latency.lookAhead + 2 * 256
        #expect(wrongEcho(simulation, channel: 0, from: back + 332 + 256) == 0)
        #expect(wrongEcho(simulation, channel: 1, from: back + 332 + 256) == 0)
        #expect(wrongEcho(simulation, channel: 0) > 10_000)
    }

    /// What is no number is heard as late, and does not stay in the states.
    @Test func aNumberThatIsNoneIsForgotten() throws {
        var generator = SeededGenerator.announced()
        let configuration = EffectConfiguration(blockFrames: 256, workSamples: 200, concealment: .silence)
        var simulation = try EffectSimulation(echo(hop: 256), configuration)
        for block in 0..<100 {
            try simulation.play(
                256, work: { _ in 150 }, &generator,
                sound: { block == 40 && $0 % 256 == 7 ? .nan : Float($0 % 997 + 1) })
        }
        #expect(simulation.outputs.allSatisfy { $0.allSatisfy { $0.isFinite } })
        let status = simulation.engine.streams[0].status
        #expect(status.overloads == 1 && status.skippedHops == 1)
        let back = 42 * 256 + simulation.engine.latency.total
        #expect(wrongEcho(simulation, channel: 0, from: back + 332 + 256) == 0)
    }

    @Test func shapesWithoutMeasureAreRefused() throws {
        for shape in [[1 << 40, 1 << 40], [-2, 332], [0, 332]] {
            let error = #expect(throws: InferenceError.self) {
                try open(
                    "echo_effect",
                    description: EffectDescription(
                        sampleRate: 44_100, channels: 2, hop: 256,
                        methods: [
                            .init(
                                input: .init(name: "audio", shape: [1, 2, 256]),
                                output: .init(name: "echo", shape: [1, 2, 256]),
                                states: [.init(input: "state_past", output: "next_past", shape: shape)])
                        ]))
            }
            #expect(error?.code == .invalidArgument && error?.message.contains("state_past") == true)
        }
    }

    @Test(arguments: [false, true])
    func windowsGiveTheSoundBackLate(overlapsAndAdds: Bool) throws {
        let model = try windows(
            overlapsAndAdds ? "overlap_effect" : "window_effect",
            output: overlapsAndAdds ? "weighted" : "oldest",
            overlapsAndAdds: overlapsAndAdds)
        var generator = SeededGenerator.announced()
        let configuration = EffectConfiguration(blockFrames: 200, blocksVary: true, workSamples: 100)
        var simulation = try EffectSimulation(model, configuration)
        for round in 0..<3 {
            for _ in 0..<60 {
                try simulation.play(
                    Int.random(in: 1...200, using: &generator),
                    work: { Double.random(in: 0...100, using: &$0) },
                    &generator, sound: { Float($0 % 97 + round + 1) / 100 })
            }
            let latency = simulation.engine.latency.total
            let worst = simulation.heard.indices.map {
                abs(simulation.heard[$0] - value(simulation.input, $0 - latency))
            }.max()!
            #expect(worst <= (overlapsAndAdds ? 1e-6 : 0))
            simulation.reset()
        }
        #expect(simulation.engine.latency.model == 384)
    }

    /// After hops were left out, windows of before are added no more than where they belong.
    @Test func overlappingWindowsAreRightAgainAfterAStall() throws {
        var generator = SeededGenerator.announced()
        let configuration = EffectConfiguration(blockFrames: 128, workSamples: 100, concealment: .silence)
        var simulation = try EffectSimulation(
            windows("overlap_effect", output: "weighted", overlapsAndAdds: true), configuration)
        for block in 0..<300 {
            if block == 100 { simulation.stalledUntil = Double(simulation.position + 9_000) }
            try simulation.play(128, work: { _ in 90 }, &generator, sound: { Float($0 % 97 + 1) / 100 })
        }
        let latency = simulation.engine.latency.total
        let back = 100 * 128 + 9_000 + latency + 512 + 256
        let worst = (back..<simulation.heard.count).map {
            abs(simulation.heard[$0] - simulation.input[$0 - latency])
        }.max()!
        #expect(worst <= 1e-6 && simulation.engine.streams[0].status.skippedHops > 50)
    }

    @Test func anEncoderAndADecoderAreRunOneAfterTheOther() throws {
        var generator = SeededGenerator.announced()
        for hop in [64, 256] {
            let configuration = EffectConfiguration(blockFrames: 100, workSamples: 60)
            var simulation = try EffectSimulation(pair(hop: hop), configuration)
            for _ in 0..<40 {
                try simulation.play(100, work: { _ in 50 }, &generator, sound: { Float($0 % 97 + 1) })
            }
            #expect(simulation.wrong() == 0 && simulation.engine.latency.model == 64)
        }
    }

    /// Threads as they are: streams do not hear each other's states. What is late is concealed, so they are waited for.
    @Test func streamsHaveStatesOfTheirOwn() throws {
        let hop = 128
        let configuration = EffectConfiguration(
            blockFrames: hop, workSamples: hop, streams: 3, workers: 2, concealment: .silence)
        let engine = try AsyncInferenceEngine(echo(hop: hop), configuration)
        let latency = engine.latency.total
        func sound(_ stream: Int, _ time: Int) -> Float {
            time < 0 ? 0 : Float(time * (stream + 3) % 1000 + 1)
        }
        var wrong = 0
        var output = [Float](repeating: 0, count: 2 * hop)
        for block in 0..<200 {
            for stream in 0..<3 {
                let row = (0..<hop).map { sound(stream, block * hop + $0) }
                let both = row + row
                var span = output.mutableSpan
                engine.streams[stream].process(both.span, &span, frames: hop)
                for i in 0..<hop {
                    let time = block * hop + i - latency
                    let both = sound(stream, time) + sound(stream, time - 300)
                    if output[i] != 0.5 * both || output[hop + i] != 0.25 * both { wrong += 1 }
                }
            }
            engine.waitForWorkers()
        }
        #expect(wrong == 0 && engine.failure == nil)
    }

    @Test func whatDoesNotFitIsToldAndNamed() throws {
        let right = try echo(hop: 64).description
        func message(_ change: (inout EffectDescription) -> Void, hop: Int? = nil) -> String {
            var description = right
            change(&description)
            let error = #expect(throws: InferenceError.self) {
                let model = try open("echo_effect", description: description)
                _ = try AsyncInferenceEngine(model, EffectConfiguration(hop: hop, workSamples: 64))
            }
            return error?.message ?? ""
        }
        #expect(message { $0.channels = 17 }.contains("17 channels"))
        #expect(message { $0.hop = 0 }.contains("0 samples per hop"))
        #expect(message { $0.window = 32 }.contains("32 samples per window"))
        #expect(message { $0.delaySamples = -1 }.contains("-1 samples"))
        #expect(message { $0.sampleRate = 0 }.contains("0 Hz"))
        #expect(message { $0.methods = [] }.contains("0 methods"))
        #expect(message { $0.methods[0].input.shape = [1, 1, 64] }.contains("audio"))
        #expect(message { $0.methods[0].output.name = "voice" }.contains("voice"))
        #expect(message { $0.methods[0].states = [] }.contains("state_past"))
        #expect(message({ _ in }, hop: 65).contains("hops of 64"))
    }
}
