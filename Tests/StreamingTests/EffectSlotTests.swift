import Foundation
import Inference
import Signal
import Streaming
import Synchronization
import TestSupport
import Testing

/// Models that take each other's place while sound goes through them.
@Suite("Effect slot")
struct EffectSlotTests {
    private static let noise = CounterNoise(seed: 7)

    /// Models of all kinds and rates swapped in any block, with stalls and resets: before, within and after each fade every
    /// sample is what the models by themselves say, and what is over is freed.
    @Test func whatIsHeardIsTheOldModelThenBothThenTheNew() throws {
        var generator = SeededGenerator.announced()
        var (swaps, missed) = (0, 0)
        #if DEBUG
            let (sessions, end) = (6, 16_000)
        #else
            let (sessions, end) = (60, 60_000)
        #endif
        for number in 0..<sessions {
            let most = Int.random(in: 1...500, using: &generator)
            let stalls = number % 2 == 0
            let configuration = EffectConfiguration(
                blockFrames: most, blocksVary: true, workSamples: 60, latencySamples: 3000,
                sampleRate: [44_100, 48_000].randomElement(using: &generator)!,
                concealment: EffectConfiguration.Policy.allCases.randomElement(using: &generator)!)
            func model(_ generator: inout SeededGenerator) throws -> EffectModel {
                try SlotModel.allCases.randomElement(using: &generator)!
                    .open(hop: Int.random(in: 60...500, using: &generator))
            }
            var session = try SlotSession(model(&generator), configuration)
            #expect(session.slot.latency.total == 3000)
            var (position, stalledUntil) = (0, stalls ? 8000 : 0)
            while position < end {
                let frames = Int.random(in: 1...most, using: &generator)
                if Int.random(in: 0..<max(1, 8000 / most), using: &generator) == 0 {
                    try session.swap(to: model(&generator))
                }
                if Int.random(in: 0..<max(1, 60_000 / most), using: &generator) == 0 { session.reset() }
                if stalls, Int.random(in: 0..<max(1, 30_000 / most), using: &generator) == 0 {
                    stalledUntil = position + Int.random(in: 1...12_000, using: &generator)
                }
                try session.play(frames, hops: position < stalledUntil ? 0 : 100) { frame, channel in
                    Self.noise.value(at: UInt64(2 * (position + frame) + channel))
                }
                position += frames
                session.slot.collect()
                #expect(session.engines.count { $0.engine != nil } <= 3)
            }
            #expect(session.wrong == 0, "\(configuration)")
            let countsAreEqual = session.countsAreEqual()
            #expect(countsAreEqual, "\(configuration)")
            #expect(stalls || session.missed == 0, "\(configuration)")
            swaps += session.swaps
            missed += session.missed
            let engines = session.engines
            let isFinite = session.heard.allSatisfy { $0.isFinite }
            #expect(isFinite)
            _ = consume session
            #expect(engines.allSatisfy { $0.engine == nil })
        }
        #expect(swaps > sessions && missed > 0, "\(swaps) swaps, \(missed) missed")
    }

