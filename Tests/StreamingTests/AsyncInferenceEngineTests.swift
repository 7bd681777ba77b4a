import Foundation
import Inference
import Streaming
import TestSupport
import Testing

/// Sound through a model that makes it half as loud: what is heard is half of what came in, `latency.total` later.
@Suite("Async inference")
struct AsyncInferenceEngineTests {
    let session = try! Session(OnnxRuntime.open(), model: fixture("gain_effect.onnx"))

    typealias Simulation = EffectSimulation

    /// As long as no hop takes longer than it was said to, nothing is missed: for any block, hop and time.
    @Test func theLatencyIsEnoughAndNoLargerThanAnirasFormula() throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<1500 {
            let frames = Int.random(in: 1...300, using: &generator)
            let hop = Int.random(in: 1...300, using: &generator)
            let most = Int.random(in: 1...hop, using: &generator)
            let vary = Bool.random(using: &generator)
            let configuration = EffectConfiguration(
                blockFrames: frames, blocksVary: vary, hop: hop, workSamples: most)
            var simulation = try Simulation(session, configuration)
            for _ in 0..<40 {
                try simulation.play(
                    vary ? Int.random(in: 1...frames, using: &generator) : frames,
                    work: {
                        Bool.random(using: &$0)
                            ? Double(most) : Double.random(in: 0...Double(most), using: &$0)
                    },
                    &generator, sound: { Float($0 % 977 + 1) })
            }
            let status = simulation.engine.streams[0].status
            #expect(simulation.wrong() == 0 && status.missedFrames == 0, "\(configuration)")
            #expect(status.skippedHops == 0 && status.lateHops == 0, "\(configuration)")
            if !vary {
                // adapt: the most by which a block's end is past a hop's. caused: the blocks that begin while as many
                // hops are computed as a block can complete.
                let adapt = (1...hop).map { $0 * frames % hop }.max()!
                let atOnce = (0..<hop).map { (($0 + 1) * frames / hop) - ($0 * frames / hop) }.max()!
                let caused = (atOnce * most + frames - 1) / frames * frames
                // Where a hop may have to wait for the one before, that formula is too short.
                let queue = frames < hop && hop / frames * frames < most
                #expect(queue || simulation.engine.latency.total <= adapt + caused, "\(configuration)")
            }
        }
    }

    /// One sample less and something would be missed: the closed form is the least, not a bound.
    @Test(arguments: [
        (32, 96, 20), (16, 40, 13), (64, 48, 48), (48, 50, 50), (20, 52, 51), (100, 7, 7), (30, 30, 30),
    ])
    func theLatencyIsTheLeast(frames: Int, hop: Int, work: Int) throws {
        let latency = try AsyncInferenceEngine.latency(
            hop: hop, EffectConfiguration(blockFrames: frames, hop: hop, workSamples: work))
        // On a clock of samples: a block begins every `frames`, a worker takes the hops in order, and for every latency it
        // is seen whether some block needs a hop that is not done.
        func isEnough(_ latency: Int) -> Bool {
            var (known, next, busy) = (0, 0, 0)
            for time in 0..<6 * frames * hop {
                if busy > 0 {
                    busy -= 1
                    if busy == 0 { next += 1 }
                }
                if time % frames == 0 {
                    let last = time + frames - 1 - latency
                    if last >= 0, last / hop >= next { return false }
                    known = time + frames
                }
                if busy == 0, (next + 1) * hop <= known { busy = work }
            }
            return true
        }
        let least = (0...latency.total).first(where: isEnough)
        #expect(latency.total == least)
    }

    /// Half a second without a worker: what is missed is counted, nothing clicks, and afterwards all is where it was.
    @Test(arguments: EffectConfiguration.Policy.allCases)
    func aStalledWorkerIsConcealedAndLeavesNoLag(policy: EffectConfiguration.Policy) throws {
        var generator = SeededGenerator.announced()
        let configuration = EffectConfiguration(
            blockFrames: 256, hop: 1024, workSamples: 512, concealment: policy)
        var simulation = try Simulation(session, configuration)
        let sine = { (time: Int) in Float(0.5) * sin(Float(time % 480) * (2 * .pi / 480)) }
        for block in 0..<400 {
            if block == 100 { simulation.stalledUntil = Double(simulation.position + 24_000) }
            try simulation.play(256, work: { _ in 100 }, &generator, sound: sine)
        }
        let status = simulation.engine.streams[0].status
        let wrong = simulation.wrong()
        #expect(status.missedFrames > 20_000 && status.missedFrames < 27_000)
        #expect(status.skippedHops > 20)
        #expect(status.overloads == 1)
        // Besides the frames that were missed only those of the return's fade differ.
        #expect(wrong <= status.missedFrames + 2 * 128 && wrong > 10_000)
        #expect(
            simulation.wrong(from: 100 * 256 + 24_000 + simulation.engine.latency.total + 1024 + 256) == 0)
        // A sine of 100 Hz, half of it and a fade between them move by less than this from sample to sample.
        let steps = zip(simulation.heard, simulation.heard.dropFirst()).map { abs($0 - $1) }
        #expect(steps.max()! < 0.02)
        let gap = simulation.heard[100 * 256 + 12_000..<100 * 256 + 13_000].map(abs).max()!
        #expect(policy == .dry ? gap > 0.45 : gap == 0)
    }

    @Test func afterAResetNothingOfBeforeIsHeard() throws {
        var generator = SeededGenerator.announced()
        let configuration = EffectConfiguration(blockFrames: 100, hop: 256, workSamples: 100)
        var simulation = try Simulation(session, configuration)
        for round in 0..<20 {
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                try simulation.play(100, work: { _ in 90 }, &generator, sound: { Float($0 + round) + 1 })
            }
            #expect(simulation.wrong() == 0)
            simulation.reset()
        }
        #expect(simulation.engine.streams[0].status.missedFrames == 0)
    }

    /// Threads as they are: whatever the machine does, a frame is right or counted.
    @Test func streamsOfOneModelAreHeardOnTime() throws {
        let streams = 3
        let configuration = EffectConfiguration(
            blockFrames: 128, hop: 256, workSamples: 48_000 / 10, streams: streams, workers: 2,
            concealment: .silence)
        let engine = try AsyncInferenceEngine(session, configuration)
        let latency = engine.latency.total
        var wrong = [Int](repeating: 0, count: streams)
        var output = [Float](repeating: 0, count: 128)
        for block in 0..<600 {
            for stream in 0..<streams {
                let input = (0..<128).map { Float((block * 128 + $0) * (stream + 1) % 1000 + 1) }
                var span = output.mutableSpan
                engine.streams[stream].process(input.span, &span, frames: 128)
                for i in 0..<128 {
                    let time = block * 128 + i - latency
                    let expected = time < 0 ? 0 : 0.5 * Float(time * (stream + 1) % 1000 + 1)
                    if output[i] != expected { wrong[stream] += 1 }
                }
            }
            if block % 4 == 0 { Thread.sleep(forTimeInterval: 0.002) }
        }
        for stream in 0..<streams {
            let status = engine.streams[stream].status
            // A return takes 128 frames that are not missed, and there is one for each stretch that was.
            let returns = status.missedFrames == 0 ? 0 : 128 * (status.missedFrames / 128 + 1)
            #expect(wrong[stream] <= status.missedFrames + returns)
        }
        #expect(engine.failure == nil)
        engine.stop()
        engine.stop()
    }

    /// Whoever keeps a stream alone hears what comes in, as late as ever.
    @Test func aStreamOutlivesItsEngine() throws {
        let configuration = EffectConfiguration(blockFrames: 64, hop: 64, workSamples: 64)
        let stream = try AsyncInferenceEngine(session, configuration).streams[0]
        let latency = stream.latency.total
        var output = [Float](repeating: 0, count: 64)
        for block in 0..<20 {
            let input = (0..<64).map { Float(block * 64 + $0 + 1) }
            var span = output.mutableSpan
            stream.process(input.span, &span, frames: 64)
        }
        #expect(output == (0..<64).map { Float(19 * 64 + $0 + 1 - latency) })
        #expect(stream.status.missedFrames == 20 * 64 - latency)
    }

    @Test func whatCannotBeRunIsToldAndNamed() throws {
        let runtime = try OnnxRuntime.open()
        let two = try Session(runtime, model: fixture("scale_bias.onnx"))
        let flat = try Session(runtime, model: fixture("one_node.onnx"))
        for (session, hop, words) in [
            (two, 64, "2 inputs"), (flat, 64, "[1, channels, hop]"), (session, nil, "Say how many"),
            (session, 70_000, "1 to 65536"),
        ] {
            let error = #expect(throws: InferenceError.self) {
                _ = try AsyncInferenceEngine(session, EffectConfiguration(hop: hop, workSamples: 64))
            }
            #expect(error?.message.contains(words) == true)
        }
    }
}
