import Inference
import NeuralSynth
import Signal
import Streaming
import TestSupport
import Testing

/// A voice's decoder inputs as a function of the slot, so that any cut sees the same.
private struct Score {
    let noise: CounterNoise
    let key: Float

    func latent(_ slot: Int, _ i: Int) -> Float {
        0.5 * CounterNoise(seed: noise.seed ^ 1).value(at: UInt64(slot / 16 * 128 + i))
    }
    func pitch(_ slot: Int) -> Float { Pitch.frequency(key: key + 0.02 * Float(slot)) }
    func noise(_ slot: Int, _ band: Int, _ frame: Int) -> Float {
        noise.value(at: UInt64(slot * 128 + band * 8 + frame))
    }
}

private final class Bench {
    let batcher: VoiceBatcher
    let decoder: NeuralDecoder

    init(voices: Int = 8, batch: Int = 8) throws {
        decoder = try ModelFolder.shipped.decoder(of: "strings")
        batcher = try VoiceBatcher(
            session: decoder.session, description: decoder.description, maximumVoices: voices,
            maximumBatch: batch, maximumSlots: 16)
    }

    /// One run of `slots` slots from `slot` on for some voices; the audio of each.
    func run(_ voices: [(number: Int, score: Score)], from slot: Int, slots: Int) throws -> [[Float]] {
        let description = batcher.description
        for (lane, voice) in voices.enumerated() {
            for k in 0..<slots {
                unsafe batcher.pitch(lane: lane, slots: slots)[k] = voice.score.pitch(slot + k)
                for i in 0..<description.latentSize {
                    unsafe batcher.latent(lane: lane, slots: slots)[i * slots + k] = voice.score.latent(
                        slot + k, i)
                }
                for band in 0..<16 {
                    for frame in 0..<8 {
                        unsafe batcher.noise(lane: lane, slots: slots)[band * 8 * slots + k * 8 + frame] =
                            voice.score.noise(slot + k, band, frame)
                    }
                }
            }
        }
        let numbers = voices.map(\.number)
        try batcher.run(voices: numbers.span, slots: slots)
        return voices.indices.map { lane in
            (0..<slots * description.slotSamples).map { unsafe batcher.audio(lane: lane, slots: slots)[$0] }
        }
    }
}

private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    #expect(a.count == b.count)
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

@Suite("Streaming decoder")
struct StreamingTests {
    @Test func sixteenSlotsAtOnceEqualSixteenRunsOfOneAndAnyCut() throws {
        let bench = try Bench()
        let score = Score(noise: CounterNoise(seed: 7), key: 60)
        let whole = try bench.run([(0, score)], from: 0, slots: 16)[0]
        #expect(whole.contains { abs($0) > 1e-4 })
        var singles: [Float] = []
        for slot in 0..<16 { singles += try bench.run([(1, score)], from: slot, slots: 1)[0] }
        #expect(largestDifference(whole, singles) <= 1e-5)
        var generator = SeededGenerator.announced()
        for voice in 2..<8 {
            var cut: [Float] = []
            var cuts: [Int] = []
            var slot = 0
            while slot < 16 {
                let slots = Int.random(in: 1...(16 - slot), using: &generator)
                cut += try bench.run([(voice, score)], from: slot, slots: slots)[0]
                slot += slots
                cuts.append(slots)
            }
            #expect(largestDifference(whole, cut) <= 1e-5, "cut into \(cuts)")
        }
    }

    @Test func aVoiceInABatchEqualsTheVoiceAloneWhoeverJoinsOrLeaves() throws {
        let bench = try Bench()
        let scores = (0..<8).map { Score(noise: CounterNoise(seed: UInt64($0)), key: 48 + 5 * Float($0)) }
        var alone: [[Float]] = []
        for score in scores {
            bench.batcher.reset(voice: 0)
            var audio: [Float] = []
            for slot in stride(from: 0, to: 32, by: 2) {
                audio += try bench.run([(0, score)], from: slot, slots: 2)[0]
            }
            alone.append(audio)
        }
        for voice in 0..<8 { bench.batcher.reset(voice: voice) }
        var together = [[Float]](repeating: [], count: 8)
        var slots = [Int](repeating: 0, count: 8)
        var generator = SeededGenerator.announced()
        while let slot = slots.min(), slot < 32 {
            // The voices that are at the same slot, some of them, in any order.
            let ready = (0..<8).filter { slots[$0] == slot }.shuffled(using: &generator)
            let some = Array(ready.prefix(Int.random(in: 1...ready.count, using: &generator)))
            let audio = try bench.run(some.map { ($0, scores[$0]) }, from: slot, slots: 2)
            for (lane, voice) in some.enumerated() {
                together[voice] += audio[lane]
                slots[voice] += 2
            }
        }
        for voice in 0..<8 { #expect(largestDifference(alone[voice], together[voice]) <= 1e-5) }
    }

    @Test func aResetVoiceIsAFreshVoice() throws {
        let bench = try Bench()
        let score = Score(noise: CounterNoise(seed: 3), key: 69)
        let fresh = try bench.run([(0, score)], from: 0, slots: 8)[0]
        let later = try bench.run([(0, score)], from: 0, slots: 8)[0]
        #expect(largestDifference(fresh, later) > 1e-4, "the second run goes on from the first one's states")
        bench.batcher.reset(voice: 0)
        #expect(largestDifference(fresh, try bench.run([(0, score)], from: 0, slots: 8)[0]) == 0)
    }

    @Test func theNoiseIsWhatTheHostGives() throws {
        let bench = try Bench()
        let score = Score(noise: CounterNoise(seed: 1), key: 60)
        let other = Score(noise: CounterNoise(seed: 2), key: 60)
        let first = try bench.run([(0, score)], from: 0, slots: 4)[0]
        #expect(largestDifference(first, try bench.run([(1, score)], from: 0, slots: 4)[0]) == 0)
        #expect(largestDifference(first, try bench.run([(2, other)], from: 0, slots: 4)[0]) > 0)
    }
}

@Suite(.enabled(if: allocationsCanBeCounted, "allocations are counted with glibc and without sanitizers"))
struct BatcherAllocationTests {
    @Test func gatheringAndScatteringAllocateNothing() throws {
        let bench = try Bench()
        let voices = Array(0..<8)
        for _ in 0..<20 { try bench.batcher.run(voices: voices.span, slots: 2) }
        let counted = try allocationsApart { () throws(InferenceError) in
            for _ in 0..<100 { try bench.batcher.run(voices: voices.span, slots: 2) }
        }
        #expect(counted.ours == 0 && counted.runtime > 0)
    }
}