    /// Models that do the same, in hops of their own, one and two channels at once: not a bit changes, wherever they are
    /// swapped, and the time stays exact.
    @Test func aSwapBetweenEqualModelsIsNotHeard() throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<40 {
            let frames = Int.random(in: 1...400, using: &generator)
            func model(_ most: Int) throws -> EffectModel {
                try [SlotModel.half, .bothHalf].randomElement(using: &generator)!
                    .open(hop: Int.random(in: 10...most, using: &generator))
            }
            // The slot's latency is its first model's.
            let first = try SlotModel.half.open(hop: 500)
            let configuration = EffectConfiguration(blockFrames: frames, workSamples: 10)
            let slot = try EffectSlot(first, channels: 2, configuration, isThreaded: false)
            let latency = slot.latency.total
            var (left, count) = ([Float](), 0)
            while count < 30_000 {
                if Int.random(in: 0..<max(1, 6000 / frames), using: &generator) == 0 {
                    try slot.swap(to: model(100))
                }
                let input = (0..<2 * frames).map { Float((count + $0 % frames) % 977 + 1) }
                var output = [Float](repeating: .nan, count: 2 * frames)
                var span = output.mutableSpan
                slot.process(input.span, &span, frames: frames)
                for engine in slot.engines { while try engine.runNext() {} }
                left += output[..<frames]
                #expect(output[..<frames].elementsEqual(output[frames...]))
                count += frames
            }
            let wrong = left.indices.count {
                left[$0] != ($0 < latency ? 0 : 0.5 * Float(($0 - latency) % 977 + 1))
            }
            #expect(wrong == 0 && slot.status.missedFrames == 0 && slot.status.skippedHops == 0)
        }
    }

    /// Who asks for more than there is, has other channels, or an odd rate is refused, and the old model plays on.
    @Test func whatDoesNotFitIsRefusedAndNothingIsHeardOfIt() throws {
        let configuration = EffectConfiguration(
            blockFrames: 128, workSamples: 64, latencySamples: 4000, sampleRate: 48_000)
        let slot = try EffectSlot(
            SlotModel.half.open(hop: 128), channels: 3, configuration, isThreaded: false)
        let latency = slot.latency.total
        let needed = try AsyncInferenceEngine.latency(
            of: SlotModel.half.open(hop: 4096).description,
            EffectConfiguration(blockFrames: 128, workSamples: 64, sampleRate: 48_000, streams: 3)
        ).total
        var odd = try SlotModel.half.open(hop: 128).description
        odd.sampleRate = 47_999
        let session = try Session(OnnxRuntime.open(), model: fixture("gain_effect.onnx"))
        let longer = try EffectModel([session], odd)
        var heard: [Float] = []
        for block in 0..<60 {
            for (model, words) in [
                (try SlotModel.half.open(hop: 4096), ["\(needed)", "\(latency)"]),
                (try SlotModel.echo.open(hop: 64), ["2 channels", "3"]), (longer, ["47999"]),
            ] where block % 20 == 10 {
                let error = #expect(throws: InferenceError.self) { try slot.swap(to: model) }
                for word in words { #expect(error?.message.contains(word) == true, "\(word): \(error!)") }
                #expect(error?.code == .invalidArgument)
            }
            #expect(throws: InferenceError.self) {
                try slot.swap(
                    to: EffectModel(
                        [session],
                        .init(
                            sampleRate: nil, channels: 1, hop: 64,
                            methods: [
                                .init(
                                    input: .init(name: "sound", shape: [1, 1, 64]),
                                    output: .init(name: "quieter", shape: [1, 1, 64]))
                            ])))
            }
            let input = (0..<3 * 128).map { Float(block * 128 + $0 % 128 + 1) }
            var output = input
            var span = output.mutableSpan
            slot.process(input.span, &span, frames: 128)
            for engine in slot.engines { while try engine.runNext() {} }
            heard += output[256...]
        }
        #expect(!slot.collect())
        let wrong = heard.indices.count { heard[$0] != ($0 < latency ? 0 : 0.5 * Float($0 - latency + 1)) }
        #expect(wrong == 0)
    }

    /// A slot that is made for longer models than its first.
    @Test func aLatencyThatIsGivenIsEverybodysAndTheWorkersHaveTheRest() throws {
        var configuration = EffectConfiguration(blockFrames: 64, workSamples: 50, latencySamples: 3000)
        for (rate, hop) in [(48_000, 64), (44_100, 1024), (44_100, 77), (96_000, 500)] {
            configuration.sampleRate = rate
            for model in SlotModel.allCases {
                let it = try model.open(hop: hop).description
                configuration.latencySamples = nil
                let least = try AsyncInferenceEngine.latency(of: it, configuration)
                configuration.latencySamples = 3000
                let given = try AsyncInferenceEngine.latency(of: it, configuration)
                #expect(given.total == 3000 && given.buffering == least.buffering)
                #expect(given.model == least.model || it.sampleRate != rate)
                #expect(given.lookAhead > least.lookAhead)
                configuration.latencySamples = least.total
                #expect(try AsyncInferenceEngine.latency(of: it, configuration) == least)
                configuration.latencySamples = least.total - 1
                #expect(throws: InferenceError.self) {
                    _ = try AsyncInferenceEngine.latency(of: it, configuration)
                }
            }
        }
    }

    /// Nobody plays: what is replaced is freed at once, what waits with the slot.
    @Test func theNewestOfThoseThatWaitIsPlayedAndTheOthersAreFreed() throws {
        var engines: [SlotSession.Weak] = []
        do {
            let slot = try EffectSlot(
                SlotModel.half.open(hop: 100), channels: 1,
                EffectConfiguration(blockFrames: 64, workSamples: 64), isThreaded: true)
            for hop in [20, 30, 40] {
                try slot.swap(to: SlotModel.half.open(hop: hop))
                engines.append(SlotSession.Weak(engine: slot.engines.last))
                #expect(slot.collect() && slot.engines.count == 2)
            }
            #expect(engines.map { $0.engine?.hop } == [nil, nil, 40])
            // Before anything has come in the newest plays at once.
            let input = [Float](repeating: 1, count: 64)
            var output = input
            var span = output.mutableSpan
            slot.process(input.span, &span, frames: 64)
            #expect(!slot.collect() && slot.engines.map(\.hop) == [40])
            try slot.swap(to: SlotModel.half.open(hop: 50))
            engines.append(SlotSession.Weak(engine: slot.engines.last))
            #expect(engines.last?.engine != nil)
        }
        #expect(engines.allSatisfy { $0.engine == nil })
    }

    /// Threads as they are: one plays, one swaps. A frame is right or counted.
    @Test func modelsAreSwappedByAnotherThreadWhilePlaying() async throws {
        let slot = try EffectSlot(
            SlotModel.half.open(hop: 256), channels: 2,
            EffectConfiguration(
                blockFrames: 128, workSamples: 4800, latencySamples: 12_000, workers: 2,
                concealment: .silence))
        let latency = slot.latency.total
        let isPlaying = Shared(PlayingFlag())
        async let wrong = onThread {
            var (wrong, position) = (0, 0)
            var output = [Float](repeating: .nan, count: 256)
            while isPlaying.value.isSet {
                let input = (0..<256).map { Float((position + $0 % 128) % 1000 + 1) }
                var span = output.mutableSpan
                slot.process(input.span, &span, frames: 128)
                for i in 0..<128 {
                    let time = position + i - latency
                    let expected = time < 0 ? 0 : 0.5 * Float(time % 1000 + 1)
                    if output[i] != expected { wrong += 1 }
                }
                position += 128
                Thread.sleep(forTimeInterval: 0.0005)
            }
            return wrong
        }
        defer { isPlaying.value.clear() }
        var gone: [SlotSession.Weak] = []
        for swap in 0..<12 {
            let model = try [SlotModel.half, .bothHalf][swap % 2].open(hop: 32 + 16 * swap)
            try slot.swap(to: model)
            gone.append(SlotSession.Weak(engine: slot.engines.last))
            // Every third waits for no end.
            if swap % 3 != 0 { while slot.collect() { try await Task.sleep(for: .milliseconds(1)) } }
        }
        while slot.collect() { try await Task.sleep(for: .milliseconds(1)) }
        isPlaying.value.clear()
        let heard = await wrong
        let status = slot.status
        // A return takes 128 frames that are not missed, and two models may be late at once.
        #expect(heard <= status.missedFrames + 128 * status.overloads)
        #expect(gone.dropLast().allSatisfy { $0.engine == nil } && gone.last?.engine != nil)
        #expect(slot.failure == nil)
    }
}

/// What one thread plays by.
struct PlayingFlag: ~Copyable, Sendable {
    private let flag = Atomic<Bool>(true)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func clear() { flag.store(false, ordering: .relaxed) }
}
