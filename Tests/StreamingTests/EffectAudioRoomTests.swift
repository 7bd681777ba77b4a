import Inference
import Streaming
import TestSupport
import Testing

@Suite(
    "Audio room of effects",
    .enabled(if: allocationsCanBeCounted, "allocations are counted with glibc and without sanitizers"))
struct EffectAudioRoomTests {
    /// In time, late, resampled, in blocks that vary, and reset.
    @Test func sendingSoundThroughAModelAllocatesNothing() throws {
        let hop = 128
        let session = try Session(OnnxRuntime.open(), model: fixture("echo_effect.onnx"))
        let model = try EffectModel(
            [session],
            EffectDescription(
                sampleRate: 44_100, channels: 2, hop: hop, delaySamples: 32,
                methods: [
                    .init(
                        input: .init(name: "audio", shape: [1, 2, hop]),
                        output: .init(name: "echo", shape: [1, 2, hop]),
                        states: [StateDescription(input: "state_past", output: "next_past", shape: [2, 332])])
                ]))
        for rate in [44_100, 48_000] {
            let engine = try AsyncInferenceEngine(
                model,
                EffectConfiguration(blockFrames: 256, blocksVary: true, workSamples: 64, sampleRate: rate),
                isThreaded: false)
            let input = [Float](repeating: 0.5, count: 512)
            var output = input
            var counted = 0
            for block in 0..<300 {
                var span = output.mutableSpan
                counted += allocations {
                    engine.streams[0].process(input.span, &span, frames: block % 7 == 0 ? 33 : 256)
                }
                if block == 200 { counted += allocations { engine.streams[0].reset() } }
                // The worker does nothing for a while.
                if !(50..<100).contains(block) { while try engine.runNext() {} }
            }
            #expect(counted == 0)
            #expect(engine.streams[0].status.overloads == 1 && output.contains { $0 != 0 })
        }
    }

    /// The blocks in which a model is taken, fed, faded in, and the old one let go of; and those of a reset meanwhile.
    @Test func swappingModelsAllocatesNothing() throws {
        let slot = try EffectSlot(
            SlotModel.half.open(hop: 128), channels: 2,
            EffectConfiguration(
                blockFrames: 256, blocksVary: true, workSamples: 64, latencySamples: 4000, sampleRate: 48_000),
            isThreaded: false)
        let input = [Float](repeating: 0.5, count: 512)
        var output = input
        var (audio, worker, swaps) = (0, 0, 0)
        for block in 0..<420 {
            if block % 40 == 20 {
                let model = SlotModel.allCases[block / 40 % SlotModel.allCases.count]
                try slot.swap(to: model.open(hop: 200))
                swaps += 1
            }
            var span = output.mutableSpan
            audio += allocations {
                slot.process(input.span, &span, frames: block % 7 == 0 ? 33 : 256)
                if block % 110 == 109 { slot.reset() }
            }
            for engine in slot.engines {
                worker += try allocationsApart { while try engine.runNext() {} }.ours
            }
        }
        #expect(audio == 0)
        #if !DEBUG  // without optimisation generics allocate
            #expect(worker == 0)
        #endif
        #expect(!slot.collect() && swaps == 10 && output.contains { $0 != 0 })
    }
}
